/* SPDX-License-Identifier: Apache-2.0
 *
 * What a report says beside its verdict: what was not compared, and what would mend a refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "scene.h"

static void nothing_compared_is_said(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	assert_int_equal(scene_status(&s, RULE_POLICY_COMPARED), CHECK_WARN);
	scene_want(&s, "mrtd", s.options.quote.td.mrtd, 48);
	assert_int_equal(scene_status(&s, RULE_POLICY_COMPARED), CHECK_PASS);
	assert_int_equal(scene_status(&s, RULE_POLICY_RTMR0), CHECK_SKIPPED);
	scene_done(&s);
}

static void assert_compared(const struct scene *s, enum check_status status, const char *hint)
{
	struct ratls_report *report = scene_appraise_at(s, SCENE_NOW);
	const struct check *c = &report->checks[RULE_POLICY_COMPARED];

	assert_true(ratls_report_accepted(report));
	assert_int_equal(c->status, status);
	if (hint != NULL)
		assert_string_equal((const char *)report->text.p + c->hint - 1, hint);
	ratls_report_free(report);
}

/* Whoever chooses the kernel chooses what it extends RTMR3 by. */
static void claims_without_their_kernel_are_said(void **state)
{
	const struct quote_td *td;
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	td = &s.evidence->quote.td;
	scene_want(&s, "compose_hash", s.machine.compose_hash, 32);
	assert_compared(&s, CHECK_WARN,
		"compose_hash is compared, but not mrtd, rtmr1 and rtmr2: another kernel can say the same of itself");
	scene_want(&s, "mrtd", td->mrtd.p, 48);
	scene_want(&s, "app_id", s.machine.app_id, 20);
	scene_want(&s, "rtmr3", td->rtmr[3].p, 48);
	assert_compared(&s, CHECK_WARN,
		"compose_hash, app_id and rtmr3 are compared, but not rtmr1 and rtmr2: another kernel can say the same "
		"of itself");
	scene_want(&s, "rtmr1", td->rtmr[1].p, 48);
	assert_compared(&s, CHECK_WARN,
		"compose_hash, app_id and rtmr3 are compared, but not rtmr2: another kernel can say the same of itself");
	scene_want(&s, "rtmr2", td->rtmr[2].p, 48);
	assert_compared(&s, CHECK_PASS, NULL);
	scene_done(&s);
}

static const char *hint_of(const struct ratls_report *report, enum rule rule)
{
	return (const char *)report->text.p + report->checks[rule].hint - 1;
}

static void assert_refused_with(struct scene *s, const char *policy, enum rule rule, const char *part)
{
	struct ratls_report *report;

	assert_int_equal(ratls_policy_from_json(policy, strlen(policy), &s->policy, NULL), RATLS_OK);
	report = scene_appraise_at(s, SCENE_NOW);
	assert_int_equal(report->checks[rule].status, CHECK_FAIL);
	if (strstr(hint_of(report, rule), part) == NULL)
		fail_msg("%s", hint_of(report, rule));
	ratls_report_free(report);
	ratls_policy_free(s->policy);
	s->policy = NULL;
}

/* What stands in the policy, at another time than now, is not told as another value. */
static void a_window_that_is_not_open_is_said(void **state)
{
	char mrtd[97], policy[256];
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	hex_encode(s.evidence->quote.td.mrtd.p, 48, mrtd);
	snprintf(policy, sizeof(policy), "{\"mrtd\":[{\"value\":\"%s\",\"until\":100}]}", mrtd);
	assert_refused_with(&s, policy, RULE_POLICY_MRTD, "which the policy accepted until 1970-01-01T00:01:40Z only");
	snprintf(policy, sizeof(policy), "{\"mrtd\":[{\"value\":\"%s\",\"from\":4000000000}]}", mrtd);
	assert_refused_with(&s, policy, RULE_POLICY_MRTD, "which the policy accepts from 2096-10-02T07:06:40Z on only");
	scene_done(&s);
}

static void a_status_that_needs_nothing_is_not_blamed(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	assert_refused_with(&s, "{\"tcb_status\":[\"OutOfDate\"]}", RULE_TCB_STATUS,
		"UpToDate: there is nothing to be done, but the policy does not accept it");
	scene_done(&s);
}

static void documents_of_two_evaluations_are_said(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.options.collateral.qe_identity.document.evaluation_number++;
	scene_make(&s);
	assert_int_equal(scene_reason(&s), 0);
	assert_int_equal(scene_status(&s, RULE_TCB_EVALUATION), CHECK_WARN);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_compared_is_said),
		cmocka_unit_test(claims_without_their_kernel_are_said),
		cmocka_unit_test(a_window_that_is_not_open_is_said),
		cmocka_unit_test(a_status_that_needs_nothing_is_not_blamed),
		cmocka_unit_test(documents_of_two_evaluations_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
