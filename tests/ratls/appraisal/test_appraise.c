/* SPDX-License-Identifier: Apache-2.0
 *
 * Appraisal of whole evidence: certificates, event logs, what is missing, and what a report says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include <jansson.h>

#include "appraisal/reported.h"
#include "base/hex.h"
#include "simulator/forge.h"

#define NOW INT64_C(1751600000)
#define DAY ((int64_t)86400)

static const uint8_t seed[FORGE_SEED_SIZE] = "appraise";

/* A machine, a key in it, the evidence of its certificate and the endorsements of its platform. */
struct scene {
	struct forge_options options;
	struct forge_leaf leaf;
	struct forge_machine machine;
	struct forge_chain_made chain;
	struct ratls_evidence *evidence;
	struct ratls_endorsements *endorsements;
	struct ratls_policy *policy;
};

static void scene_init(struct scene *s)
{
	*s = (struct scene){.leaf = {.key = forge_key(seed, "own key"), .now = NOW, .server_auth = true}};
	assert_non_null(s->leaf.key);
	forge_defaults(&s->options, seed, NOW);
}

static void scene_make(struct scene *s)
{
	struct ratls_endorsements_options options = {.size = sizeof(options)};
	struct ratls_error err = {0};
	struct buf json = {0};

	if (forge_machine_make(&s->options, &s->machine, &err) != RATLS_OK ||
		forge_machine_certificate(&s->machine, &s->leaf, &s->chain, &err) != RATLS_OK ||
		forge_machine_collateral(&s->machine, &json, &err) != RATLS_OK)
		fail_msg("%s", err.message);
	if (ratls_evidence_from_certificate(s->chain.cert[0].p, s->chain.cert[0].len, &s->evidence, &err) !=
		RATLS_OK)
		fail_msg("%s", err.message);
	options.insecure_trust_root = s->machine.pki.cert[FORGE_ROOT].p;
	options.insecure_trust_root_len = s->machine.pki.cert[FORGE_ROOT].len;
	if (ratls_endorsements_from_json((const char *)json.p, json.len, &options, &s->endorsements, &err) !=
		RATLS_OK)
		fail_msg("%s", err.message);
	buf_done(&json);
}

static void scene_done(struct scene *s)
{
	EVP_PKEY_free(s->leaf.key);
	EVP_PKEY_free(s->leaf.quoted_key);
	ratls_policy_free(s->policy);
	ratls_endorsements_free(s->endorsements);
	ratls_evidence_free(s->evidence);
	forge_chain_done(&s->chain);
	forge_machine_done(&s->machine);
}

static void want(struct scene *s, const char *name, const uint8_t *value, size_t len)
{
	char text[129];
	struct ratls_error err;

	hex_encode(value, len, text);
	if (s->policy == NULL)
		assert_int_equal(ratls_policy_new(&s->policy, NULL), RATLS_OK);
	if (ratls_policy_add(s->policy, name, text, &err) != RATLS_OK)
		fail_msg("%s", err.message);
}

static struct ratls_report *scene_appraise_at(const struct scene *s, int64_t at)
{
	const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_report *report = NULL;

	assert_int_equal(ratls_appraise(s->evidence, s->endorsements, s->policy, &binding, at, &report, NULL),
		RATLS_OK);
	return report;
}

static int reason_of(const struct scene *s)
{
	struct ratls_report *report = scene_appraise_at(s, NOW);
	int reason = report_reason(report);

	assert_int_equal(ratls_report_accepted(report), reason == 0);
	ratls_report_free(report);
	return reason;
}

static enum check_status status_of(const struct scene *s, enum rule rule)
{
	struct ratls_report *report = scene_appraise_at(s, NOW);
	enum check_status status = report->checks[rule].status;

	ratls_report_free(report);
	return status;
}

/* ---- certificates and keys ---- */

static void certificate_of_every_kind_is_accepted(void **state)
{
	static const enum forge_evidence kinds[] = {FORGE_EVIDENCE_V0, FORGE_EVIDENCE_V1, FORGE_EVIDENCE_LEGACY};
	struct scene s;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		scene_init(&s);
		s.options.evidence = kinds[i];
		scene_make(&s);
		want(&s, "compose_hash", s.machine.compose_hash, 32);
		want(&s, "app_id", s.machine.app_id, 20);
		want(&s, "os_image_hash", s.machine.os_image_hash, 32);
		assert_int_equal(reason_of(&s), 0);
		assert_int_equal(status_of(&s, RULE_BINDING_KEY), CHECK_PASS);
		assert_int_equal(status_of(&s, RULE_LOG_RTMR3), CHECK_PASS);
		scene_done(&s);
	}
}

