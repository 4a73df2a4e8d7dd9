/* SPDX-License-Identifier: Apache-2.0
 *
 * The public constructors: from bytes as a peer would present them to what a verifier sees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/err.h>

#include "base/hex.h"
#include "base/reason.h"
#include "evidence/evidence.h"
#include "sample/sample.h"
#include "vector.h"

static void assert_measurement(const struct ratls_evidence *e, enum ratls_measurement which, const char *hex)
{
	char text[2 * 64 + 1];
	size_t len;
	const uint8_t *p = ratls_evidence_measurement(e, which, &len);

	assert_non_null(p);
	hex_encode(p, len, text);
	assert_string_equal(text, hex);
}

static void assert_replays(const struct eventlog *log, const struct ratls_evidence *e, uint32_t imr)
{
	uint8_t rtmr[48];

	assert_int_equal(eventlog_replay(log, imr, rtmr, NULL), RATLS_OK);
	assert_memory_equal(rtmr, e->quote.td.rtmr[imr].p, 48);
}

/* What every sample with an event log must come to. */
static void assert_sample(const struct ratls_evidence *e)
{
	size_t len;

	assert_int_equal(e->log.n, 12);
	assert_int_equal(e->runtime.n, 10);
	assert_replays(&e->runtime, e, 3);
	assert_replays(&e->log, e, 3);
	assert_measurement(e, RATLS_APP_ID, "6363636363636363636363636363636363636363");
	assert_measurement(
		e, RATLS_COMPOSE_HASH, "6363636363636363636363636363636363636363636363636363636363636363");
	assert_measurement(e, RATLS_INSTANCE_ID, "6363636363636363636363636363636363636363");
	assert_measurement(
		e, RATLS_OS_IMAGE_HASH, "6363636363636363636363636363636363636363636363636363636363636363");
	assert_non_null(ratls_evidence_measurement(e, RATLS_REPORT_DATA, &len));
	assert_int_equal(len, 64);
	assert_true(cur_is_str(&e->claims.key_provider, "{\"name\":\"kms\",\"id\":\"00\"}"));
	assert_null(e->claims.duplicate);
}

static struct ratls_evidence *from_envelope(const struct buf *b)
{
	struct ratls_evidence *e = NULL;
	struct ratls_error err = {0};

	if (ratls_evidence_from_envelope(b->p, b->len, &e, &err) != RATLS_OK)
		fail_msg("%s", err.message);
	return e;
}

static void a_bare_quote_has_measurements_and_no_claims(void **state)
{
	static const struct {
		enum ratls_measurement which;
		uint8_t byte;
	} rows[] = {{RATLS_MRTD, 0x11}, {RATLS_RTMR0, 0x20}, {RATLS_RTMR1, 0x21}, {RATLS_RTMR2, 0x22},
		{RATLS_RTMR3, 0x23}, {RATLS_MRCONFIGID, 0x12}, {RATLS_MROWNER, 0x13},
		{RATLS_MROWNERCONFIG, 0x14}, {RATLS_MRSEAM, 0x02}, {RATLS_REPORT_DATA, 0x24}};
	struct ratls_evidence *e = NULL;
	struct buf b = {0};
	size_t len;

	(void)state;
	sample_quote(&b, 5, QUOTE_BODY_TD15, NULL);
	assert_int_equal(ratls_evidence_from_quote(b.p, b.len, &e, NULL), RATLS_OK);
	memset(b.p, 0, b.len);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t *p = ratls_evidence_measurement(e, rows[i].which, &len);

		assert_int_equal(len, rows[i].which == RATLS_REPORT_DATA ? 64 : 48);
		for (size_t k = 0; k < len; k++)
			assert_int_equal(p[k], rows[i].byte);
	}
	assert_null(ratls_evidence_measurement(e, RATLS_APP_ID, &len));
	assert_int_equal(len, 0);
	assert_null(ratls_evidence_measurement(e, (enum ratls_measurement)99, &len));
	assert_int_equal(e->format, EVIDENCE_QUOTE);
	assert_int_equal(e->log.n + e->runtime.n + e->spki.left, 0);
	ratls_evidence_free(e);
	ratls_evidence_free(NULL);
	buf_done(&b);
}

