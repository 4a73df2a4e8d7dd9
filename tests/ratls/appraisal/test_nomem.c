/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory runs out at every allocation in turn, ours and those of jansson: what comes out is an error, a
 * refusal, or the very report that comes out with memory enough; and nothing leaks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include <jansson.h>

#include "appraisal/json_bytes.h"
#include "appraisal/reported.h"
#include "evidence/cclog.h"
#include "mint.h"
#include "simulator/forge.h"

#define NOW INT64_C(1751600000)

static size_t countdown; /* of allocations: the one that reaches zero fails; 0: none does */
static bool failed;      /* one did */
static bool failed_in_jansson;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

static void *jansson_malloc(size_t size)
{
	void *p = __wrap_malloc(size);

	failed_in_jansson = failed_in_jansson || p == NULL;
	return p;
}

static struct forge_machine machine;
static struct forge_chain_made chain;
static struct buf collateral;
static struct mint mint;
static char *key_set;

/* A token about this machine, and the keys behind it. */
static int make_token(void)
{
	struct ratls_evidence *evidence = NULL;

	assert_int_equal(ratls_evidence_from_certificate(chain.cert[0].p, chain.cert[0].len, &evidence, NULL), RATLS_OK);
	mint_init(&mint, &evidence->quote.td, NOW);
	mint_nest(&mint);
	mint_make_keys(&mint);
	mint_sign(&mint);
	key_set = json_dumps(mint.jwks, JSON_COMPACT);
	ratls_evidence_free(evidence);
	return key_set != NULL ? 0 : -1;
}

static int make(void **state)
{
	static const uint8_t seed[FORGE_SEED_SIZE] = "nomem";
	struct forge_options options;
	struct forge_leaf leaf = {.key = forge_key(seed, "own key"), .now = NOW, .server_auth = true};

	(void)state;
	forge_defaults(&options, seed, NOW);
	assert_int_equal(forge_machine_make(&options, &machine, NULL), RATLS_OK);
	assert_int_equal(forge_machine_certificate(&machine, &leaf, &chain, NULL), RATLS_OK);
	assert_int_equal(forge_machine_collateral(&machine, &collateral, NULL), RATLS_OK);
	EVP_PKEY_free(leaf.key);
	return make_token();
}

static int done(void **state)
{
	(void)state;
	forge_chain_done(&chain);
	forge_machine_done(&machine);
	buf_done(&collateral);
	mint_done(&mint);
	mint_keys_done();
	free(key_set);
	return 0;
}

/* What could not be read, hashed or verified was not shown to be wrong. Not so where jansson ran out: it may leave a
 * character of a text out, and calls that a success. */
static void assert_accuses_nobody(const struct ratls_report *report)
{
	int class = report != NULL && !failed_in_jansson ? ratls_report_class(report) : RATLS_CLASS_ACCEPTED;

	if (class != RATLS_CLASS_ACCEPTED && class != RATLS_CLASS_UNDETERMINED)
		fail_msg("%s", ratls_report_message(report));
}

/* The report as JSON (the caller frees it), or NULL if there is none, when the n-th allocation fails. */
static char *appraise(size_t n, bool *ret_accepted)
{
	static const char policy_json[] = "{\"name\":\"n\",\"tcb_status\":[\"UpToDate\",{\"value\":\"OutOfDate\"}]}";
	const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_endorsements_options options = {.size = sizeof(options),
		.insecure_trust_root = machine.pki.cert[FORGE_ROOT].p,
		.insecure_trust_root_len = machine.pki.cert[FORGE_ROOT].len};
	struct ratls_evidence *evidence = NULL;
	struct ratls_endorsements *endorsements = NULL;
	struct ratls_policy *policy = NULL;
	struct ratls_report *report = NULL;
	const char *json = NULL;
	char *out;

	countdown = n;
	if (ratls_evidence_from_certificate(chain.cert[0].p, chain.cert[0].len, &evidence, NULL) == RATLS_OK &&
		ratls_endorsements_from_json(
			(const char *)collateral.p, collateral.len, &options, &endorsements, NULL) == RATLS_OK &&
		ratls_policy_from_json(policy_json, strlen(policy_json), &policy, NULL) == RATLS_OK &&
		ratls_appraise(evidence, endorsements, policy, &binding, NOW, &report, NULL) == RATLS_OK)
		json = ratls_report_json(report);
	countdown = 0;
	*ret_accepted = ratls_report_accepted(report);
	assert_accuses_nobody(report);
	out = json != NULL ? strdup(json) : NULL;
	ratls_report_free(report);
	ratls_policy_free(policy);
	ratls_endorsements_free(endorsements);
	ratls_evidence_free(evidence);
	return out;
}

