/* SPDX-License-Identifier: Apache-2.0
 *
 * A real quote with the collateral that Intel published for it, where the vectors of others are present.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "appraisal/report.h"
#include "base/file.h"

#define FIRST INT64_C(1750329147) /* the latest of the beginnings: of QE identity */
#define LAST  INT64_C(1752919235) /* the earliest of the ends: of the PCK CRL */

static struct buf quote, collateral;

static bool load(const char *name, struct buf *ret)
{
	const char *folder = getenv("RATLS_VECTORS");
	char path[4096];

	if (folder == NULL)
		return false;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return file_read(path, (size_t)1 << 20, ret, NULL) == RATLS_OK;
}

static struct ratls_endorsements *endorse(const char *json, size_t len)
{
	struct ratls_endorsements *e = NULL;

	ratls_endorsements_from_json(json, len, NULL, &e, NULL);
	return e;
}

/* The report on a quote; NULL if it is refused as evidence. */
static struct ratls_report *appraise(const uint8_t *bytes, size_t len, const struct ratls_endorsements *e,
	int64_t at)
{
	const struct ratls_binding binding = {.kind = RATLS_BINDING_NONE};
	struct ratls_evidence *evidence = NULL;
	struct ratls_report *report = NULL;

	if (ratls_evidence_from_quote(bytes, len, &evidence, NULL) != RATLS_OK)
		return NULL;
	assert_int_equal(ratls_appraise(evidence, e, NULL, &binding, at, &report, NULL), RATLS_OK);
	ratls_evidence_free(evidence);
	return report;
}

static int reason_at_time(int64_t at)
{
	struct ratls_endorsements *e = endorse((const char *)collateral.p, collateral.len);
	struct ratls_report *report = appraise(quote.p, quote.len, e, at);
	int reason = report_reason(report);

	assert_int_equal(ratls_report_accepted(report), reason == 0);
	if (reason == 0) {
		assert_string_equal(report_tcb_status(report), "UpToDate");
		assert_int_equal(ratls_report_valid_until(report), LAST);
	}
	ratls_report_free(report);
	ratls_endorsements_free(e);
	return reason;
}

static void accepted_while_its_collateral_holds(void **state)
{
	(void)state;
	assert_int_equal(reason_at_time(1751600000), 0);
	assert_int_equal(reason_at_time(FIRST), 0);
	assert_int_equal(reason_at_time(LAST), 0);
}

static void refused_one_second_outside(void **state)
{
	(void)state;
	assert_int_equal(reason_at_time(FIRST - 1), REASON_QEID_TIME);
	assert_int_equal(reason_at_time(LAST + 1), REASON_CRL_PCK_TIME);
	assert_int_equal(reason_at_time(0), REASON_CLOCK_PLAUSIBLE);
}

static void no_advisories(void **state)
{
	struct ratls_endorsements *e = endorse((const char *)collateral.p, collateral.len);
	struct ratls_report *report = appraise(quote.p, quote.len, e, 1751600000);
	json_t *json = json_loads(ratls_report_json(report), 0, NULL);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(json_object_get(json, "tcb"), "advisories")), 0);
	assert_string_equal(json_string_value(json_object_get(json_object_get(json, "evidence"), "fmspc")),
		"b0c06f000000");
	json_decref(json);
	ratls_report_free(report);
	ratls_endorsements_free(e);
}

/* One bit of every byte, another one each time. */
static void every_byte_of_the_quote_counts(void **state)
{
	struct ratls_endorsements *e = endorse((const char *)collateral.p, collateral.len);

	(void)state;
	for (size_t i = 0; i < quote.len; i++) {
		struct ratls_report *report;

		quote.p[i] ^= (uint8_t)(1u << i % 8);
		report = appraise(quote.p, quote.len, e, 1751600000);
		if (ratls_report_accepted(report))
			fail_msg("a quote with byte %zu changed is accepted", i);
		if (report != NULL && ratls_report_class(report) != CLASS_AUTHENTICITY &&
			ratls_report_class(report) != CLASS_EVIDENCE)
			fail_msg("byte %zu changed: %s", i, ratls_report_message(report));
		ratls_report_free(report);
		quote.p[i] ^= (uint8_t)(1u << i % 8);
	}
	ratls_endorsements_free(e);
}

