/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "appraisal/endorsed.h"
#include "appraisal/platform_id.h"
#include "appraisal/root.h"
#include "appraisal/slice.h"
#include "sample.h"

static struct ecdsa_keys keys;

/* ---- envelopes ---- */

static void slices_are_the_bytes_received(void **state)
{
	static const char *const envelopes[] = {
		"{\"tcbInfo\":{\"a\":\"}\\\"{\",\"b\":[{}]},\"signature\":\"00ff\"}",
		"{\"signature\":\"00ff\",\"tcbInfo\":{\"a\":\"}\\\"{\",\"b\":[{}]}}",
		" {\n\t\"tcbInfo\" : {\"a\":\"}\\\"{\",\"b\":[{}]} , \"signature\" : \"00ff\" } \r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(envelopes) / sizeof(envelopes[0]); i++) {
		struct cur object, signature;

		assert_int_equal(slice_envelope(cur_of(envelopes[i], strlen(envelopes[i])), "tcbInfo", &object,
					 &signature, NULL),
			RATLS_OK);
		assert_true(cur_is_str(&object, "{\"a\":\"}\\\"{\",\"b\":[{}]}"));
		assert_true(cur_is_str(&signature, "00ff"));
	}
}

/* Rows 114 to 116, 151, 159 and 160 of the list of known bad cases. */
static void other_envelopes_are_refused(void **state)
{
	static const char *const envelopes[] = {
		"",
		"null",
		"x \n ",
		"[]",
		"{}",
		"{\"tcbInfo\":{}}",
		"{\"signature\":\"00\"}",
		"{\"tcbInfo\":[],\"signature\":\"00\"}",
		"{\"tcbInfo\":\"{}\",\"signature\":\"00\"}",
		"{\"tcbInfo\":1,\"signature\":\"00\"}",
		"{\"tcbInfo\":},\"signature\":\"00\"}",
		"{\"tcbInfo\":{},\"signature\":00}",
		"{\"tcbInfo\":{},\"signature\":null}",
		"{\"tcbInfo\":{},\"tcbInfo\":{},\"signature\":\"00\"}",
		"{\"tcbInfo\":{},\"signature\":\"00\",\"signature\":\"00\"}",
		"{\"tcbInfo\":{},\"tcbInfo\":{}}",
		"{\"tcbInfo\":{},\"signature\":\"00\",\"x\":1}",
		"{\"tcbInfo\":{},\"signature\":\"00\"}x",
		"{\"tcbInfo\":{},\"signature\":\"00\"",
		"{\"tcbInfo\":{,\"signature\":\"00\"}",
		"{\"tcbInfo\":{\"a\":\"},\"signature\":\"00\"}",
		"{\"tcbInfo\":{}\"signature\":\"00\"}",
		"{\"tcb\\u0049nfo\":{},\"signature\":\"00\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(envelopes) / sizeof(envelopes[0]); i++) {
		struct cur object = {0}, signature = {0};

		if (slice_envelope(cur_of(envelopes[i], strlen(envelopes[i])), "tcbInfo", &object, &signature,
			    NULL) != RATLS_E_FORMAT ||
			object.p != NULL)
			fail_msg("%s", envelopes[i]);
	}
}

static void every_truncated_envelope_is_refused(void **state)
{
	static const char whole[] = "{\"tcbInfo\":{\"a\":[{}]},\"signature\":\"00ff\"}";
	struct cur object, signature;

	(void)state;
	for (size_t n = 0; n < strlen(whole); n++)
		assert_int_equal(slice_envelope(cur_of(whole, n), "tcbInfo", &object, &signature, NULL),
			RATLS_E_FORMAT);
}

static void forged_envelopes_are_sliced(void **state)
{
	struct forge_collateral made = {0};
	struct buf envelope = {0};
	struct cur object, signature;
	struct sample s;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	sample_make(&s);
	assert_int_equal(forge_collateral_make(&s.collateral, &s.made, &made, NULL), RATLS_OK);
	forge_qe_identity_envelope(&made, &envelope);
	assert_int_equal(slice_envelope(cur_of(envelope.p, envelope.len), "enclaveIdentity", &object, &signature,
				 NULL),
		RATLS_OK);
	assert_true(cur_is(&object, made.qe_identity.p, made.qe_identity.len));
	assert_true(cur_is_str(&signature, made.qe_identity_signature));
	buf_done(&envelope);
	forge_collateral_done(&made);
	sample_done(&s);
}