static void envelopes_of_both_versions_say_the_same(void **state)
{
	struct buf b[3] = {{0}};

	(void)state;
	sample_envelope_v0(&b[0]);
	sample_envelope_v1(&b[1], false);
	sample_envelope_v1(&b[2], true);
	for (size_t i = 0; i < 3; i++) {
		struct ratls_evidence *e = from_envelope(&b[i]);

		memset(b[i].p, 0xff, b[i].len); /* evidence has a copy of its own */
		assert_int_equal(e->format, i == 0 ? EVIDENCE_ENVELOPE_V0 : EVIDENCE_ENVELOPE_V1);
		assert_sample(e);
		assert_true(cur_is_str(&e->config, "{\"vm_config\":\"{}\"}"));
		assert_int_equal(e->runtime.events[9].version, i == 2 ? 2 : 1);
		assert_null(e->oid);
		ratls_evidence_free(e);
		buf_done(&b[i]);
	}
}

static void every_truncation_and_a_trailing_byte_are_refused(void **state)
{
	struct buf b[3] = {{0}};

	(void)state;
	sample_envelope_v0(&b[0]);
	sample_envelope_v1(&b[1], true);
	sample_envelope_v1(&b[2], false);
	for (size_t i = 0; i < 3; i++) {
		size_t len = b[i].len;
		struct ratls_evidence *e = NULL;

		buf_u8(&b[i], 0);
		for (size_t n = 0; n <= len + 1; n++) {
			struct ratls_error err = {0};
			uint8_t *exact;

			if (n == len)
				continue;
			exact = malloc(n + 1);
			memcpy(exact, b[i].p, n);
			assert_int_equal(ratls_evidence_from_envelope(exact, n, &e, &err), RATLS_E_FORMAT);
			assert_non_null(reason_find(err.reason));
			assert_null(e);
			free(exact);
		}
		buf_done(&b[i]);
	}
}

/* The same evidence, with one thing wrong in it. */
enum change {
	NOTHING,
	REPORT_DATA,
	DROP_LAST_EVENT,
	SWAP_EVENTS,
	PAYLOAD,
	NAME,
	EVENT_OF_RTMR3,
	LOG_ONLY,
	QUOTE,
	CLAIM,
	POD,
	POD_PAYLOAD
};

static void change(struct ratls_evidence *e, enum change what, uint8_t *report_data)
{
	struct event *log = e->log.events, other;

	switch (what) {
	case REPORT_DATA:
		report_data[63] ^= 1;
		break;
	case DROP_LAST_EVENT:
		e->log.n--;
		break;
	case SWAP_EVENTS:
		other = log[4];
		log[4] = log[3];
		log[3] = other;
		break;
	case PAYLOAD:
		log[9].payload.left--;
		break;
	case NAME:
		log[9].name.left--;
		break;
	case EVENT_OF_RTMR3:
		log[0].imr = 3;
		break;
	case LOG_ONLY:
		e->runtime.n = 0;
		break;
	case QUOTE:
		e->quote.whole.left -= SAMPLE_PADDING + 1;
		break;
	case CLAIM:
		log[3].payload.left = e->runtime.events[1].payload.left = 19;
		break;
	case POD:
	case POD_PAYLOAD:
		e->is_pod = true;
		e->pod_payload = cur_of("hello", what == POD ? 5 : 4);
		break;
	case NOTHING:
		break;
	}
}

