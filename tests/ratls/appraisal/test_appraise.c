/* SPDX-License-Identifier: Apache-2.0
 *
 * Appraisal of whole evidence: certificates and keys, what is missing, and many at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "base/hash.h"
#include "scene.h"

/* ---- certificates and keys ---- */

static void certificate_of_every_kind_is_accepted(void **state)
{
	static const enum forge_evidence kinds[] = {FORGE_EVIDENCE_V0, FORGE_EVIDENCE_V1, FORGE_EVIDENCE_LEGACY};
	uint8_t key_provider[HASH_SHA256_SIZE];
	struct scene s;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		scene_init(&s);
		s.options.evidence = kinds[i];
		scene_make(&s);
		scene_want(&s, "compose_hash", s.machine.compose_hash, 32);
		scene_want(&s, "app_id", s.machine.app_id, 20);
		scene_want(&s, "os_image_hash", s.machine.os_image_hash, 32);
		assert_true(hash_bytes(HASH_SHA256, s.machine.key_provider, strlen(s.machine.key_provider), key_provider));
		scene_want(&s, "key_provider", key_provider, sizeof(key_provider));
		assert_int_equal(scene_reason(&s), 0);
		assert_int_equal(scene_status(&s, RULE_BINDING_KEY), CHECK_PASS);
		assert_int_equal(scene_status(&s, RULE_LOG_RTMR3), CHECK_PASS);
		scene_done(&s);
	}
}

/* Invariant quote_names_this_key: a genuine quote in a certificate of another key is worth nothing. */
static void quote_names_this_key(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.leaf.quoted_key = forge_key(scene_seed, "another key");
	scene_make(&s);
	assert_int_equal(scene_reason(&s), REASON_BINDING_KEY);
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
			ratls_appraise(s.evidence, s.endorsements, NULL, &binding, SCENE_NOW, &report, NULL), RATLS_OK);
		assert_int_equal(ratls_report_accepted(report), cut == 0);
		ratls_report_free(report);
	}
	buf_done(&spki);
	scene_done(&s);
}

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
		assert_int_equal(ratls_appraise(s.evidence, s.endorsements, NULL, &bindings[i], SCENE_NOW, &report, NULL),
			RATLS_E_ARG);
	assert_null(report);
	assert_int_equal(ratls_appraise(s.evidence, s.endorsements, NULL, &zeros, SCENE_NOW, &report, NULL), RATLS_OK);
	ratls_report_free(report);
	scene_done(&s);
}

static void expired_certificate_is_refused(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.leaf.not_before = SCENE_NOW - 2 * SCENE_DAY;
	s.leaf.not_after = SCENE_NOW - 1;
	scene_make(&s);
	assert_int_equal(scene_reason(&s), REASON_CERTIFICATE_TIME);
	scene_done(&s);
}

static void verdict_ends_with_the_certificate(void **state)
{
	struct ratls_report *report;
	struct scene s;

	(void)state;
	scene_init(&s);
	s.leaf.not_before = SCENE_NOW - SCENE_DAY;
	s.leaf.not_after = SCENE_NOW + SCENE_DAY;
	scene_make(&s);
	report = scene_appraise_at(&s, SCENE_NOW);
	assert_int_equal(ratls_report_valid_until(report), SCENE_NOW + SCENE_DAY);
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
	s.leaf.not_before = SCENE_NOW - SCENE_DAY;
	s.leaf.not_after = SCENE_NOW + 9 * SCENE_DAY;
	scene_make(&s);
	assert_int_equal(ratls_policy_from_json(policy, strlen(policy), &s.policy, NULL), RATLS_OK);
	assert_int_equal(scene_reason(&s), 0);
	report = scene_appraise_at(&s, SCENE_NOW + 1);
	assert_int_equal(report_reason(report), REASON_POLICY_AGE);
	assert_int_equal(ratls_report_class(report), CLASS_POLICY);
	ratls_report_free(report);
	scene_done(&s);
}

/* ---- what is missing ---- */

static void without_endorsements_nothing_is_decided(void **state)
{
	const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_report *report = NULL;
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_make(&s);
	assert_int_equal(ratls_appraise(s.evidence, NULL, NULL, &binding, SCENE_NOW, &report, NULL), RATLS_OK);
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
	assert_int_equal(ratls_appraise(s.evidence, NULL, NULL, &binding, SCENE_NOW, &report, NULL), RATLS_OK);
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
	assert_int_equal(ratls_appraise(s.evidence, NULL, NULL, &binding, SCENE_NOW, &report, NULL), RATLS_E_ARG);
	binding.len = 64;
	assert_int_equal(ratls_appraise(s.evidence, NULL, NULL, &binding, -1, &report, NULL), RATLS_E_ARG);
	assert_int_equal(ratls_appraise(NULL, NULL, NULL, &binding, SCENE_NOW, &report, NULL), RATLS_E_ARG);
	assert_int_equal(ratls_appraise(s.evidence, NULL, NULL, NULL, SCENE_NOW, &report, NULL), RATLS_E_ARG);
	assert_null(report);
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

		if (ratls_appraise(s->evidence, s->endorsements, NULL, &binding, SCENE_NOW, &report, NULL) == RATLS_OK &&
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificate_of_every_kind_is_accepted),
		cmocka_unit_test(quote_names_this_key),
		cmocka_unit_test(key_may_be_given_apart),
		cmocka_unit_test(a_binding_without_its_bytes_is_none),
		cmocka_unit_test(expired_certificate_is_refused),
		cmocka_unit_test(verdict_ends_with_the_certificate),
		cmocka_unit_test(age_is_that_of_the_certificate),
		cmocka_unit_test(without_endorsements_nothing_is_decided),
		cmocka_unit_test(a_forgery_shows_without_endorsements),
		cmocka_unit_test(bad_arguments_are_errors),
		cmocka_unit_test(threads_share_evidence_and_endorsements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