/* ---- files ---- */

static int from_json(const json_t *object, const struct ratls_endorsements_options *options,
	struct ratls_endorsements **ret)
{
	char *text = json_dumps(object, JSON_ENCODE_ANY);
	int rc = ratls_endorsements_from_json(text, strlen(text), options, ret, NULL);

	free(text);
	return rc;
}

static void every_item_is_needed(void **state)
{
	struct ratls_endorsements *e = NULL;
	struct sample s;
	const char *name;
	json_t *item;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	sample_make(&s);
	json_object_foreach(s.items, name, item) {
		json_t *less = json_copy(s.items);

		if (strcmp(name, "pck_certificate_chain") == 0)
			continue;
		json_object_del(less, name);
		assert_int_equal(from_json(less, NULL, &e), RATLS_E_FORMAT);
		json_object_set_new(less, name, json_integer(1));
		assert_int_equal(from_json(less, NULL, &e), RATLS_E_FORMAT);
		json_decref(less);
	}
	assert_null(e);
	sample_done(&s);
}

static void what_is_no_object_is_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"", "line 1: "},
		{"{", "line 1: "},
		{"[]", "could not read endorsements: not an object"},
		{"null", "line 1: "},
		{"{}x", "line 1: "},
		{"{\n\"a\":1,\"a\":1}", "line 2: "},
		{"{\"a\":\"\\u0000\"}", "line 1: a text holds a NUL character"},
	};
	struct ratls_endorsements *e = NULL;
	struct ratls_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ratls_endorsements_from_json(rows[i].text, strlen(rows[i].text), NULL, &e, &err),
			RATLS_E_FORMAT);
		if (strstr(err.message, rows[i].message) == NULL)
			fail_msg("%s: %s", rows[i].text, err.message);
	}
	assert_int_equal(ratls_endorsements_from_json(NULL, 0, NULL, &e, NULL), RATLS_E_ARG);
	assert_null(e);
}

static void items_are_bounded(void **state)
{
	struct ratls_endorsements *e = NULL;
	char *large = malloc(ENDORSEMENTS_ITEM_MAX + 2);
	struct sample s;

	(void)state;
	memset(large, '0', ENDORSEMENTS_ITEM_MAX + 1);
	large[ENDORSEMENTS_ITEM_MAX + 1] = '\0';
	sample_init(&s, SAMPLE_V4);
	sample_make(&s);
	sample_set(&s, "pck_crl", large);
	assert_int_equal(from_json(s.items, NULL, &e), RATLS_E_FORMAT);
	sample_set(&s, "pck_crl", large + 1); /* bad, but of a size that is looked at */
	assert_int_equal(from_json(s.items, NULL, &e), RATLS_OK);
	ratls_endorsements_free(e);
	sample_done(&s);
	free(large);
}

/* A chain that the quote does not carry may come with the collateral. */
static void chain_may_come_with_the_collateral(void **state)
{
	struct ratls_report *report;
	struct buf chain = {0};
	struct sample s;
	char *text;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	s.quote.names_pck = true;
	sample_make(&s);
	forge_pki_pck_chain(&s.made, &chain);
	text = buf_take_str(&chain);
	sample_set(&s, "pck_certificate_chain", text);
	report = sample_appraise(&s);
	assert_int_equal(report_reason(report), 0);
	ratls_report_free(report);
	free(text);
	sample_done(&s);
}