/* Invariant quote_names_this_key: a genuine quote in a certificate of another key is worth nothing. */
static void quote_names_this_key(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.leaf.quoted_key = forge_key(seed, "another key");
	scene_make(&s);
	assert_int_equal(reason_of(&s), REASON_BINDING_KEY);
	scene_done(&s);
}

static void key_may_be_given_apart(void **state)
{
	struct ratls_report *report = NULL;
	struct ratls_binding binding = {.kind = RATLS_BINDING_SPKI};
	struct buf spki = {0};
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	assert_true(forge_key_spki(s.leaf.key, &spki));
	for (size_t cut = 0; cut < 2; cut++) {
		binding.bytes = spki.p;
		binding.len = spki.len - cut;
		assert_int_equal(
			ratls_appraise(s.evidence, s.endorsements, NULL, &binding, NOW, &report, NULL), RATLS_OK);
		assert_int_equal(ratls_report_accepted(report), cut == 0);
		ratls_report_free(report);
	}
	buf_done(&spki);
	scene_done(&s);
}

static void expired_certificate_is_refused(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.leaf.not_before = NOW - 2 * DAY;
	s.leaf.not_after = NOW - 1;
	scene_make(&s);
	assert_int_equal(reason_of(&s), REASON_CERTIFICATE_TIME);
	scene_done(&s);
}

static void verdict_ends_with_the_certificate(void **state)
{
	struct ratls_report *report;
	struct scene s;

	(void)state;
	scene_init(&s);
	s.leaf.not_before = NOW - DAY;
	s.leaf.not_after = NOW + DAY;
	scene_make(&s);
	report = scene_appraise_at(&s, NOW);
	assert_int_equal(ratls_report_valid_until(report), NOW + DAY);
	ratls_report_free(report);
	scene_done(&s);
}

static void age_is_that_of_the_certificate(void **state)
{
	static const char policy[] = "{\"max_evidence_age\":\"1d\"}";
	struct ratls_report *report;
	struct scene s;

	(void)state;
	scene_init(&s);
	s.leaf.not_before = NOW - DAY;
	s.leaf.not_after = NOW + 9 * DAY;
	scene_make(&s);
	assert_int_equal(ratls_policy_from_json(policy, strlen(policy), &s.policy, NULL), RATLS_OK);
	assert_int_equal(reason_of(&s), 0);
	report = scene_appraise_at(&s, NOW + 1);
	assert_int_equal(report_reason(report), REASON_POLICY_AGE);
	assert_int_equal(ratls_report_class(report), CLASS_POLICY);
	ratls_report_free(report);
	scene_done(&s);
}

/* ---- event logs and claims ---- */

static void claims_of_another_application_are_refused(void **state)
{
	uint8_t other[32] = {1};
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	want(&s, "compose_hash", other, 32);
	assert_int_equal(reason_of(&s), REASON_POLICY_COMPOSE_HASH);
	scene_done(&s);
	scene_init(&s);
	scene_make(&s);
	want(&s, "app_id", other, 20);
	assert_int_equal(reason_of(&s), REASON_POLICY_APP_ID);
	scene_done(&s);
	scene_init(&s);
	scene_make(&s);
	want(&s, "os_image_hash", other, 32);
	assert_int_equal(reason_of(&s), REASON_POLICY_OS_IMAGE_HASH);
	scene_done(&s);
}

/* A log that is not what was measured says nothing, however well its claims suit the policy. */
static void unproven_claims_satisfy_nothing(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.options.fixed_rtmr[3] = true;
	scene_make(&s);
	want(&s, "compose_hash", s.machine.compose_hash, 32);
	assert_int_equal(reason_of(&s), REASON_LOG_RTMR3);
	assert_int_equal(status_of(&s, RULE_POLICY_COMPOSE_HASH), CHECK_FAIL);
	scene_done(&s);
}

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
			assert_int_equal(ratls_appraise(evidence, s.endorsements, NULL, &none, NOW, &report, NULL),
				RATLS_OK);
			assert_int_equal(report->checks[rule].status, changed ? CHECK_FAIL : CHECK_PASS);
			assert_int_equal(report_reason(report), changed ? rule_reason(rule)->number : 0);
			ratls_report_free(report);
		}
		ratls_evidence_free(evidence);
	}
	scene_done(&s);
}

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
	struct ratls_report *report = scene_appraise_at(s, NOW);
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

