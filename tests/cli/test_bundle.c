/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "appraisal/endorsed.h"
#include "appraisal/policy.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/reason.h"
#include "cli/bundle.h"
#include "simulator/forge.h"

#define NOW    INT64_C(1751600000)
#define POLICY "{\"schema\":\"teesql.policy/1\",\"name\":\"n\",\"require_event_log\":true}"

static struct forge_machine machine;
static struct ratls_endorsements *endorsements;
static struct ratls_policy *policy;
static json_t *report;

static int start(void **state)
{
	static const uint8_t seed[FORGE_SEED_SIZE] = "bundle";
	struct ratls_endorsements_options under = {.size = sizeof(under)};
	struct forge_options options;
	struct buf json = {0};

	(void)state;
	forge_defaults(&options, seed, NOW);
	assert_int_equal(forge_machine_make(&options, &machine, NULL), RATLS_OK);
	assert_int_equal(forge_machine_collateral(&machine, &json, NULL), RATLS_OK);
	under.insecure_trust_root = machine.pki.cert[FORGE_ROOT].p;
	under.insecure_trust_root_len = machine.pki.cert[FORGE_ROOT].len;
	assert_int_equal(
		ratls_endorsements_from_json((const char *)json.p, json.len, &under, &endorsements, NULL),
		RATLS_OK);
	assert_int_equal(ratls_policy_from_json(POLICY, strlen(POLICY), &policy, NULL), RATLS_OK);
	report = json_pack("{s:s, s:i}", "schema", "teesql.verify/1", "exit", 0);
	buf_done(&json);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	json_decref(report);
	ratls_policy_free(policy);
	ratls_endorsements_free(endorsements);
	forge_machine_done(&machine);
	return 0;
}

static const uint8_t some_bytes[] = {0, 1, 2, 0xff, '"', '\n'};

static struct buf written(enum bundle_kind kind, bool with_collateral)
{
	const struct bundle_content content = {.at = NOW,
		.kind = kind,
		.evidence = cur_of(some_bytes, sizeof(some_bytes)),
		.endorsements = with_collateral ? endorsements : NULL,
		.policy = policy,
		.report = report};
	struct buf text = {0};

	assert_int_equal(bundle_write(&content, &text, NULL), RATLS_OK);
	return text;
}

static json_t *parsed(const struct buf *text)
{
	return json_loadb((const char *)text->p, text->len, JSON_REJECT_DUPLICATES, NULL);
}

/* What the digest is of, as it is documented. */
static void set_digest(json_t *object)
{
	char hex[2 * HASH_SHA256_SIZE + 1], *text;
	uint8_t bytes[HASH_SHA256_SIZE];

	json_object_del(object, "sha256");
	text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	assert_true(hash_bytes(HASH_SHA256, text, strlen(text), bytes));
	hex_encode(bytes, sizeof(bytes), hex);
	json_object_set_new(object, "sha256", json_string(hex));
	free(text);
}

static void what_was_written_is_read(void **state)
{
	const struct buf root = {
		.p = machine.pki.cert[FORGE_ROOT].p, .len = machine.pki.cert[FORGE_ROOT].len};

	(void)state;
	for (enum bundle_kind kind = BUNDLE_CERTIFICATE; kind <= BUNDLE_ATTESTATION; kind++) {
		struct buf text = written(kind, true);
		json_t *object = parsed(&text), *before = NULL, *after = NULL;
		struct ratls_endorsements *e = NULL;
		struct ratls_policy *p = NULL;
		struct bundle b;

		assert_true(bundle_is(object));
		assert_int_equal(bundle_read(object, &b, NULL), RATLS_OK);
		json_decref(object); /* it keeps its own reference */
		assert_int_equal(b.kind, kind);
		assert_int_equal(b.at, NOW);
		assert_int_equal(b.evidence.len, sizeof(some_bytes));
		assert_memory_equal(b.evidence.p, some_bytes, sizeof(some_bytes));
		assert_int_equal(bundle_policy(&b, &p, NULL), RATLS_OK);
		assert_string_equal(p->name, "n");
		assert_true(p->require_event_log);
		assert_int_equal(bundle_endorsements(&b, &root, &e, NULL), RATLS_OK);
		assert_int_equal(endorsements_valid_until(e), endorsements_valid_until(endorsements));
		assert_int_equal(endorsements_object(endorsements, &before, NULL), RATLS_OK);
		assert_int_equal(endorsements_object(e, &after, NULL), RATLS_OK);
		assert_true(json_equal(before, after));
		json_decref(before);
		json_decref(after);
		ratls_policy_free(p);
		ratls_endorsements_free(e);
		bundle_done(&b);
		buf_done(&text);
	}
}

