/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports: what opens the door, which reason comes first, and what stands in the JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "scene.h"

/* ---- the verdict ---- */

/* Invariant unknown_is_no: a report in which nothing was judged refuses. */
static void unknown_is_no(void **state)
{
	static struct ratls_report zeroed;

	(void)state;
	assert_false(ratls_report_accepted(&zeroed));
	assert_int_equal(ratls_report_class(&zeroed), CLASS_UNDETERMINED);
	assert_false(ratls_report_accepted(NULL));
	assert_int_equal(ratls_report_class(NULL), CLASS_UNDETERMINED);
}

/* Each rule alone stands in the way: when it failed, when it was not judged, and, of most, when it was
 * skipped. */
static void every_rule_counts(void **state)
{
	static struct ratls_report report;

	(void)state;
	for (enum rule i = 0; i < RULE_COUNT; i++)
		report.checks[i].status = CHECK_PASS;
	assert_true(ratls_report_accepted(&report));
	for (enum rule i = 0; i < RULE_COUNT; i++) {
		report.checks[i].status = CHECK_FAIL;
		assert_false(ratls_report_accepted(&report));
		assert_int_equal(report_reason(&report), rule_reason(i)->number);
		assert_int_equal(ratls_report_class(&report), rule_reason(i)->class);
		report.checks[i].status = CHECK_UNKNOWN;
		assert_false(ratls_report_accepted(&report));
		assert_int_equal(ratls_report_class(&report), CLASS_UNDETERMINED);
		report.checks[i].status = CHECK_PASS;
	}
	report.checks[RULE_QUOTE_SIGNATURE].status = CHECK_SKIPPED;
	assert_false(ratls_report_accepted(&report));
}

/* A forged quote is called forged even if it is outdated, too old and not what the policy wants as well. */
static void forgery_comes_first(void **state)
{
	static struct ratls_report report;

	(void)state;
	for (enum rule i = 0; i < RULE_COUNT; i++)
		report.checks[i].status = CHECK_FAIL;
	report.checks[RULE_PCK_PRESENT].status = CHECK_PASS;
	assert_int_equal(ratls_report_class(&report), CLASS_AUTHENTICITY);
	for (enum rule i = 0; i < RULE_COUNT; i++)
		if (rule_reason(i)->class == CLASS_AUTHENTICITY)
			report.checks[i].status = CHECK_PASS;
	assert_int_equal(ratls_report_class(&report), CLASS_CLOCK);
	report.checks[RULE_CLOCK_PLAUSIBLE].status = CHECK_PASS;
	assert_int_equal(ratls_report_class(&report), CLASS_UNDETERMINED);
}

/* One number and one identifier are one reason. */
static void reasons_are_unique(void **state)
{
	const struct reason_row *row;

	(void)state;
	for (size_t i = 0; (row = reason_at(i)) != NULL; i++) {
		assert_ptr_equal(reason_find(row->number), row);
		assert_ptr_equal(reason_find_id(row->id), row);
	}
}

/* ---- the JSON ---- */

static void report_outlives_what_it_is_about(void **state)
{
	struct ratls_report *report;
	struct scene s;
	struct report_check check;
	json_t *json;
	size_t n;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	report = scene_appraise_at(&s, SCENE_NOW);
	scene_done(&s);
	json = json_loads(ratls_report_json(report), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json, "verdict")), "accept");
	assert_string_equal(json_string_value(json_object_get(json, "trust_root")), "development");
	for (n = 0; report_check_at(report, n, &check); n++)
		;
	assert_in_range(n, 50, RULE_COUNT);
	assert_int_equal(json_array_size(json_object_get(json, "checks")), n);
	json_decref(json);
	ratls_report_free(report);
}