static void contradicting_claims_are_refused(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	/* Logs are in order before they are evidence; what this makes of it is the rule's alone. */
	s.evidence->claims.duplicate = "app-id";
	assert_int_equal(reason_of(&s), REASON_LOG_CLAIMS);
	scene_done(&s);
}

/* ---- what is missing ---- */

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

static void without_endorsements_nothing_is_decided(void **state)
{
	const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_report *report = NULL;
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	assert_int_equal(ratls_appraise(s.evidence, NULL, NULL, &binding, NOW, &report, NULL), RATLS_OK);
	assert_int_equal(report_reason(report), REASON_COLLATERAL_PRESENT);
	assert_int_equal(ratls_report_class(report), CLASS_UNDETERMINED);
	assert_int_equal(report->checks[RULE_QUOTE_SIGNATURE].status, CHECK_PASS);
	assert_int_equal(report->checks[RULE_TCB_STATUS].status, CHECK_UNKNOWN);
	assert_non_null(ratls_report_json(report));
	ratls_report_free(report);
	scene_done(&s);
}

static void a_forgery_shows_without_endorsements(void **state)
{
	const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_report *report = NULL;
	struct scene s;

	(void)state;
	scene_init(&s);
	s.options.quote.quote_signed_by = "another";
	scene_make(&s);
	assert_int_equal(ratls_appraise(s.evidence, NULL, NULL, &binding, NOW, &report, NULL), RATLS_OK);
	assert_int_equal(report_reason(report), REASON_QUOTE_SIGNATURE);
	ratls_report_free(report);
	scene_done(&s);
}

static void bad_arguments_are_errors(void **state)
{
	const uint8_t bytes[65] = {0};
	struct ratls_binding binding = {RATLS_BINDING_REPORT_DATA, bytes, sizeof(bytes)};
	struct ratls_report *report = NULL;
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	assert_int_equal(ratls_appraise(s.evidence, NULL, NULL, &binding, NOW, &report, NULL), RATLS_E_ARG);
	binding.len = 64;
	assert_int_equal(ratls_appraise(s.evidence, NULL, NULL, &binding, -1, &report, NULL), RATLS_E_ARG);
	assert_int_equal(ratls_appraise(NULL, NULL, NULL, &binding, NOW, &report, NULL), RATLS_E_ARG);
	assert_int_equal(ratls_appraise(s.evidence, NULL, NULL, NULL, NOW, &report, NULL), RATLS_E_ARG);
	assert_null(report);
	scene_done(&s);
}

/* ---- reports ---- */