/* A bundle of another root's collateral is none of Intel's, whatever it says. */
static void trust_is_configured_for_bundles(void **state)
{
	const struct buf none = {0};
	struct ratls_endorsements *e = NULL;
	struct buf text = written(BUNDLE_QUOTE, true);
	json_t *object = parsed(&text);
	struct bundle b;

	(void)state;
	json_object_set_new(object, "trust_root", json_string("development"));
	set_digest(object);
	assert_int_equal(bundle_read(object, &b, NULL), RATLS_E_FORMAT);
	json_object_del(object, "trust_root");
	set_digest(object);
	assert_int_equal(bundle_read(object, &b, NULL), RATLS_OK);
	assert_int_equal(bundle_endorsements(&b, &none, &e, NULL), RATLS_OK);
	assert_false(e->endorsed->development);
	assert_int_equal(e->endorsed->pck_ca_chain.status, CHECK_FAIL);
	assert_null(e->endorsed->tcbinfo);
	ratls_endorsements_free(e);
	bundle_done(&b);
	json_decref(object);
	buf_done(&text);
}

static void without_collateral_there_is_none(void **state)
{
	const struct buf none = {0};
	struct ratls_endorsements *e = NULL;
	struct buf text = written(BUNDLE_QUOTE, false);
	json_t *object = parsed(&text);
	struct ratls_error err = {0};
	struct bundle b;

	(void)state;
	assert_int_equal(bundle_read(object, &b, NULL), RATLS_OK);
	assert_int_equal(bundle_endorsements(&b, &none, &e, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_COLLATERAL_UNAVAILABLE);
	bundle_done(&b);
	json_decref(object);
	buf_done(&text);
}

/* A change that reads as the same (white space) is none; every other one is found. */
static void every_byte_counts(void **state)
{
	struct buf text = written(BUNDLE_QUOTE, false);
	json_t *object = parsed(&text);
	size_t n_refused = 0;

	(void)state;
	for (size_t i = 0; i < text.len; i++) {
		json_t *changed;

		text.p[i] ^= 1;
		changed = parsed(&text);
		if (changed == NULL || !json_equal(object, changed)) {
			struct ratls_error err = {0};
			struct bundle b;

			n_refused++;
			if (changed != NULL && bundle_read(changed, &b, &err) == RATLS_OK)
				fail_msg("byte %zu", i);
			assert_true(changed == NULL || err.reason == REASON_BUNDLE_DIGEST ||
				    err.reason == REASON_BUNDLE_FORMAT);
		}
		json_decref(changed);
		text.p[i] ^= 1;
	}
	assert_true(n_refused > text.len / 2);
	json_decref(object);
	buf_done(&text);
}

/* What is put in the place of a member (NULL: nothing), and what the message has to name. */
static const struct {
	const char *in, *member, *value, *says;
	int code;
} malformed[] = {
	{NULL, "schema", "\"teesql.bundle/2\"", "teesql.bundle/2", RATLS_E_UNSUPPORTED},
	{NULL, "schema", "\"teesql.bundle/\"", "schema", RATLS_E_UNSUPPORTED},
	{NULL, "time", NULL, "\"time\"", RATLS_E_FORMAT},
	{NULL, "time", "1751600000", "\"time\"", RATLS_E_FORMAT},
	{NULL, "time", "\"2025-02-30T00:00:00Z\"", "\"time\"", RATLS_E_FORMAT},
	{NULL, "evidence", NULL, "\"evidence\"", RATLS_E_FORMAT},
	{NULL, "evidence", "[]", "\"evidence\"", RATLS_E_FORMAT},
	{NULL, "collateral", NULL, "\"collateral\"", RATLS_E_FORMAT},
	{NULL, "collateral", "\"\"", "\"collateral\"", RATLS_E_FORMAT},
	{NULL, "policy", NULL, "\"policy\"", RATLS_E_FORMAT},
	{NULL, "policy", "null", "\"policy\"", RATLS_E_FORMAT},
	{NULL, "report", NULL, "\"report\"", RATLS_E_FORMAT},
	{NULL, "report", "[]", "\"report\"", RATLS_E_FORMAT},
	{NULL, "more", "1", "\"more\"", RATLS_E_FORMAT},
	{"evidence", "kind", NULL, "\"kind\"", RATLS_E_FORMAT},
	{"evidence", "kind", "1", "\"kind\"", RATLS_E_FORMAT},
	{"evidence", "kind", "\"Quote\"", "\"kind\"", RATLS_E_FORMAT},
	{"evidence", "bytes", NULL, "\"bytes\"", RATLS_E_FORMAT},
	{"evidence", "bytes", "\"AA=\"", "\"bytes\"", RATLS_E_FORMAT},
	{"evidence", "bytes", "[]", "\"bytes\"", RATLS_E_FORMAT},
	{"evidence", "more", "1", "\"more\"", RATLS_E_FORMAT},
};

static void errors_name_the_member(void **state)
{
	struct buf text = written(BUNDLE_QUOTE, false);

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		json_t *object = parsed(&text);
		json_t *in = malformed[i].in != NULL ? json_object_get(object, malformed[i].in) : object;
		struct ratls_error err = {0};
		struct bundle b;
		int rc;

		if (malformed[i].value == NULL)
			json_object_del(in, malformed[i].member);
		else
			json_object_set_new(in, malformed[i].member,
				json_loads(malformed[i].value, JSON_DECODE_ANY, NULL));
		set_digest(object);
		rc = bundle_read(object, &b, &err);
		if (rc != malformed[i].code || err.reason != REASON_BUNDLE_FORMAT ||
			strstr(err.message, malformed[i].says) == NULL)
			fail_msg("row %zu: %d, %s", i, rc, err.message);
		json_decref(object);
	}
	buf_done(&text);
}