static bool same_hex(char a, char b)
{
	return isxdigit((unsigned char)a) && tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Is the quote accepted with this item of the collateral replaced? */
static bool accepted_with(json_t *items, const char *name, const char *text, size_t len)
{
	struct ratls_endorsements *e;
	struct ratls_report *report;
	char *json;
	bool accepted;

	json_object_set_new(items, name, json_stringn(text, len));
	json = json_dumps(items, 0);
	e = endorse(json, strlen(json));
	report = appraise(quote.p, quote.len, e, 1751600000);
	accepted = ratls_report_accepted(report);
	ratls_report_free(report);
	ratls_endorsements_free(e);
	free(json);
	return accepted;
}

static void every_byte_of_an_item_counts(const json_t *whole, const char *name, bool hex)
{
	const char *original = json_string_value(json_object_get(whole, name));
	size_t len = strlen(original);
	json_t *items = json_copy((json_t *)whole);
	char *text = strdup(original);

	assert_true(accepted_with(items, name, text, len));
	for (size_t i = 0; i < len; i += 11) {
		text[i] = (char)(text[i] ^ (1 << i % 7));
		if (!(hex && same_hex(text[i], original[i])) && accepted_with(items, name, text, len))
			fail_msg("%s with byte %zu changed is accepted", name, i);
		text[i] = original[i];
	}
	free(text);
	json_decref(items);
}

static void every_byte_of_the_collateral_counts(void **state)
{
	json_t *whole = json_loadb((const char *)collateral.p, collateral.len, 0, NULL);

	(void)state;
	every_byte_of_an_item_counts(whole, "pck_crl_issuer_chain", false);
	every_byte_of_an_item_counts(whole, "root_ca_crl", true);
	every_byte_of_an_item_counts(whole, "pck_crl", true);
	every_byte_of_an_item_counts(whole, "tcb_info_issuer_chain", false);
	every_byte_of_an_item_counts(whole, "tcb_info", false);
	every_byte_of_an_item_counts(whole, "tcb_info_signature", true);
	every_byte_of_an_item_counts(whole, "qe_identity_issuer_chain", false);
	every_byte_of_an_item_counts(whole, "qe_identity", false);
	every_byte_of_an_item_counts(whole, "qe_identity_signature", true);
	json_decref(whole);
}

static void collateral_of_another_platform_proves_nothing(void **state)
{
	struct buf sgx = {0};
	struct ratls_endorsements *e;
	struct ratls_report *report;

	(void)state;
	if (!load("sgx_v3.collateral.json", &sgx))
		skip();
	e = endorse((const char *)sgx.p, sgx.len);
	report = appraise(quote.p, quote.len, e, 1751600000);
	assert_false(ratls_report_accepted(report));
	ratls_report_free(report);
	ratls_endorsements_free(e);
	buf_done(&sgx);
}

static void an_sgx_quote_is_no_evidence(void **state)
{
	struct ratls_evidence *evidence = NULL;
	struct buf sgx = {0};

	(void)state;
	if (!load("sgx_v3.quote", &sgx))
		skip();
	assert_int_equal(ratls_evidence_from_quote(sgx.p, sgx.len, &evidence, NULL), RATLS_E_UNSUPPORTED);
	buf_done(&sgx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_while_its_collateral_holds),
		cmocka_unit_test(refused_one_second_outside),
		cmocka_unit_test(no_advisories),
		cmocka_unit_test(every_byte_of_the_quote_counts),
		cmocka_unit_test(every_byte_of_the_collateral_counts),
		cmocka_unit_test(collateral_of_another_platform_proves_nothing),
		cmocka_unit_test(an_sgx_quote_is_no_evidence),
	};
	int rc = 0;

	if (load("tdx_v4_uptodate.quote", &quote) && load("tdx_v4_uptodate.collateral.json", &collateral))
		rc = cmocka_run_group_tests(tests, NULL, NULL);
	else
		printf("no vectors: nothing was tested\n");
	buf_done(&quote);
	buf_done(&collateral);
	return rc;
}