/* Bytes that are not there would be compared as none, or as zeros: what was forgotten must not bind. */
static void a_binding_without_its_bytes_is_none(void **state)
{
	const struct ratls_binding bindings[] = {
		{.kind = RATLS_BINDING_SPKI, .len = 91},
		{.kind = RATLS_BINDING_REPORT_DATA, .len = 64},
	};
	const struct ratls_binding zeros = {.kind = RATLS_BINDING_REPORT_DATA};
	struct ratls_report *report = NULL;
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++)
		assert_int_equal(ratls_appraise(s.evidence, s.endorsements, NULL, &bindings[i], NOW, &report, NULL),
			RATLS_E_ARG);
	assert_null(report);
	assert_int_equal(ratls_appraise(s.evidence, s.endorsements, NULL, &zeros, NOW, &report, NULL), RATLS_OK);
	ratls_report_free(report);
	scene_done(&s);
}

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
	report = scene_appraise_at(&s, NOW);
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

		assert_int_equal(ratls_appraise(s.evidence, with ? s.endorsements : NULL, NULL, &binding, NOW,
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
	report = scene_appraise_at(&s, NOW);
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
	report = scene_appraise_at(&s, NOW);
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

static void nothing_compared_is_said(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	assert_int_equal(status_of(&s, RULE_POLICY_COMPARED), CHECK_WARN);
	want(&s, "mrtd", s.options.quote.td.mrtd, 48);
	assert_int_equal(status_of(&s, RULE_POLICY_COMPARED), CHECK_PASS);
	assert_int_equal(status_of(&s, RULE_POLICY_RTMR0), CHECK_SKIPPED);
	scene_done(&s);
}

static void assert_compared(const struct scene *s, enum check_status status, const char *hint)
{
	struct ratls_report *report = scene_appraise_at(s, NOW);
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
	want(&s, "compose_hash", s.machine.compose_hash, 32);
	assert_compared(&s, CHECK_WARN,
		"compose_hash is compared, but not mrtd, rtmr1 and rtmr2: another kernel can say the same of itself");
	want(&s, "mrtd", td->mrtd.p, 48);
	want(&s, "app_id", s.machine.app_id, 20);
	want(&s, "rtmr3", td->rtmr[3].p, 48);
	assert_compared(&s, CHECK_WARN,
		"compose_hash, app_id and rtmr3 are compared, but not rtmr1 and rtmr2: another kernel can say the same "
		"of itself");
	want(&s, "rtmr1", td->rtmr[1].p, 48);
	assert_compared(&s, CHECK_WARN,
		"compose_hash, app_id and rtmr3 are compared, but not rtmr2: another kernel can say the same of itself");
	want(&s, "rtmr2", td->rtmr[2].p, 48);
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
	report = scene_appraise_at(s, NOW);
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
	assert_int_equal(reason_of(&s), 0);
	assert_int_equal(status_of(&s, RULE_TCB_EVALUATION), CHECK_WARN);
	scene_done(&s);
}

/* ---- many at once ---- */

#define THREADS 4
#define ROUNDS	20

static void *appraise_often(void *arg)
{
	const struct scene *s = arg;
	size_t accepted = 0;

	for (size_t i = 0; i < ROUNDS; i++) {
		const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
		struct ratls_report *report = NULL;

		if (ratls_appraise(s->evidence, s->endorsements, NULL, &binding, NOW, &report, NULL) == RATLS_OK &&
			ratls_report_accepted(report) && ratls_report_json(report) != NULL)
			accepted++;
		ratls_report_free(report);
	}
	return accepted == ROUNDS ? arg : NULL;
}

static void threads_share_evidence_and_endorsements(void **state)
{
	pthread_t threads[THREADS];
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, appraise_often, &s), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *result = NULL;

		pthread_join(threads[i], &result);
		assert_ptr_equal(result, &s);
	}
	scene_done(&s);
}

static struct pck *remembered(const struct scene *s)
{
	for (size_t i = 0; i < PCK_MEMO_ROWS; i++)
		if (s->endorsements->endorsed->memo.rows[i] != NULL)
			return s->endorsements->endorsed->memo.rows[i];
	return NULL;
}

/* A chain that was seen is not read again, and what depends on time still is. */
static void seen_chains_are_remembered(void **state)
{
	struct ratls_report *report;
	struct scene s;
	struct pck *pck;

	(void)state;
	scene_init(&s);
	s.options.pki.cert[FORGE_PCK].not_after = NOW;
	scene_make(&s);
	assert_int_equal(reason_of(&s), 0);
	pck = remembered(&s);
	assert_non_null(pck);
	assert_int_equal(reason_of(&s), 0);
	assert_int_equal(pck->refs, 1); /* given back */
	report = scene_appraise_at(&s, NOW + 1);
	assert_int_equal(report_reason(report), REASON_PCK_TIME);
	ratls_report_free(report);
	scene_done(&s);
}

/* Whatever chooses the row, a text that differs in one byte is not the one that was seen. */
static void a_seen_chain_is_known_by_its_every_byte(void **state)
{
	struct scene s;
	struct cur text;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	assert_int_equal(reason_of(&s), 0);
	text = s.evidence->quote.certification;
	for (size_t i = 0; i < text.left; i += 5) {
		uint8_t *byte = (uint8_t *)text.p + i; /* within the evidence's own memory */

		*byte ^= 1;
		assert_int_not_equal(reason_of(&s), 0);
		*byte ^= 1;
	}
	assert_int_equal(reason_of(&s), 0);
	scene_done(&s);
}

/* What was vouched for once is known again by its every byte, and nothing else is. */
static void what_was_vouched_for_vouches_for_itself_alone(void **state)
{
	struct scene s;
	struct {
		struct cur bytes;
		int refused_by;
	} parts[4];

	(void)state;
	scene_init(&s);
	scene_make(&s);
	assert_int_equal(reason_of(&s), 0);
	assert_non_null(remembered(&s)->vouched);
	parts[0].bytes = s.evidence->quote.qe.whole;
	parts[1].bytes = s.evidence->quote.qe_signature;
	parts[2].bytes = s.evidence->quote.signature;
	parts[3].bytes = s.evidence->quote.attestation_key;
	parts[0].refused_by = parts[1].refused_by = REASON_QE_SIGNATURE;
	parts[2].refused_by = REASON_QUOTE_SIGNATURE;
	parts[3].refused_by = REASON_QE_BINDING;
	for (size_t part = 0; part < 4; part++)
		for (size_t i = 0; i < parts[part].bytes.left; i++) {
			uint8_t *byte = (uint8_t *)parts[part].bytes.p + i; /* within the evidence's own memory */

			*byte ^= 1;
			assert_int_equal(reason_of(&s), parts[part].refused_by);
			*byte ^= 1;
		}
	assert_int_equal(reason_of(&s), 0);
	scene_done(&s);
}

