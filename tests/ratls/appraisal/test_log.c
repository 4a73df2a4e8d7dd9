/* SPDX-License-Identifier: Apache-2.0
 *
 * Appraisal of event logs, and of the claims that stand in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include <jansson.h>

#include "scene.h"

/* ---- claims ---- */

static void claims_of_another_application_are_refused(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		int reason;
	} rows[] = {{"compose_hash", 32, REASON_POLICY_COMPOSE_HASH}, {"app_id", 20, REASON_POLICY_APP_ID},
		{"os_image_hash", 32, REASON_POLICY_OS_IMAGE_HASH}, {"key_provider", 32, REASON_POLICY_KEY_PROVIDER}};
	uint8_t other[32] = {1};
	struct scene s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scene_init(&s);
		scene_make(&s);
		scene_want(&s, rows[i].name, other, rows[i].len);
		assert_int_equal(scene_reason(&s), rows[i].reason);
		scene_done(&s);
	}
}

/* A log that is not what was measured says nothing, however well its claims suit the policy. */
static void unproven_claims_satisfy_nothing(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.options.fixed_rtmr[3] = true;
	scene_make(&s);
	scene_want(&s, "compose_hash", s.machine.compose_hash, 32);
	assert_int_equal(scene_reason(&s), REASON_LOG_RTMR3);
	assert_int_equal(scene_status(&s, RULE_POLICY_COMPOSE_HASH), CHECK_FAIL);
	scene_done(&s);
}

static void contradicting_claims_are_refused(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	/* Logs are in order before they are evidence; what this makes of it is the rule's alone. */
	s.evidence->claims.duplicate = "app-id";
	assert_int_equal(scene_reason(&s), REASON_LOG_CLAIMS);
	scene_done(&s);
}

/* ---- logs ---- */

/* Whole evidence of an envelope that was not stripped. */
static struct ratls_evidence *unstripped(const struct scene *s)
{
	const uint8_t report_data[64] = {0};
	struct ratls_evidence *evidence = NULL;
	struct buf envelope = {0};

	assert_int_equal(forge_machine_envelope(&s->machine, FORGE_V0, report_data, false, &envelope, NULL), RATLS_OK);
	assert_int_equal(ratls_evidence_from_envelope(envelope.p, envelope.len, &evidence, NULL), RATLS_OK);
	buf_done(&envelope);
	return evidence;
}

/* Change the digest of the first event of a register. */
static void falsify(struct ratls_evidence *evidence, uint32_t imr)
{
	for (size_t i = 0; i < evidence->log.n; i++) {
		if (evidence->log.events[i].imr != imr)
			continue;
		*(uint8_t *)evidence->log.events[i].digest.p ^= 1; /* within the evidence's own memory */
		return;
	}
	fail_msg("no event of register %u", imr);
}

/* The full log of a boot replays to registers 0 to 2, and one that was changed does not. */
static void boot_log_replays(void **state)
{
	const struct ratls_binding none = {.kind = RATLS_BINDING_NONE};
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	for (uint32_t imr = 0; imr < 3; imr++) {
		struct ratls_evidence *evidence = unstripped(&s);
		enum rule rule = (enum rule)(RULE_LOG_RTMR0 + imr);

		for (int changed = 0; changed < 2; changed++) {
			struct ratls_report *report = NULL;

			if (changed)
				falsify(evidence, imr);
			assert_int_equal(ratls_appraise(evidence, s.endorsements, NULL, &none, SCENE_NOW, &report, NULL),
				RATLS_OK);
			assert_int_equal(report->checks[rule].status, changed ? CHECK_FAIL : CHECK_PASS);
			assert_int_equal(report_reason(report), changed ? rule_reason(rule)->number : 0);
			ratls_report_free(report);
		}
		ratls_evidence_free(evidence);
	}
	scene_done(&s);
}

/* Of an event of another type only the digest is measured: under it boot events, "system-ready" among them, would
 * hide, and what the application wrote later would speak for it. */
