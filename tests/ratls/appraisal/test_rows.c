/* SPDX-License-Identifier: Apache-2.0
 *
 * Every known way to be wrong, one thing at a time and in every form of quote, is refused by the rule that is
 * there for it.
 *
 * Numbers in the names of rows are those of the list of known bad cases. Of these, elsewhere:
 *   1 to 36, 39, 42   the framing of quotes: tests/ratls/evidence/test_quote.c
 *   66, 67            bad trust anchors, which are errors and no verdicts: test_endorsements.c
 *   114 to 116, 159   envelopes of documents: test_endorsements.c
 * and what does not apply:
 *   40, 41, 79        missing pointers and sizes that a caller repeats: arguments, which are errors here
 *   54, 55            a root that does not sign itself: the root in a chain is compared byte for byte
 *   97                hex taken for DER: lists are taken in every form
 *   100, 111          names and chains of the issuers of lists: these are chains like the others
 *   155, 176          SGX quotes: these are no evidence at all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"

static void chains(void **state)
{
	(void)state;
	rows_run(rows_chain, n_rows_chain, false);
}

static void sgx_extensions(void **state)
{
	(void)state;
	rows_run(rows_sgx, n_rows_sgx, false);
}

static void revocation(void **state)
{
	(void)state;
	rows_run(rows_crl, n_rows_crl, false);
}

static void documents(void **state)
{
	(void)state;
	rows_run(rows_documents, n_rows_documents, false);
}

static void quotes(void **state)
{
	(void)state;
	rows_run(rows_quote, n_rows_quote, true);
}

static void statuses(void **state)
{
	(void)state;
	rows_run(rows_tcb, n_rows_tcb, true);
}

static void policies(void **state)
{
	(void)state;
	rows_run(rows_td, n_rows_td, true);
}

static bool has_row(const struct row *rows, size_t n, int reason)
{
	for (size_t i = 0; i < n; i++)
		if ((int)rows[i].reason == reason)
			return true;
	return false;
}

/* Tested elsewhere, since bare quotes do not get there or nothing makes them fail. */
static bool is_tested_elsewhere(int reason)
{
	static const enum reason elsewhere[] = {REASON_COLLATERAL_PRESENT, REASON_COLLATERAL_REFRESH,
		REASON_CERTIFICATE_TIME,
		REASON_LOG_RTMR0, REASON_LOG_RTMR1, REASON_LOG_RTMR2, REASON_LOG_RTMR3, REASON_LOG_CLAIMS,
		REASON_POLICY_COMPARED, REASON_TCB_EVALUATION};

	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if ((int)elsewhere[i] == reason)
			return true;
	return false;
}

static void every_rule_refuses_something(void **state)
{
	struct ratls_report *report;
	struct report_check check;
	struct sample s;

	(void)state;
	sample_init(&s, SAMPLE_V4);
	sample_make(&s);
	report = sample_appraise(&s);
	for (size_t i = 0; report_check_at(report, i, &check); i++) {
		int reason = reason_find_id(check.id)->number;

		if (!is_tested_elsewhere(reason) && !has_row(rows_chain, n_rows_chain, reason) &&
			!has_row(rows_sgx, n_rows_sgx, reason) && !has_row(rows_crl, n_rows_crl, reason) &&
			!has_row(rows_documents, n_rows_documents, reason) &&
			!has_row(rows_quote, n_rows_quote, reason) && !has_row(rows_tcb, n_rows_tcb, reason) &&
			!has_row(rows_td, n_rows_td, reason))
			fail_msg("no row is refused by %s", check.id);
	}
	ratls_report_free(report);
	sample_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains), cmocka_unit_test(sgx_extensions), cmocka_unit_test(revocation),
		cmocka_unit_test(documents), cmocka_unit_test(quotes), cmocka_unit_test(statuses),
		cmocka_unit_test(policies),
		cmocka_unit_test(every_rule_refuses_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