/* A quoting enclave that was certified anew, for another key, is as good as it was before. */
static void a_quoting_enclave_may_be_certified_anew(void **state)
{
	struct scene s, other;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	scene_init(&other);
	other.options.quote.attestation_key = other.options.quote.quote_signed_by = "another";
	scene_make(&other);
	assert_int_equal(reason_of(&s), 0);
	ratls_endorsements_free(other.endorsements);
	other.endorsements = endorsements_ref(s.endorsements);
	assert_int_equal(reason_of(&other), 0);
	assert_int_equal(reason_of(&s), 0);
	scene_done(&other);
	scene_done(&s);
}

static void what_was_not_vouched_for_is_not_remembered(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.options.quote.qe_signed_by = "another";
	scene_make(&s);
	assert_int_equal(reason_of(&s), REASON_QE_SIGNATURE);
	assert_null(remembered(&s)->vouched);
	scene_done(&s);

	scene_init(&s);
	s.options.quote.qe.has_report_data = true;
	scene_make(&s);
	assert_int_equal(reason_of(&s), REASON_QE_BINDING);
	assert_null(remembered(&s)->vouched);
	scene_done(&s);
}

static void bad_chains_are_not_remembered(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.options.pki.cert[FORGE_PCK].signed_by = "another";
	scene_make(&s);
	assert_int_equal(reason_of(&s), REASON_PCK_SIGNATURE);
	assert_null(remembered(&s));
	scene_done(&s);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificate_of_every_kind_is_accepted),
		cmocka_unit_test(quote_names_this_key),
		cmocka_unit_test(key_may_be_given_apart),
		cmocka_unit_test(expired_certificate_is_refused),
		cmocka_unit_test(verdict_ends_with_the_certificate),
		cmocka_unit_test(age_is_that_of_the_certificate),
		cmocka_unit_test(claims_of_another_application_are_refused),
		cmocka_unit_test(unproven_claims_satisfy_nothing),
		cmocka_unit_test(boot_log_replays),
		cmocka_unit_test(the_first_event_that_differs_is_named),
		cmocka_unit_test(retyped_boot_events_hide_nothing),
		cmocka_unit_test(contradicting_claims_are_refused),
		cmocka_unit_test(unknown_is_no),
		cmocka_unit_test(every_rule_counts),
		cmocka_unit_test(forgery_comes_first),
		cmocka_unit_test(without_endorsements_nothing_is_decided),
		cmocka_unit_test(a_forgery_shows_without_endorsements),
		cmocka_unit_test(bad_arguments_are_errors),
		cmocka_unit_test(a_binding_without_its_bytes_is_none),
		cmocka_unit_test(report_outlives_what_it_is_about),
		cmocka_unit_test(report_has_every_member),
		cmocka_unit_test(a_blank_report_knows_nothing),
		cmocka_unit_test(report_explains_what_is_short),
		cmocka_unit_test(advisories_are_a_union),
		cmocka_unit_test(nothing_compared_is_said),
		cmocka_unit_test(claims_without_their_kernel_are_said),
		cmocka_unit_test(a_window_that_is_not_open_is_said),
		cmocka_unit_test(a_status_that_needs_nothing_is_not_blamed),
		cmocka_unit_test(documents_of_two_evaluations_are_said),
		cmocka_unit_test(threads_share_evidence_and_endorsements),
		cmocka_unit_test(seen_chains_are_remembered),
		cmocka_unit_test(a_seen_chain_is_known_by_its_every_byte),
		cmocka_unit_test(what_was_vouched_for_vouches_for_itself_alone),
		cmocka_unit_test(a_quoting_enclave_may_be_certified_anew),
		cmocka_unit_test(what_was_not_vouched_for_is_not_remembered),
		cmocka_unit_test(bad_chains_are_not_remembered),
		cmocka_unit_test(reasons_are_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