static void report_has_every_member(void **state)
{
	static const char *const members[] = {"schema", "verdict", "class", "code", "exit", "message", "hint",
		"time", "evidence", "app", "tcb", "collateral", "checks", "trust_root", "policy"};
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	for (int with = 0; with < 2; with++) {
		const struct ratls_binding binding = {.kind = RATLS_BINDING_NONE};
		struct ratls_report *report = NULL;
		json_t *json;

		assert_int_equal(ratls_appraise(s.evidence, with ? s.endorsements : NULL, NULL, &binding, SCENE_NOW,
					 &report, NULL),
			RATLS_OK);
		json = json_loads(ratls_report_json(report), 0, NULL);
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			if (json_object_get(json, members[i]) == NULL)
				fail_msg("%s is missing", members[i]);
		json_decref(json);
		ratls_report_free(report);
	}
	scene_done(&s);
}

static void a_blank_report_knows_nothing(void **state)
{
	static const char *const objects[] = {"evidence", "app", "tcb"};
	json_t *blank = report_json_blank(APPRAISED_DCAP), *value;
	const char *name;
	size_t i;

	(void)state;
	assert_string_equal(json_string_value(json_object_get(blank, "verdict")), "undetermined");
	assert_string_equal(json_string_value(json_object_get(blank, "verifier")), "dcap");
	assert_true(json_is_null(json_object_get(blank, "policy_compares")));
	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		assert_true(json_object_size(json_object_get(blank, objects[i])) > 0);
		json_object_foreach(json_object_get(blank, objects[i]), name, value)
			if (!json_is_null(value))
				fail_msg("%s.%s is not null", objects[i], name);
	}
	assert_in_range(json_array_size(json_object_get(blank, "checks")), 50, RULE_COUNT);
	for (i = 0; i < json_array_size(json_object_get(blank, "checks")); i++)
		assert_string_equal(json_string_value(json_object_get(
					    json_array_get(json_object_get(blank, "checks"), i), "status")),
			"unknown");
	json_decref(blank);
}

static void report_explains_what_is_short(void **state)
{
	struct ratls_report *report;
	const json_t *shortfall;
	struct scene s;
	json_t *json;

	(void)state;
	scene_init(&s);
	s.options.quote.td.tee_tcb_svn[0] = 3; /* TDX_01: 4 is up to date */
	scene_make(&s);
	report = scene_appraise_at(&s, SCENE_NOW);
	assert_int_equal(report_reason(report), REASON_TCB_STATUS);
	json = json_loads(ratls_report_json(report), 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json_object_get(json, "tcb"), "shortfalls")), 1);
	shortfall = json_array_get(json_object_get(json_object_get(json, "tcb"), "shortfalls"), 0);
	assert_string_equal(json_string_value(json_object_get(shortfall, "component")), "TDX module");
	assert_int_equal(json_integer_value(json_object_get(shortfall, "is")), 3);
	assert_int_equal(json_integer_value(json_object_get(shortfall, "needs")), 4);
	json_decref(json);
	ratls_report_free(report);
	scene_done(&s);
}

static void advisories_are_a_union(void **state)
{
	struct ratls_report *report;
	const json_t *list;
	struct scene s;
	json_t *json;

	(void)state;
	scene_init(&s);
	s.options.collateral.tcb_info.levels[0].advisory = "INTEL-SA-00001";
	s.options.collateral.tcb_info.modules[1].levels[0].advisory = "INTEL-SA-00002";
	s.options.collateral.qe_identity.levels[0].advisory = "INTEL-SA-00001";
	scene_make(&s);
	report = scene_appraise_at(&s, SCENE_NOW);
	json = json_loads(ratls_report_json(report), 0, NULL);
	list = json_object_get(json_object_get(json, "tcb"), "advisories");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_array_get(list, 0)), "INTEL-SA-00001");
	assert_string_equal(json_string_value(json_array_get(list, 1)), "INTEL-SA-00002");
	assert_int_equal(report->checks[RULE_TCB_ADVISORIES].status, CHECK_WARN);
	json_decref(json);
	ratls_report_free(report);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_is_no),
		cmocka_unit_test(every_rule_counts),
		cmocka_unit_test(forgery_comes_first),
		cmocka_unit_test(reasons_are_unique),
		cmocka_unit_test(report_outlives_what_it_is_about),
		cmocka_unit_test(report_has_every_member),
		cmocka_unit_test(a_blank_report_knows_nothing),
		cmocka_unit_test(report_explains_what_is_short),
		cmocka_unit_test(advisories_are_a_union),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