/* What was taken in is kept as it was; lists that came in DER are written as hex. */
static void items_are_kept_as_they_were(void **state)
{
	struct ratls_endorsements_options options = {.size = sizeof(options)};
	struct ratls_endorsements *e = NULL, *again = NULL;
	struct endorsement_items items;
	json_t *object = NULL;
	struct sample s;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	sample_make(&s);
	options.insecure_trust_root = s.anchor->p;
	options.insecure_trust_root_len = s.anchor->len;
	assert_int_equal(from_json(s.items, &options, &e), RATLS_OK);
	assert_int_equal(endorsements_object(e, &object, NULL), RATLS_OK);
	assert_true(json_equal(object, s.items));
	json_decref(object);

	items = e->endorsed->items;
	items.root_ca_crl = cur_of(s.made.crl[FORGE_ROOT_CRL].p, s.made.crl[FORGE_ROOT_CRL].len);
	items.pck_certificate_chain = cur_of("chain", 5);
	assert_int_equal(endorsements_new(&items, &options, &again, NULL), RATLS_OK);
	assert_int_equal(endorsements_object(again, &object, NULL), RATLS_OK);
	assert_string_equal(json_string_value(json_object_get(object, "pck_certificate_chain")), "chain");
	ratls_endorsements_free(e);
	e = NULL;
	assert_int_equal(endorsements_from_object(object, "test", &options, &e, NULL), RATLS_OK);
	assert_int_equal(e->endorsed->root_crl.outcome.status, CHECK_PASS);
	assert_int_equal(endorsements_valid_until(e), endorsements_valid_until(again));
	json_decref(object);
	ratls_endorsements_free(again);

	items = e->endorsed->items;
	items.tcb_info = cur_of("\xff", 1);
	assert_int_equal(endorsements_new(&items, &options, &again, NULL), RATLS_OK);
	assert_int_equal(endorsements_object(again, &object, NULL), RATLS_E_FORMAT);
	ratls_endorsements_free(again);
	ratls_endorsements_free(e);
	sample_done(&s);
}

/* Nothing is verified again to say something beside it, and what was said stays. */
static void labels_share_what_was_checked(void **state)
{
	struct ratls_endorsements *e = NULL, *remarked = NULL, *with_pck = NULL;
	struct ratls_endorsements_options options = {.size = sizeof(options)};
	struct sample s;
	struct cur chain;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	sample_make(&s);
	options.insecure_trust_root = s.anchor->p;
	options.insecure_trust_root_len = s.anchor->len;
	assert_int_equal(from_json(s.items, &options, &e), RATLS_OK);
	assert_int_equal(endorsements_remark(e, 4711, "gone \n away", &remarked, NULL), RATLS_OK);
	assert_int_equal(endorsements_with_pck(remarked, cur_of("chain", 5), &with_pck, NULL), RATLS_OK);
	assert_ptr_equal(with_pck->endorsed, e->endorsed);
	assert_null(e->remark);
	assert_int_equal(endorsements_pck_chain(remarked).left, 0);
	ratls_endorsements_free(e);
	ratls_endorsements_free(remarked);
	assert_string_equal(with_pck->source, "file");
	assert_string_equal(with_pck->remark, "gone ? away");
	assert_int_equal(with_pck->remark_since, 4711);
	chain = endorsements_pck_chain(with_pck);
	assert_true(cur_is_str(&chain, "chain"));
	assert_int_equal(endorsements_check(with_pck, NULL, NULL), RATLS_OK);
	ratls_endorsements_free(with_pck);
	sample_done(&s);
}

/* Rows 66 and 67: the trust anchor is configuration, and a bad one is an error, not a verdict. */
static void bad_anchors_are_errors(void **state)
{
	struct ratls_endorsements_options options = {.size = sizeof(options)};
	struct ratls_endorsements *e = NULL;
	struct sample s;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	sample_make(&s);
	options.insecure_trust_root = s.made.cert[FORGE_PCK_CA].p; /* not signed by itself */
	options.insecure_trust_root_len = s.made.cert[FORGE_PCK_CA].len;
	assert_int_equal(from_json(s.items, &options, &e), RATLS_E_ARG);
	options.insecure_trust_root = s.made.cert[FORGE_ROOT].p;
	options.insecure_trust_root_len = s.made.cert[FORGE_ROOT].len - 1;
	assert_int_equal(from_json(s.items, &options, &e), RATLS_E_ARG);
	options.insecure_trust_root_len++;
	options.size = 0;
	assert_int_equal(from_json(s.items, &options, &e), RATLS_E_ARG);
	assert_null(e);
	sample_done(&s);
}

