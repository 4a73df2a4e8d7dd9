/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "appraisal/policy.h"
#include "base/hex.h"

#define HASH  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define APP   "00112233445566778899aabbccddeeff00112233"
#define OTHER "10112233445566778899aabbccddeeff00112233"

static struct ratls_policy *read_policy(const char *json)
{
	struct ratls_policy *p = NULL;
	struct ratls_error err;

	if (ratls_policy_from_json(json, strlen(json), &p, &err) != RATLS_OK)
		fail_msg("%s: %s", json, err.message);
	return p;
}

static bool holds(const struct policy_list *list, const char *hex_of_app, int64_t at, int64_t *ret_until)
{
	uint8_t value[20];

	assert_true(hex_decode(hex_of_app, strlen(hex_of_app), value, sizeof(value)));
	return policy_list_holds(list, cur_of(value, sizeof(value)), at, ret_until);
}

static void reads_every_member(void **state)
{
	struct ratls_policy *p = read_policy("{\"schema\":\"teesql.policy/1\",\"name\":\"prod\","
					     "\"compose_hash\":[\"" HASH "\"],\"app_id\":[\"" APP "\",\"" OTHER "\"],"
					     "\"tcb_status\":[\"OK\",\"OutOfDate\"],\"advisories_allowed\":[],"
					     "\"min_evaluation_data_number\":17,\"max_evidence_age\":\"2h\","
					     "\"require_event_log\":true,\"insecure_allow_debug\":false}");

	(void)state;
	assert_string_equal(p->name, "prod");
	assert_int_equal(p->compose_hash.n, 1);
	assert_int_equal(p->app_id.n, 2);
	assert_true(holds(&p->app_id, OTHER, 0, NULL));
	assert_true(policy_accepts_status(p, TCB_UP_TO_DATE, 0, NULL));
	assert_true(policy_accepts_status(p, TCB_OUT_OF_DATE, 0, NULL));
	assert_false(policy_accepts_status(p, TCB_SW_HARDENING_NEEDED, 0, NULL));
	assert_true(p->advisories_limited);
	assert_int_equal(p->min_evaluation_data_number, 17);
	assert_int_equal(p->max_evidence_age, 7200);
	assert_true(p->require_event_log);
	assert_false(p->insecure_allow_debug);
	assert_true(policy_compares(p));
	ratls_policy_free(p);
}

static void empty_policy_compares_nothing(void **state)
{
	struct ratls_policy *p = read_policy("{}");

	(void)state;
	assert_false(policy_compares(p));
	assert_true(policy_accepts_status(p, TCB_UP_TO_DATE, 0, NULL));
	assert_true(policy_accepts_status(p, TCB_SW_HARDENING_NEEDED, 0, NULL));
	for (int s = TCB_CONFIGURATION_NEEDED; s <= TCB_NOT_SUPPORTED; s++)
		assert_false(policy_accepts_status(p, (enum tcb_status)s, 0, NULL));
	assert_false(policy_accepts_status(p, TCB_UNKNOWN, 0, NULL));
	ratls_policy_free(p);
}

/* Both ends of a window count; a value that stands twice holds until the later end. */
static void values_hold_in_their_window(void **state)
{
	struct ratls_policy *p = read_policy(
		"{\"app_id\":[{\"value\":\"" APP "\",\"from\":100,\"until\":200},"
		"{\"value\":\"" APP "\",\"until\":\"1970-01-01T00:05:00Z\"},"
		"{\"value\":\"" OTHER "\",\"from\":100}]}");
	int64_t until = 0;

	(void)state;
	assert_true(holds(&p->app_id, APP, 150, &until));
	assert_int_equal(until, 300);
	assert_true(holds(&p->app_id, APP, 300, &until));
	assert_false(holds(&p->app_id, APP, 301, NULL));
	assert_false(holds(&p->app_id, OTHER, 99, NULL));
	assert_true(holds(&p->app_id, OTHER, 100, &until));
	assert_int_equal(until, INT64_MAX);
	ratls_policy_free(p);
}

#define EVENT(name, more) "{\"imr\":3,\"event_type\":134217729,\"event\":\"" name "\",\"event_payload\":\"00\"" more "}"