static void retyped_boot_events_hide_nothing(void **state)
{
	static const uint8_t foreign[20] = "another application";
	struct ratls_error err = {0};
	struct scene s;
	size_t boot;

	(void)state;
	scene_init(&s);
	s.options.evidence = FORGE_EVIDENCE_LEGACY;
	scene_make(&s);
	boot = s.machine.log.n;
	assert_true(forge_log_runtime(&s.machine.log, "app-id", cur_of(foreign, sizeof(foreign)), 1));
	for (size_t i = 0; i < boot; i++)
		if (s.machine.log.events[i].imr == 3)
			s.machine.log.events[i].type = FORGE_ACPI_TYPE;
	forge_chain_done(&s.chain);
	assert_int_equal(forge_machine_certificate(&s.machine, &s.leaf, &s.chain, &err), RATLS_OK);
	ratls_evidence_free(s.evidence);
	s.evidence = NULL;
	assert_int_equal(
		ratls_evidence_from_certificate(s.chain.cert[0].p, s.chain.cert[0].len, &s.evidence, &err),
		RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_EVENTLOG_TYPE);
	scene_done(&s);
}

/* ---- reference logs ---- */

/* A policy with this log as reference, the payload of one event replaced, that accepts no RTMR3 there is. */
static void refer_to(struct scene *s, const struct eventlog *log, const char *event, const char *payload)
{
	const struct reference_log reference = {.log = *log};
	json_t *events = reference_log_json(&reference), *of;
	char *text, none[97];
	size_t i;

	json_array_foreach(events, i, of)
		if (strcmp(json_string_value(json_object_get(of, "event")), event) == 0) {
			json_object_set_new(of, "event_payload", json_string(payload));
			json_object_set_new(of, "digest", json_string(""));
		}
	memset(none, 'f', 96);
	none[96] = '\0';
	of = json_pack("{s:[s], s:o}", "rtmr3", none, "event_log", events);
	text = json_dumps(of, 0);
	ratls_policy_free(s->policy);
	s->policy = NULL;
	assert_int_equal(ratls_policy_from_json(text, strlen(text), &s->policy, NULL), RATLS_OK);
	free(text);
	json_decref(of);
}

static void assert_says(const struct scene *s, const char *part, bool expected)
{
	struct ratls_report *report = scene_appraise_at(s, SCENE_NOW);
	struct report_check check = {.id = ""};

	for (size_t i = 0; strcmp(check.id, "policy.rtmr3") != 0; i++)
		assert_true(report_check_at(report, i, &check));
	assert_int_equal(check.status, CHECK_FAIL);
	if ((strstr(check.hint, part) != NULL) != expected)
		fail_msg("%s", check.hint);
	ratls_report_free(report);
}

/* A reference log tells which event made the difference, and only of a log that was measured. */
static void the_first_event_that_differs_is_named(void **state)
{
	struct eventlog shorter;
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	assert_true(s.evidence->runtime.n > 2);
	refer_to(&s, &s.evidence->runtime, "compose-hash", "c0de");
	assert_says(&s, "is \"compose-hash\" of ", true);
	assert_says(&s, "in the reference log it is \"compose-hash\" of c0de", true);
	refer_to(&s, &s.evidence->runtime, "", "");
	assert_says(&s, "event", false);
	shorter = (struct eventlog){s.evidence->runtime.events, 2};
	refer_to(&s, &shorter, "", "");
	assert_says(&s, "event 2 is \"", true);
	assert_says(&s, "in the reference log it is missing", true);
	scene_done(&s);

	scene_init(&s);
	s.options.fixed_rtmr[3] = true;
	scene_make(&s);
	refer_to(&s, &s.evidence->runtime, "compose-hash", "c0de");
	assert_says(&s, "compose-hash", false);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_of_another_application_are_refused),
		cmocka_unit_test(unproven_claims_satisfy_nothing),
		cmocka_unit_test(contradicting_claims_are_refused),
		cmocka_unit_test(boot_log_replays),
		cmocka_unit_test(retyped_boot_events_hide_nothing),
		cmocka_unit_test(the_first_event_that_differs_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