/* It is a matter of configuration, and says nothing of a peer or of collateral. */
static void a_bad_anchor_is_the_configurations(void **state)
{
	const enum forge_role roles[] = {FORGE_PCK_CA, FORGE_ROOT};
	struct ratls_error err;
	struct cert root = {0};
	struct sample s;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	s.pki.cert[FORGE_ROOT].issuer_cn = "Intel SGX Other Root CA";
	sample_make(&s);
	for (size_t i = 0; i < 2; i++) {
		const struct buf *der = &s.made.cert[roles[i]];

		assert_int_equal(root_load(cur_of(der->p, der->len), &keys, &root, &err), RATLS_E_ARG);
		assert_int_equal(err.reason, REASON_FILE);
		assert_non_null(strstr(err.message, "is not signed by itself"));
		assert_int_equal(root_load(cur_of(der->p, der->len - 1), &keys, &root, &err), RATLS_E_ARG);
		assert_int_equal(err.reason, REASON_FILE);
	}
	assert_false(cert_there(&root));
	sample_done(&s);
}

/* Invariant trust_is_configured: without a configured root it is Intel's, and a development root is none. */
static void trust_is_configured(void **state)
{
	const struct ratls_binding none = {.kind = RATLS_BINDING_NONE};
	struct ratls_endorsements *e = NULL;
	struct ratls_evidence *evidence = NULL;
	struct ratls_report *report = NULL;
	struct sample s;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	sample_make(&s);
	assert_int_equal(from_json(s.items, NULL, &e), RATLS_OK);
	assert_false(e->endorsed->development);
	assert_int_equal(endorsements_valid_until(e), 0);
	assert_int_equal(ratls_evidence_from_quote(s.bytes.p, s.bytes.len, &evidence, NULL), RATLS_OK);
	assert_int_equal(ratls_appraise(evidence, e, NULL, &none, SAMPLE_NOW, &report, NULL), RATLS_OK);
	assert_int_equal(report_reason(report), REASON_PCK_ROOT);
	ratls_report_free(report);
	ratls_evidence_free(evidence);
	ratls_endorsements_free(e);
	sample_done(&s);
}

static void intel_root_is_what_intel_publishes(void **state)
{
	struct cur der = root_intel();
	struct outcome o = {0};
	struct cert root = {0};

	(void)state;
	assert_int_equal(root_load(der, &keys, &root, NULL), RATLS_OK);
	assert_string_equal(root.name, "Intel SGX Root CA");
	assert_true(cert_check_signature(&root, &root, &keys, &o));
	assert_int_equal(root.not_after, INT64_C(2524607999)); /* 2049-12-31T23:59:59Z */
	cert_done(&root);
}

static void end_is_the_earliest(void **state)
{
	struct ratls_endorsements_options options = {.size = sizeof(options)};
	struct ratls_endorsements *e = NULL;
	struct sample s;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	s.collateral.qe_identity.document.next_update = SAMPLE_NOW + 5;
	sample_make(&s);
	options.insecure_trust_root = s.anchor->p;
	options.insecure_trust_root_len = s.anchor->len;
	assert_int_equal(from_json(s.items, &options, &e), RATLS_OK);
	assert_int_equal(endorsements_valid_until(e), SAMPLE_NOW + 5);
	ratls_endorsements_free(e);
	sample_done(&s);
}