/* What was read is written so that it reads as the same: every kind of member, and each alone. */
static void exports_what_it_holds(void **state)
{
	static const char *const policies[] = {
		"{}",
		"{\"name\":\"n\",\"mrtd\":[\"" APP APP "0123456789abcdef\"],\"ppid\":[\"00112233445566778899aabbccddeeff\"],"
		"\"app_id\":[\"" APP "\",{\"value\":\"" OTHER "\",\"from\":1},{\"value\":\"" OTHER
		"\",\"until\":\"2030-01-01T00:00:00Z\"}],\"tcb_status\":[\"OK\",\"OutOfDate\"],"
		"\"advisories_allowed\":[\"INTEL-SA-00001\"],\"min_evaluation_data_number\":17,"
		"\"max_evidence_age\":\"2h\",\"require_event_log\":true,\"insecure_allow_debug\":true}",
		"{\"advisories_allowed\":[]}",
		"{\"event_log\":[" EVENT("a", "") "," EVENT("b", ",\"digest\":\"\"") "]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		struct ratls_policy *p = read_policy(policies[i]), *again;
		json_t *object = policy_json(p), *object_again;
		char *text = json_dumps(object, JSON_SORT_KEYS);

		again = read_policy(text);
		object_again = policy_json(again);
		assert_true(json_equal(object, object_again));
		assert_int_equal(policy_compares(p), policy_compares(again));
		assert_int_equal(p->advisories_limited, again->advisories_limited);
		assert_int_equal(p->app_id.n, again->app_id.n);
		assert_int_equal(p->max_evidence_age, again->max_evidence_age);
		assert_int_equal(p->insecure_allow_debug, again->insecure_allow_debug);
		assert_int_equal(p->event_log.log.n, again->event_log.log.n);
		json_decref(object);
		json_decref(object_again);
		free(text);
		ratls_policy_free(p);
		ratls_policy_free(again);
	}
}

/* What is wrong with a file, and the line that the message has to name. */
static const struct {
	const char *json;
	const char *line;
} wrong[] = {
	{"", "line 1"},
	{"[]", "line 1"},
	{"{\n\"mrtd\": [\n}", "line 3"},
	{"{}x", "line 1"},
	{"{\n \"mrtd\": [],\n \"mrtx\": []\n}", "line 2"},
	{"{\n \"name\": \"a\",\n \"mrtx\": []\n}", "line 3"},
	{"{\n \"name\": 1\n}", "line 2"},
	{"{\n\n \"schema\": \"teesql.policy/2\"\n}", "line 3"},
	{"{\n \"app_id\": \"" APP "\"\n}", "line 2"},
	{"{\n \"app_id\": [\n  \"" APP "\",\n  \"" APP "00\"\n ]\n}", "line 4"},
	{"{\n \"app_id\": [\n  \"" APP "\",\n  {\"value\":\n \"00112233445566778899aabbccddeeff0011223x\"}\n ]\n}",
		"line 4"},
	{"{\n \"app_id\": [1]\n}", "line 2"},
	{"{\n \"app_id\": [{\"value\":\"" APP "\",\"untill\":1}]\n}", "line 2"},
	{"{\n \"app_id\": [{\"until\":1}]\n}", "line 2"},
	{"{\n \"app_id\": [{\"value\":\"" APP "\",\"until\":\"tomorrow\"}]\n}", "line 2"},
	{"{\n \"app_id\": [{\"value\":\"" APP "\",\"from\":2,\"until\":1}]\n}", "line 2"},
	{"{\n \"tcb_status\": [\n  \"UpToDate\",\n  \"Revoked\"\n ]\n}", "line 4"},
	{"{\n \"tcb_status\": [\"uptodate\"]\n}", "line 2"},
	{"{\n \"tcb_status\": []\n}", "line 2"},
	{"{\n \"advisories_allowed\": [\"\"]\n}", "line 2"},
	{"{\n \"min_evaluation_data_number\": -1\n}", "line 2"},
	{"{\n \"min_evaluation_data_number\": \"17\"\n}", "line 2"},
	{"{\n \"max_evidence_age\": \"2w\"\n}", "line 2"},
	{"{\n \"max_evidence_age\": \"99999999d\"\n}", "line 2"},
	{"{\n \"max_evidence_age\": \"2hours\"\n}", "line 2"},
	{"{\n \"max_evidence_age\": 1.5\n}", "line 2"},
	{"{\n \"require_event_log\": 1\n}", "line 2"},
	{"{\n \"event_log\": []\n}", "line 2"},
	{"{\n \"event_log\": {}\n}", "line 2"},
	{"{\n \"event_log\": [\n " EVENT("a", "") ",\n {\"imr\":3}]\n}", "event 1"},
	{"{\n \"event_log\": [" EVENT("a", ",\"digest\":\"" HASH "00112233445566778899aabbccddeeff\"") "]\n}", "line 2"},
	{"{\n \"event_log\": [{\"imr\":1,\"event_type\":1,\"event\":\"\",\"event_payload\":\"\"}]\n}", "no digest"},
	{"{\n \"insecure_allow_debug\": \"yes\"\n}", "line 2"},
	{"{\n \"name\": \"a\",\n \"name\": \"b\"\n}", "line 3"},
	/* A text that looks like the member must not lead to the wrong line. */
	{"{\n \"name\": \"\\\"app_id\\\":\",\n \"app_id\": [\"00\"]\n}", "line 3"},
};