static void what_contradicts_itself_is_refused(void **state)
{
	static const struct {
		enum change change;
		int reason;
	} rows[] = {
		{NOTHING, 0},
		{REPORT_DATA, REASON_ENVELOPE_REPORT_DATA},
		{DROP_LAST_EVENT, REASON_EVENTLOG_RUNTIME},
		{SWAP_EVENTS, REASON_EVENTLOG_RUNTIME},
		{PAYLOAD, REASON_EVENTLOG_RUNTIME},
		{NAME, REASON_EVENTLOG_RUNTIME},
		{EVENT_OF_RTMR3, REASON_EVENTLOG_TYPE},
		{LOG_ONLY, REASON_EVENTLOG_RUNTIME},
		{QUOTE, REASON_QUOTE_AUTH_SIZE},
		{CLAIM, REASON_CLAIMS_SIZE},
		{POD, 0},
		{POD_PAYLOAD, REASON_ENVELOPE_PAYLOAD},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		enum change what = rows[i / 2].change;
		bool v1 = i % 2 == 1;
		struct sample_log events;
		struct sample_td td;
		struct buf quote = {0}, b = {0};
		struct ratls_evidence e = {
			.log = {events.log, 12},
			.runtime = {events.runtime, 10},
			.report_data = cur_of(td.report_data, 64),
			.config = cur_of("{}", 2),
		};
		struct ratls_evidence *got = NULL;
		struct ratls_error err = {0};
		int rc;

		if (!v1 && (what == POD || what == POD_PAYLOAD))
			continue;
		sample_events(&events, false);
		sample_td_after(&events, &td);
		if (what == POD || what == POD_PAYLOAD)
			assert_true(hash_bytes(HASH_SHA512, "app-data:hello", 14, td.report_data));
		sample_quote(&quote, 4, QUOTE_BODY_TD10, &td);
		e.quote.whole = cur_of(quote.p, quote.len);
		change(&e, what, td.report_data);
		(v1 ? sample_write_v1 : sample_write_v0)(&b, &e);
		rc = ratls_evidence_from_envelope(b.p, b.len, &got, &err);
		if (rc != (rows[i / 2].reason == 0 ? RATLS_OK : RATLS_E_FORMAT) ||
			err.reason != rows[i / 2].reason)
			fail_msg("row %zu: %d, TQ-%d: %s", i, rc, err.reason, err.message);
		ratls_evidence_free(got);
		buf_done(&quote);
		buf_done(&b);
	}
}

static void what_is_no_evidence_is_refused(void **state)
{
	struct ratls_evidence *e = NULL;
	struct ratls_error err;
	struct buf big = {0};

	(void)state;
	while (big.len <= EVIDENCE_ENVELOPE_MAX)
		memset(buf_reserve(&big, 65536), 0, 65536), buf_added(&big, 65536);
	assert_int_equal(ratls_evidence_from_envelope(NULL, 0, &e, &err), RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_EVIDENCE_SIZE);
	assert_int_equal(ratls_evidence_from_envelope(big.p, big.len, &e, &err), RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_EVIDENCE_SIZE);
	assert_int_equal(ratls_evidence_from_quote(NULL, 0, &e, &err), RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_QUOTE_SIZE);
	assert_int_equal(ratls_evidence_from_certificate(NULL, 0, &e, &err), RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_EVIDENCE_SIZE);
	assert_int_equal(ratls_evidence_from_certificate(big.p, EVIDENCE_CERTIFICATE_MAX + 1, &e, &err),
		RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_EVIDENCE_SIZE);
	buf_done(&big);
}