/* What could not be refreshed is as good as it was, and says so, whatever the service's words were. */
static void a_remark_changes_no_verdict_and_is_shown(void **state)
{
	struct ratls_endorsements_options options = {.size = sizeof(options)};
	struct ratls_endorsements *e = NULL, *remarked = NULL;
	struct ratls_evidence *evidence = NULL;
	struct ratls_report *report = NULL;
	struct sample s;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	sample_make(&s);
	options.insecure_trust_root = s.anchor->p;
	options.insecure_trust_root_len = s.anchor->len;
	assert_int_equal(from_json(s.items, &options, &e), RATLS_OK);
	assert_int_equal(endorsements_remark(e, SAMPLE_NOW - 60, "it said \x1b[31m\xff", &remarked, NULL), RATLS_OK);
	assert_int_equal(endorsements_check(remarked, NULL, NULL), RATLS_OK);
	assert_int_equal(endorsements_valid_until(remarked), endorsements_valid_until(e));
	assert_int_equal(ratls_evidence_from_quote(s.bytes.p, s.bytes.len, &evidence, NULL), RATLS_OK);
	assert_int_equal(ratls_appraise(evidence, e, NULL, &s.binding, SAMPLE_NOW, &report, NULL), RATLS_OK);
	assert_true(ratls_report_accepted(report));
	assert_null(report_degraded(report));
	assert_non_null(strstr(ratls_report_json(report), "\"collateral_degraded\":null"));
	ratls_report_free(report);
	assert_int_equal(ratls_appraise(evidence, remarked, NULL, &s.binding, SAMPLE_NOW, &report, NULL), RATLS_OK);
	assert_true(ratls_report_accepted(report));
	assert_non_null(strstr(report_degraded(report), "it said ?[31m?"));
	assert_non_null(strstr(ratls_report_json(report), "\"reason\":\"it said ?[31m?\""));
	ratls_report_free(report);
	ratls_evidence_free(evidence);
	ratls_endorsements_free(remarked);
	ratls_endorsements_free(e);
	sample_done(&s);
}

/* ---- which platform it is ---- */

static void platform_is_read_without_trust(void **state)
{
	struct ratls_evidence *evidence = NULL;
	struct platform_id id;
	struct sample s;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	s.pki.cert[FORGE_PCK].signed_by = "another";
	sample_make(&s);
	assert_int_equal(ratls_evidence_from_quote(s.bytes.p, s.bytes.len, &evidence, NULL), RATLS_OK);
	assert_int_equal(platform_id_of(evidence, &id, NULL), RATLS_OK);
	assert_memory_equal(id.fmspc, forge_fmspc_default, sizeof(id.fmspc));
	assert_memory_equal(id.ppid, s.pki.sgx.ppid, sizeof(id.ppid));
	assert_int_equal(id.ca, PLATFORM_CA_PLATFORM);
	ratls_evidence_free(evidence);
	sample_done(&s);
}

static int platform_error(void (*spoil)(struct sample *))
{
	struct ratls_evidence *evidence = NULL;
	struct platform_id id;
	struct sample s;
	int rc;

	sample_init(&s, SAMPLE_V4);
	spoil(&s);
	sample_make(&s);
	assert_int_equal(ratls_evidence_from_quote(s.bytes.p, s.bytes.len, &evidence, NULL), RATLS_OK);
	rc = platform_id_of(evidence, &id, NULL);
	ratls_evidence_free(evidence);
	sample_done(&s);
	return rc;
}

static void not_carried(struct sample *s)
{
	s->quote.inner_type = 2;
}

static void no_extension(struct sample *s)
{
	s->pki.cert[FORGE_PCK].omit = FORGE_SGX;
}

static void no_chain(struct sample *s)
{
	s->quote.certification = cur_of("hello", 5);
}

static void platforms_that_are_not_named(void **state)
{
	(void)state;
	assert_int_equal(platform_error(not_carried), RATLS_E_UNSUPPORTED);
	assert_int_equal(platform_error(no_extension), RATLS_E_FORMAT);
	assert_int_equal(platform_error(no_chain), RATLS_E_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_are_the_bytes_received),
		cmocka_unit_test(other_envelopes_are_refused),
		cmocka_unit_test(every_truncated_envelope_is_refused),
		cmocka_unit_test(forged_envelopes_are_sliced),
		cmocka_unit_test(every_item_is_needed),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(items_are_bounded),
		cmocka_unit_test(chain_may_come_with_the_collateral),
		cmocka_unit_test(items_are_kept_as_they_were),
		cmocka_unit_test(labels_share_what_was_checked),
		cmocka_unit_test(bad_anchors_are_errors),
		cmocka_unit_test(a_bad_anchor_is_the_configurations),
		cmocka_unit_test(trust_is_configured),
		cmocka_unit_test(intel_root_is_what_intel_publishes),
		cmocka_unit_test(end_is_the_earliest),
		cmocka_unit_test(a_remark_changes_no_verdict_and_is_shown),
		cmocka_unit_test(platform_is_read_without_trust),
		cmocka_unit_test(platforms_that_are_not_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
