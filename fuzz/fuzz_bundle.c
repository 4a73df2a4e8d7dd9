/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "appraisal/endorsed.h"
#include "base/hash.h"
#include "base/hex.h"
#include "cli/bundle.h"
#include "fuzz.h"

/* Nothing would come past a digest that is wrong. */
static void set_digest(json_t *object)
{
	char hex[2 * HASH_SHA256_SIZE + 1], *text;
	uint8_t bytes[HASH_SHA256_SIZE];

	json_object_del(object, "sha256");
	text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	assert(text != NULL && hash_bytes(HASH_SHA256, text, strlen(text), bytes));
	hex_encode(bytes, sizeof(bytes), hex);
	json_object_set_new(object, "sha256", json_string(hex));
	free(text);
}

/* What is read can be refused by its parts only, and never brings a trust root. */
static void use(struct bundle *b)
{
	const struct buf intel = {0};
	struct ratls_endorsements *e = NULL;
	struct ratls_policy *p = NULL;
	struct ratls_evidence *evidence = NULL;

	if (bundle_policy(b, &p, NULL) != RATLS_OK)
		assert(p == NULL);
	if (bundle_endorsements(b, &intel, &e, NULL) == RATLS_OK)
		assert(!e->endorsed->development);
	if (b->kind == BUNDLE_QUOTE)
		(void)ratls_evidence_from_quote(b->evidence.p, b->evidence.len, &evidence, NULL);
	ratls_evidence_free(evidence);
	ratls_endorsements_free(e);
	ratls_policy_free(p);
	bundle_done(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	json_t *object = json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
	struct bundle b;
	struct ratls_error err = {0};

	if (!bundle_is(object)) {
		json_decref(object);
		return 0;
	}
	set_digest(object);
	if (bundle_read(object, &b, &err) == RATLS_OK)
		use(&b);
	else
		assert(err.code == RATLS_E_FORMAT || err.code == RATLS_E_UNSUPPORTED);
	json_decref(object);
	return 0;
}