/* The same of a token. */
static char *appraise_token(size_t n, bool *ret_accepted)
{
	const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	const struct ratls_endorsements_options root = {.size = sizeof(root),
		.insecure_trust_root = machine.pki.cert[FORGE_ROOT].p,
		.insecure_trust_root_len = machine.pki.cert[FORGE_ROOT].len};
	struct ita_items items = {.text = cur_of(mint.token, strlen(mint.token)),
		.keys_url = MINT_KEYS_URL,
		.crls = mint.lists,
		.n_crls = 2,
		.nonce = mint.nonce};
	struct appraisal_inputs in = {.verifiers = APPRAISED_ITA, .binding = &binding, .at = NOW};
	struct ratls_evidence *evidence = NULL;
	struct ratls_report *report = NULL;
	struct outcome o = {0};
	char *out = NULL;

	countdown = n;
	if (ratls_evidence_from_certificate(chain.cert[0].p, chain.cert[0].len, &evidence, NULL) == RATLS_OK &&
		endorsements_of_root(&root, &in.endorsements, NULL) == RATLS_OK &&
		jwks_new(cur_of(key_set, strlen(key_set)), &items.keys, &o) &&
		(in.token = ita_token_new(&items)) != NULL) {
		in.evidence = evidence;
		if (appraise_inputs(&in, &report, NULL) == RATLS_OK && ratls_report_json(report) != NULL)
			out = (char *)ratls_report_json(report);
	}
	countdown = 0;
	assert_accuses_nobody(report);
	*ret_accepted = ratls_report_accepted(report);
	out = out != NULL ? strdup(out) : NULL;
	ratls_report_free(report);
	ita_token_free(in.token);
	jwks_free(items.keys);
	ratls_endorsements_free(in.endorsements);
	ratls_evidence_free(evidence);
	return out;
}

static size_t exhaust(char *(*run)(size_t n, bool *ret_accepted))
{
	bool accepted;
	char *whole = run(0, &accepted);
	size_t n = 0;

	assert_true(accepted);
	do {
		char *json;

		failed = failed_in_jansson = false;
		json = run(++n, &accepted);
		/* Some failures change nothing: what was to be remembered for the next time is not. */
		if (json != NULL && accepted)
			assert_string_equal(json, whole);
		free(json);
	} while (failed);
	free(whole);
	return n;
}

static void an_error_never_becomes_acceptance(void **state)
{
	(void)state;
	assert_true(exhaust(appraise) > 500);
}

static void nor_of_a_token(void **state)
{
	(void)state;
	assert_true(exhaust(appraise_token) > 300);
}

/* json_dumps leaves out the names of members for which it has no memory, and calls that a success. */
static void a_text_of_json_is_whole_or_none(void **state)
{
	const size_t flags[] = {JSON_COMPACT, JSON_INDENT(2) | JSON_SORT_KEYS};
	json_t *object = json_object();
	char name[] = "a member with a long name 00";

	(void)state;
	for (int i = 0; i < 100; i++) {
		name[26] = (char)('0' + i / 10);
		name[27] = (char)('0' + i % 10);
		assert_int_equal(json_object_set_new(object, name, json_pack("[i, {s:i}]", i, "of it", i)), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		struct buf whole = {0};

		json_append(object, flags[i], &whole);
		assert_false(whole.bad);
		failed = true;
		for (size_t n = 1; failed; n++) {
			struct buf text = {0};

			failed = false;
			countdown = n;
			json_append(object, flags[i], &text);
			countdown = 0;
			assert_true(text.bad == failed);
			if (!text.bad) {
				assert_int_equal(text.len, whole.len);
				assert_memory_equal(text.p, whole.p, whole.len);
			}
			buf_done(&text);
		}
		buf_done(&whole);
	}
	json_decref(object);
}

/* No register is left out because its events could not be hashed. */
static void so_is_a_log_for_others(void **state)
{
	struct ratls_evidence *e = NULL;
	struct buf whole = {0};

	(void)state;
	assert_int_equal(ratls_evidence_from_certificate(chain.cert[0].p, chain.cert[0].len, &e, NULL), RATLS_OK);
	assert_int_equal(cclog_append(&e->log, &e->quote.td, &whole, NULL), RATLS_OK);
	assert_true(whole.len > 0);
	failed = true;
	for (size_t n = 1; failed; n++) {
		struct buf log = {0};
		int rc;

		failed = false;
		countdown = n;
		rc = cclog_append(&e->log, &e->quote.td, &log, NULL);
		countdown = 0;
		assert_int_equal(rc == RATLS_OK, !failed);
		assert_true(rc == RATLS_OK || rc == RATLS_E_NOMEM || rc == RATLS_E_CRYPTO);
		assert_true(failed || log.len == whole.len);
		buf_done(&log);
	}
	buf_done(&whole);
	ratls_evidence_free(e);
}

/* Nor is a policy said to be wrong for want of memory to look. */
static void so_is_a_reference_log(void **state)
{
	json_t *array = json_pack("[{s:i, s:i, s:s, s:s}]", "imr", 3, "event_type", EVENTLOG_RUNTIME_TYPE, "event",
		"compose-hash", "event_payload", "00112233");

	(void)state;
	assert_non_null(array);
	failed = true;
	for (size_t n = 1; failed; n++) {
		struct reference_log log = {0};
		int rc;

		failed = false;
		countdown = n;
		rc = reference_log_read(array, &log, NULL);
		countdown = 0;
		assert_int_equal(rc == RATLS_OK, !failed);
		assert_true(rc == RATLS_OK || rc == RATLS_E_NOMEM || rc == RATLS_E_CRYPTO);
		reference_log_done(&log);
	}
	json_decref(array);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_never_becomes_acceptance),
		cmocka_unit_test(nor_of_a_token),
		cmocka_unit_test(a_text_of_json_is_whole_or_none),
		cmocka_unit_test(so_is_a_log_for_others),
		cmocka_unit_test(so_is_a_reference_log),
	};

	json_set_alloc_funcs(jansson_malloc, free);
	return cmocka_run_group_tests(tests, make, done);
}
