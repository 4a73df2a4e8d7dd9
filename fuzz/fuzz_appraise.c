/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole pure function on a genuine quote and its collateral (under a development root), changed in a few
 * places: what is accepted is what was not changed. Each change is five bytes: which item, an offset of
 * three bytes, and a byte to exclusive-or.
 */
#include <string.h>
#include <jansson.h>
#include <openssl/err.h>

#include "appraisal/endorsements.h"
#include "appraisal/report.h"
#include "fuzz.h"
#include "simulator/forge.h"

#define NOW	    INT64_C(1751600000)
#define CHANGES_MAX 16
#define ITEMS	    10 /* the quote, and nine of collateral */

/* All items one after another, so that no change is out of bounds. */
static struct buf genuine;
static size_t begin[ITEMS + 1];
static struct buf root;

static const char *const names[ITEMS] = {NULL, "pck_crl_issuer_chain", "root_ca_crl", "pck_crl",
	"tcb_info_issuer_chain", "tcb_info", "tcb_info_signature", "qe_identity_issuer_chain", "qe_identity",
	"qe_identity_signature"};

static void add_collateral(const struct forge_machine *m)
{
	struct buf json = {0};
	json_t *items;

	assert(forge_machine_collateral(m, &json, NULL) == RATLS_OK);
	items = json_loadb((const char *)json.p, json.len, 0, NULL);
	for (size_t i = 1; i < ITEMS; i++) {
		const json_t *item = json_object_get(items, names[i]);

		begin[i] = genuine.len;
		buf_bytes(&genuine, json_string_value(item), json_string_length(item));
	}
	begin[ITEMS] = genuine.len;
	json_decref(items);
	buf_done(&json);
}

static void make_genuine(void)
{
	static const uint8_t seed[FORGE_SEED_SIZE] = "fuzz", report_data[64];
	struct forge_options options;
	struct forge_machine machine = {0};

	forge_defaults(&options, seed, NOW);
	assert(forge_machine_make(&options, &machine, NULL) == RATLS_OK);
	assert(forge_machine_quote(&machine, report_data, &genuine, NULL) == RATLS_OK);
	add_collateral(&machine);
	buf_bytes(&root, machine.pki.cert[FORGE_ROOT].p, machine.pki.cert[FORGE_ROOT].len);
	forge_machine_done(&machine);
}

static void change(uint8_t *bytes, const uint8_t *data, size_t len)
{
	struct cur c = cur_of(data, len);

	for (size_t i = 0; i < CHANGES_MAX && c.left >= 5; i++) {
		size_t item = cur_u8(&c) % ITEMS, size = begin[item + 1] - begin[item];
		size_t at = (size_t)cur_u8(&c) << 16 | cur_u16be(&c);

		bytes[begin[item] + at % size] ^= cur_u8(&c);
	}
}

static struct ratls_endorsements *endorse(const uint8_t *bytes)
{
	struct ratls_endorsements_options options = {
		.size = sizeof(options), .insecure_trust_root = root.p, .insecure_trust_root_len = root.len};
	struct cur c[ITEMS];
	struct endorsement_items items = {.source = "fuzz"};
	struct ratls_endorsements *e = NULL;

	for (size_t i = 1; i < ITEMS; i++)
		c[i] = cur_of(bytes + begin[i], begin[i + 1] - begin[i]);
	items.pck_crl_issuer_chain = c[1];
	items.root_ca_crl = c[2];
	items.pck_crl = c[3];
	items.tcb_info_issuer_chain = c[4];
	items.tcb_info = c[5];
	items.tcb_info_signature = c[6];
	items.qe_identity_issuer_chain = c[7];
	items.qe_identity = c[8];
	items.qe_identity_signature = c[9];
	assert(endorsements_new(&items, &options, &e, NULL) == RATLS_OK);
	return e;
}

/* Lists and signatures are hex: its letters have two forms. */
static bool same_meaning(const uint8_t *bytes)
{
	for (size_t i = 0; i < ITEMS; i++) {
		const char *is = (const char *)bytes + begin[i], *was = (const char *)genuine.p + begin[i];
		size_t n = begin[i + 1] - begin[i];
		bool hex = i == 2 || i == 3 || i == 6 || i == 9;

		if (hex ? strncasecmp(is, was, n) != 0 : memcmp(is, was, n) != 0)
			return false;
	}
	return true;
}

static void appraise(const uint8_t *bytes)
{
	const struct ratls_binding none = {.kind = RATLS_BINDING_NONE};
	struct ratls_endorsements *endorsements = endorse(bytes);
	struct ratls_evidence *evidence = NULL;
	struct ratls_report *report = NULL;

	if (ratls_evidence_from_quote(bytes, begin[1], &evidence, NULL) == RATLS_OK) {
		assert(ratls_appraise(evidence, endorsements, NULL, &none, NOW, &report, NULL) == RATLS_OK);
		assert(ratls_report_accepted(report) == same_meaning(bytes));
		assert(ratls_report_accepted(report) == (ratls_report_class(report) == CLASS_ACCEPTED));
		assert(ratls_report_json(report) != NULL);
		ratls_report_free(report);
	}
	ratls_evidence_free(evidence);
	ratls_endorsements_free(endorsements);
	assert(ERR_peek_error() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf bytes = {0};

	if (genuine.len == 0)
		make_genuine();
	buf_bytes(&bytes, genuine.p, genuine.len);
	change(bytes.p, data, len);
	appraise(bytes.p);
	buf_done(&bytes);
	return 0;
}
