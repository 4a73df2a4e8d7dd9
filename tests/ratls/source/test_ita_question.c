/* SPDX-License-Identifier: Apache-2.0
 *
 * What Intel Trust Authority is asked about sample evidence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/reason.h"
#include "evidence/cclog.h"
#include "evidence/evidence.h"
#include "sample/sample.h"
#include "source/ita_question.h"

static struct ratls_evidence *evidence_of(void (*write)(struct buf *))
{
	struct ratls_evidence *e = NULL;
	struct buf b = {0};

	write(&b);
	assert_int_equal(ratls_evidence_from_envelope(b.p, b.len, &e, NULL), RATLS_OK);
	buf_done(&b);
	return e;
}

/* The members of "tdx" in the question; the caller drops the reference. */
static json_t *question(const struct ratls_evidence *e, json_t *nonce, bool with_event_log)
{
	char *text = NULL;
	json_t *object, *tdx;

	assert_int_equal(ita_question(e, nonce, with_event_log, &text, NULL), RATLS_OK);
	object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_object_size(object), 2);
	assert_string_equal(json_string_value(json_object_get(object, "token_signing_alg")), "PS384");
	tdx = json_incref(json_object_get(object, "tdx"));
	json_decref(object);
	free(text);
	return tdx;
}

static void assert_base64_of(const json_t *text, struct cur bytes)
{
	struct buf b = {0};

	assert_true(base64_decode(json_string_value(text), json_string_length(text), &b));
	assert_true(cur_is(&bytes, b.p, b.len));
	buf_done(&b);
}

static void quote_nonce_and_event_log_are_shown(void **state)
{
	struct ratls_evidence *e = evidence_of(sample_envelope_v0);
	json_t *nonce = json_pack("{s:s}", "val", "AA=="), *tdx = question(e, nonce, true);
	struct buf log = {0};

	(void)state;
	assert_int_equal(cclog_append(&e->log, &e->quote.td, &log, NULL), RATLS_OK);
	assert_true(log.len > 0);
	assert_int_equal(json_object_size(tdx), 3);
	assert_base64_of(json_object_get(tdx, "quote"), e->quote.whole);
	assert_base64_of(json_object_get(tdx, "event_log"), cur_of(log.p, log.len));
	assert_true(json_equal(json_object_get(tdx, "verifier_nonce"), nonce));
	buf_done(&log);
	json_decref(tdx);
	json_decref(nonce);
	ratls_evidence_free(e);
}

static void what_is_not_there_or_not_wanted_is_left_out(void **state)
{
	struct ratls_evidence *e = evidence_of(sample_envelope_v0);
	json_t *tdx = question(e, NULL, false);

	(void)state;
	assert_int_equal(json_object_size(tdx), 1);
	assert_base64_of(json_object_get(tdx, "quote"), e->quote.whole);
	json_decref(tdx);
	e->log.n = 0;
	tdx = question(e, NULL, true);
	assert_int_equal(json_object_size(tdx), 1);
	json_decref(tdx);
	ratls_evidence_free(e);
}

/* The log is the peer's: one that is too large is neither sent nor left out on the quiet. */
static void a_log_that_is_too_large_is_refused(void **state)
{
	static uint8_t payload[512 << 10], rtmr[EVENTLOG_RTMR_SIZE];
	struct event large = {.imr = 3,
		.type = EVENTLOG_RUNTIME_TYPE,
		.version = 1,
		.digest = cur_of(NULL, 0),
		.name = cur_of("large", 5),
		.preimage = cur_of(NULL, 0)};
	struct ratls_evidence *e = evidence_of(sample_envelope_v0);
	size_t sent = 0;

	(void)state;
	e->log = (struct eventlog){&large, 1};
	for (size_t size = 350000; size < 380000; size += 1500) {
		struct ratls_error err = {0};
		char *text = NULL;
		int rc;

		large.payload = cur_of(payload, size);
		assert_int_equal(eventlog_replay(&e->log, 3, rtmr, NULL), RATLS_OK);
		e->quote.td.rtmr[3] = cur_of(rtmr, sizeof(rtmr));
		rc = ita_question(e, NULL, true, &text, &err);
		if (rc == RATLS_OK) {
			assert_true(sent == size || sent == 0); /* after the first refusal there is none */
			assert_in_range(strlen(text), size / 3 * 4, ITA_QUESTION_MAX);
			sent = size + 1500;
		} else {
			assert_int_equal(rc, RATLS_E_UNAVAILABLE);
			assert_int_equal(err.reason, REASON_ITA_EVENT_LOG);
			assert_non_null(strstr(err.message, "it takes 500000"));
			assert_true(sent > 0);
			json_decref(question(e, NULL, false));
		}
		free(text);
	}
	assert_in_range(sent, 350001, 379999);
	ratls_evidence_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quote_nonce_and_event_log_are_shown),
		cmocka_unit_test(what_is_not_there_or_not_wanted_is_left_out),
		cmocka_unit_test(a_log_that_is_too_large_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