/* A real attestation with its whole log: all four registers replay. */
static void a_real_attestation_replays(void **state)
{
	struct ratls_evidence *e;
	struct buf b = {0};
	size_t len;

	(void)state;
	if (!vector_load("dstack_attestation_v0.bin", &b))
		skip();
	e = from_envelope(&b);
	assert_int_equal(e->log.n, 33);
	assert_int_equal(e->runtime.n, 9);
	assert_int_equal(e->config.left, 553);
	assert_measurement(e, RATLS_MRTD,
		"e53236d44a074bc78e784cdfa1a2c858a5f6b53afc1b60d8f079662314978b64"
		"241b646d8498dd767d5ea48e1e115822");
	assert_measurement(e, RATLS_RTMR3,
		"f28a1490ee924e9396c2ccf2d93ad536b83cbe159a1d45024d1fd7acdcc10214"
		"5efcfcd0cfa209416446c70226affadf");
	assert_measurement(e, RATLS_MRCONFIGID,
		"01c143116fef3940e7f776bfc0919c256232ae5338a6e948c96b711e0b238348"
		"3a000000000000000000000000000000");
	assert_measurement(e, RATLS_APP_ID, "5bb4ff9a3837357f19dc176407a5709c62eb6c56");
	assert_measurement(
		e, RATLS_COMPOSE_HASH, "c143116fef3940e7f776bfc0919c256232ae5338a6e948c96b711e0b2383483a");
	assert_measurement(e, RATLS_INSTANCE_ID, "1691ed1b47506cad7d08834668691d88246f5b1f");
	assert_measurement(
		e, RATLS_OS_IMAGE_HASH, "e61be43dd1cc6a6f5edefd7c51b608983780839b0000ce60dd99737dcffe09b9");
	assert_int_equal(e->claims.key_provider.left, 204);
	assert_replays(&e->runtime, e, 3);
	for (uint32_t imr = 0; imr < 4; imr++)
		assert_replays(&e->log, e, imr);
	assert_non_null(ratls_evidence_measurement(e, RATLS_REPORT_DATA, &len));
	assert_true(cur_all_zero(&e->quote.td.report_data));
	ratls_evidence_free(e);
	e = NULL;
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(ratls_evidence_from_envelope(b.p, n, &e, NULL), RATLS_E_FORMAT);
	buf_done(&b);
}

/* What dstack leaves of an event log in a certificate. */
static void strip(struct eventlog *log)
{
	size_t n = 0;

	for (size_t i = 0; i < log->n; i++) {
		struct event e = log->events[i];

		if (e.imr == 3 && e.type == EVENTLOG_RUNTIME_TYPE)
			e.digest = cur_of(NULL, 0);
		else if (e.imr == 3)
			e.payload = cur_of(NULL, 0);
		else if (e.imr != 0 || e.type != 10 || !cur_is_str(&e.payload, "ACPI DATA"))
			continue;
		log->events[n++] = e;
	}
	log->n = n;
}

/* The same attestation as another implementation writes it in the other forms, byte for byte: all of it in
 * either version, then as in a certificate. */
static void a_real_attestation_reads_back_from_every_form(void **state)
{
	static const char *const sha256[] = {
		"d5b080ace6287e8957ead34c3a68f156cfb30bd22c2f5c2ebb48348e3fa70456",
		"eadcb26e5b7c361b819281295e03de0e62cf13b527a3841fc0b6972643ddb0fa",
		"6207223948177684ce20bd1835f63b08fb8688a4168cd2587dae64b3e21c7c82",
		"143eb92a3be7d3759d39686757147678e292fc97ab1d18fde976708100b32f97",
	};
	struct buf b = {0};
	struct ratls_evidence *e;

	(void)state;
	if (!vector_load("dstack_attestation_v0.bin", &b))
		skip();
	e = from_envelope(&b);
	e->quote.whole.left = 5010; /* as it was carried, with the zero bytes that trail */
	for (size_t i = 0; i < 4; i++) {
		struct buf again = {0};
		struct ratls_evidence *back;
		uint8_t digest[32];
		char text[65];

		if (i == 2)
			strip(&e->log);
		(i % 2 == 0 ? sample_write_v0 : sample_write_v1)(&again, e);
		assert_true(hash_bytes(HASH_SHA256, again.p, again.len, digest));
		hex_encode(digest, 32, text);
		assert_string_equal(text, sha256[i]);
		back = from_envelope(&again);
		assert_int_equal(back->log.n, i < 2 ? 33 : 12);
		assert_replays(&back->runtime, back, 3);
		assert_replays(&back->log, back, 3);
		assert_true(cur_eq(&back->claims.app_id, &e->claims.app_id));
		ratls_evidence_free(back);
		buf_done(&again);
	}
	ratls_evidence_free(e);
	buf_done(&b);
}

/* ---- certificates ---- */

