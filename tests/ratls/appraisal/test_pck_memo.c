/* SPDX-License-Identifier: Apache-2.0
 *
 * What endorsements remember of the chains that were appraised under them changes no verdict.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scene.h"

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
	s.options.pki.cert[FORGE_PCK].not_after = SCENE_NOW;
	scene_make(&s);
	assert_int_equal(scene_reason(&s), 0);
	pck = remembered(&s);
	assert_non_null(pck);
	assert_int_equal(scene_reason(&s), 0);
	assert_int_equal(pck->refs, 1); /* given back */
	report = scene_appraise_at(&s, SCENE_NOW + 1);
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
	assert_int_equal(scene_reason(&s), 0);
	text = s.evidence->quote.certification;
	for (size_t i = 0; i < text.left; i += 5) {
		uint8_t *byte = (uint8_t *)text.p + i; /* within the evidence's own memory */

		*byte ^= 1;
		assert_int_not_equal(scene_reason(&s), 0);
		*byte ^= 1;
	}
	assert_int_equal(scene_reason(&s), 0);
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
	assert_int_equal(scene_reason(&s), 0);
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
			assert_int_equal(scene_reason(&s), parts[part].refused_by);
			*byte ^= 1;
		}
	assert_int_equal(scene_reason(&s), 0);
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
	assert_int_equal(scene_reason(&s), 0);
	ratls_endorsements_free(other.endorsements);
	other.endorsements = endorsements_ref(s.endorsements);
	assert_int_equal(scene_reason(&other), 0);
	assert_int_equal(scene_reason(&s), 0);
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
	assert_int_equal(scene_reason(&s), REASON_QE_SIGNATURE);
	assert_null(remembered(&s)->vouched);
	scene_done(&s);

	scene_init(&s);
	s.options.quote.qe.has_report_data = true;
	scene_make(&s);
	assert_int_equal(scene_reason(&s), REASON_QE_BINDING);
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
	assert_int_equal(scene_reason(&s), REASON_PCK_SIGNATURE);
	assert_null(remembered(&s));
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seen_chains_are_remembered),
		cmocka_unit_test(a_seen_chain_is_known_by_its_every_byte),
		cmocka_unit_test(what_was_vouched_for_vouches_for_itself_alone),
		cmocka_unit_test(a_quoting_enclave_may_be_certified_anew),
		cmocka_unit_test(what_was_not_vouched_for_is_not_remembered),
		cmocka_unit_test(bad_chains_are_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