/* Their own readers refuse these: a digest that is right makes nothing true. */
static void what_is_in_it_is_read_strictly(void **state)
{
	const struct buf none = {0};
	struct buf text = written(BUNDLE_QUOTE, true);
	json_t *object = parsed(&text);
	struct ratls_endorsements *e = NULL;
	struct ratls_policy *p = NULL;
	struct ratls_error err = {0};
	struct bundle b;

	(void)state;
	json_object_set_new(json_object_get(object, "policy"), "mrtx", json_true());
	json_object_del(json_object_get(object, "collateral"), "pck_crl");
	set_digest(object);
	assert_int_equal(bundle_read(object, &b, NULL), RATLS_OK);
	assert_int_equal(bundle_policy(&b, &p, &err), RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_BUNDLE_FORMAT);
	assert_non_null(strstr(err.message, "mrtx"));
	assert_int_equal(bundle_endorsements(&b, &none, &e, &err), RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_BUNDLE_FORMAT);
	assert_non_null(strstr(err.message, "pck_crl"));
	bundle_done(&b);
	json_decref(object);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(trust_is_configured_for_bundles),
		cmocka_unit_test(without_collateral_there_is_none),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(errors_name_the_member),
		cmocka_unit_test(what_is_in_it_is_read_strictly),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