static int from_certificate(
	const struct sample_certificate *what, struct ratls_evidence **ret, struct ratls_error *err)
{
	struct buf der = {0};
	int rc;

	*err = (struct ratls_error){0};
	sample_write_certificate(&der, what);
	rc = ratls_evidence_from_certificate(der.p, der.len, ret, err);
	if (rc == RATLS_OK) {
		assert_true(cur_is(&(*ret)->leaf, der.p, der.len));
		/* 1975-01-01T00:00:00Z and 2036-12-31T23:59:59Z */
		assert_int_equal((*ret)->not_before, 157766400);
		assert_int_equal((*ret)->not_after, 2114380799);
		assert_int_equal((*ret)->spki.left, 91);
		assert_memory_equal(
			(*ret)->spki.p, "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", 13);
	}
	buf_done(&der);
	return rc;
}

static void a_certificate_carries_either_form(void **state)
{
	struct buf v0 = {0}, v1 = {0}, quote = {0}, log = {0};
	struct sample_log events;
	struct sample_td td;
	struct ratls_evidence *e = NULL;
	struct ratls_error err;

	(void)state;
	sample_envelope_v0(&v0);
	sample_envelope_v1(&v1, true);
	sample_eventlog_json(&log);
	sample_events(&events, true);
	sample_td_after(&events, &td);
	sample_quote(&quote, 5, QUOTE_BODY_TD15, &td);

	assert_int_equal(
		from_certificate(&(struct sample_certificate){.attestation = &v0}, &e, &err), RATLS_OK);
	assert_string_equal(e->oid, "1.3.6.1.4.1.62397.1.8");
	assert_int_equal(e->format, EVIDENCE_ENVELOPE_V0);
	assert_sample(e);
	ratls_evidence_free(e);

	/* The versioned attestation comes first where both are there. */
	assert_int_equal(
		from_certificate(&(struct sample_certificate){.attestation = &v1, .quote = &quote}, &e, &err),
		RATLS_OK);
	assert_int_equal(e->format, EVIDENCE_ENVELOPE_V1);
	assert_sample(e);
	ratls_evidence_free(e);

	assert_int_equal(
		from_certificate(&(struct sample_certificate){.quote = &quote, .eventlog = &log}, &e, &err),
		RATLS_OK);
	assert_string_equal(e->oid, "1.3.6.1.4.1.62397.1.1");
	assert_int_equal(e->format, EVIDENCE_LEGACY);
	assert_false(e->has_report_data);
	assert_sample(e);
	ratls_evidence_free(e);

	buf_done(&v0);
	buf_done(&v1);
	buf_done(&quote);
	buf_done(&log);
}

static void a_certificate_without_sound_evidence_is_refused(void **state)
{
	struct buf v0 = {0}, quote = {0}, log = {0}, empty = {0}, text = {0}, two = {0}, constructed = {0};
	struct sample_certificate rows[] = {
		{0},
		{.eventlog = &log},
		{.quote = &quote},
		{.attestation = &v0, .attestation_twice = true},
		{.raw_extension = &v0},
		{.attestation = &empty},
		{.attestation = &quote},
		{.quote = &quote, .eventlog = &text},
		{.quote = &v0, .eventlog = &log},
		{.raw_extension = &two},
		{.raw_extension = &constructed},
	};
	static const int reasons[] = {REASON_NO_EVIDENCE, REASON_NO_EVIDENCE, REASON_EVIDENCE_EVENT_LOG,
		REASON_EVIDENCE_EXTENSION, REASON_EVIDENCE_EXTENSION, REASON_EVIDENCE_EXTENSION,
		REASON_ENVELOPE_VERSION, REASON_EVENTLOG_FORMAT, REASON_QUOTE_VERSION,
		REASON_EVIDENCE_EXTENSION, REASON_EVIDENCE_EXTENSION};
	struct ratls_evidence *e = NULL;
	struct ratls_error err;

	(void)state;
	sample_envelope_v0(&v0);
	sample_quote(&quote, 4, QUOTE_BODY_TD10, NULL);
	sample_eventlog_json(&log);
	buf_str(&text, "nonsense");
	buf_bytes(&two, "\x04\x01\x00\x04\x01\x00", 6);         /* two OCTET STRINGs */
	buf_bytes(&constructed, "\x24\x04\x04\x02\x00\x00", 6); /* BER: one made of parts */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc = from_certificate(&rows[i], &e, &err);

		if (err.reason != reasons[i] ||
			rc != (reasons[i] == REASON_NO_EVIDENCE ? RATLS_E_NO_EVIDENCE : RATLS_E_FORMAT))
			fail_msg("row %zu: %d, TQ-%d: %s", i, rc, err.reason, err.message);
		assert_null(e);
	}
	buf_done(&v0);
	buf_done(&quote);
	buf_done(&log);
	buf_done(&text);
	buf_done(&two);
	buf_done(&constructed);
}