static void errors_name_the_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct ratls_policy *p = NULL;
		struct ratls_error err = {0};
		int rc = ratls_policy_from_json(wrong[i].json, strlen(wrong[i].json), &p, &err);

		if (rc != RATLS_E_ARG || p != NULL || strstr(err.message, wrong[i].line) == NULL)
			fail_msg("%s: %d, %s", wrong[i].json, rc, err.message);
	}
}

static void values_are_added_one_by_one(void **state)
{
	struct ratls_policy *p = NULL;

	(void)state;
	assert_int_equal(ratls_policy_new(&p, NULL), RATLS_OK);
	assert_int_equal(ratls_policy_add(p, "app_id", APP, NULL), RATLS_OK);
	assert_int_equal(ratls_policy_add(p, "tcb_status", "ConfigurationNeeded", NULL), RATLS_OK);
	assert_int_equal(ratls_policy_add(p, "insecure_allow_debug", "yes", NULL), RATLS_OK);
	assert_int_equal(ratls_policy_add(p, "app_id", "00", NULL), RATLS_E_ARG);
	assert_int_equal(ratls_policy_add(p, "tcb_status", "Revoked", NULL), RATLS_E_ARG);
	assert_int_equal(ratls_policy_add(p, "insecure_allow_debug", "no", NULL), RATLS_E_ARG);
	assert_int_equal(ratls_policy_add(p, "mrtx", APP, NULL), RATLS_E_ARG);
	assert_int_equal(ratls_policy_add(p, "app_id", NULL, NULL), RATLS_E_ARG);
	assert_int_equal(p->app_id.n, 1);
	assert_true(policy_accepts_status(p, TCB_CONFIGURATION_NEEDED, 0, NULL));
	assert_false(policy_accepts_status(p, TCB_UP_TO_DATE, 0, NULL));
	ratls_policy_free(p);
}

static void lists_are_bounded(void **state)
{
	struct ratls_policy *p = NULL;

	(void)state;
	assert_int_equal(ratls_policy_new(&p, NULL), RATLS_OK);
	for (size_t i = 0; i < POLICY_ENTRIES_MAX; i++)
		assert_int_equal(ratls_policy_add(p, "app_id", APP, NULL), RATLS_OK);
	assert_int_equal(ratls_policy_add(p, "app_id", APP, NULL), RATLS_E_ARG);
	ratls_policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_member),
		cmocka_unit_test(empty_policy_compares_nothing),
		cmocka_unit_test(values_hold_in_their_window),
		cmocka_unit_test(exports_what_it_holds),
		cmocka_unit_test(errors_name_the_line),
		cmocka_unit_test(values_are_added_one_by_one),
		cmocka_unit_test(lists_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