static void a_damaged_certificate_is_refused(void **state)
{
	struct buf v0 = {0}, der = {0};
	struct ratls_evidence *e = NULL;
	struct ratls_error err;

	(void)state;
	sample_envelope_v0(&v0);
	sample_write_certificate(&der, &(struct sample_certificate){.attestation = &v0});
	for (size_t n = 1; n < der.len; n += n < 1000 ? 1 : 7) {
		assert_int_equal(ratls_evidence_from_certificate(der.p, n, &e, &err), RATLS_E_FORMAT);
		assert_int_equal(err.reason, REASON_CERTIFICATE_FORMAT);
	}
	buf_u8(&der, 0);
	assert_int_equal(ratls_evidence_from_certificate(der.p, der.len, &e, &err), RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_CERTIFICATE_FORMAT);
	assert_null(e);
	assert_int_equal(ERR_peek_error(), 0); /* nothing is left for the next TLS call to stumble over */
	buf_done(&v0);
	buf_done(&der);
}

/* What a guest agent answers: the digests of RTMR3 are empty and come from the fields. */
static void a_real_guest_agents_answer_replays(void **state)
{
	struct buf b = {0}, quote = {0}, log = {0};
	struct ratls_evidence *e = NULL;
	struct ratls_error err;
	const char *hex, *text;
	json_t *answer;

	(void)state;
	if (!vector_load("dstack_getquote.json", &b))
		skip();
	answer = json_loadb((const char *)b.p, b.len, 0, NULL);
	assert_non_null(answer);
	hex = json_string_value(json_object_get(answer, "quote"));
	text = json_string_value(json_object_get(answer, "event_log"));
	assert_true(hex_decode(hex, strlen(hex), buf_reserve(&quote, strlen(hex) / 2), strlen(hex) / 2));
	buf_added(&quote, strlen(hex) / 2);
	buf_str(&log, text);
	if (from_certificate(&(struct sample_certificate){.quote = &quote, .eventlog = &log}, &e, &err) !=
		RATLS_OK)
		fail_msg("%s", err.message);
	assert_replays(&e->runtime, e, 3);
	for (uint32_t imr = 0; imr < 4; imr++)
		assert_replays(&e->log, e, imr);
	assert_measurement(e, RATLS_APP_ID, "86b0e55f2fa8e4fb69d890f14f54d5612707646e");
	ratls_evidence_free(e);
	json_decref(answer);
	buf_done(&b);
	buf_done(&quote);
	buf_done(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bare_quote_has_measurements_and_no_claims),
		cmocka_unit_test(envelopes_of_both_versions_say_the_same),
		cmocka_unit_test(every_truncation_and_a_trailing_byte_are_refused),
		cmocka_unit_test(what_contradicts_itself_is_refused),
		cmocka_unit_test(what_is_no_evidence_is_refused),
		cmocka_unit_test(a_real_attestation_replays),
		cmocka_unit_test(a_real_attestation_reads_back_from_every_form),
		cmocka_unit_test(a_certificate_carries_either_form),
		cmocka_unit_test(a_certificate_without_sound_evidence_is_refused),
		cmocka_unit_test(a_damaged_certificate_is_refused),
		cmocka_unit_test(a_real_guest_agents_answer_replays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
