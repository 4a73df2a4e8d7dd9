/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/reason.h"
#include "evidence/eventlog.h"

#define TEXT(s)                                                                                              \
	{                                                                                                    \
		.p = (const uint8_t *)(s), .left = sizeof(s) - 1                                             \
	}
#define EMPTY TEXT("")

static struct event runtime_event(uint32_t version, const char *name, const char *payload)
{
	return (struct event){
		.imr = 3,
		.type = EVENTLOG_RUNTIME_TYPE,
		.version = version,
		.digest = EMPTY,
		.name = cur_of(name, strlen(name)),
		.payload = cur_of(payload, strlen(payload)),
		.preimage = EMPTY,
	};
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
{
	char text[2 * 64 + 1];

	hex_encode(bytes, len, text);
	assert_string_equal(text, hex);
}

/* Vectors that another implementation computed. */
static void digests_of_both_versions(void **state)
{
	struct event one = runtime_event(1, "app-id", "\xde\xad\xbe\xef");
	struct event two = runtime_event(2, "compose-hash", "\xab\xcd"), three = runtime_event(3, "x", "");
	uint8_t digest[48] = {7};

	(void)state;
	assert_true(event_runtime_digest(&one, digest));
	assert_hex(digest, 48,
		"67b4be4efed0893cfa2bb1d35dca209ad8348b4c97f980807bcde8b9a0f26398"
		"dd0923d6eccb5aa2096d98046da8740f");
	assert_true(event_runtime_digest(&two, digest));
	assert_hex(digest, 48,
		"9dde1673f544faa94b921825209593ddde08d0baf9cd6990175dffaf3081f1bb"
		"10311d56de189491feb33842a050ad7b");
	assert_false(event_runtime_digest(&three, digest));
}

static void canonical_text_escapes_as_rfc_8785(void **state)
{
	struct event e = runtime_event(2, "q\" b\\ \b\f\n\r\t \x01\x1f / \x7f \xc3\xbc", "\x0a");
	struct buf b = {0};
	char *text;

	(void)state;
	event_canonical(&e, &b);
	text = buf_take_str(&b);
	assert_string_equal(text,
		"{\"name\":\"q\\\" b\\\\ \\b\\f\\n\\r\\t \\u0001\\u001f / \x7f \xc3\xbc\",\"payload\":\"0a\","
		"\"type\":134217729}");
	free(text);
}

static void versions_replay_mixed(void **state)
{
	struct event events[] = {
		runtime_event(1, "app-id", "\xde\xad\xbe\xef"),
		{.imr = 2,
			.type = 6,
			.version = 1,
			.digest = EMPTY,
			.name = EMPTY,
			.payload = EMPTY,
			.preimage = EMPTY},
		runtime_event(2, "compose-hash", "\xab\xcd"),
	};
	struct eventlog log = {events, 3};
	uint8_t rtmr[48];

	(void)state;
	assert_int_equal(eventlog_replay(&log, 3, rtmr, NULL), RATLS_OK);
	assert_hex(rtmr, 48,
		"e8334a42203613b4bf7e29440e497f23f0e8576c292b88bf43354e53fbc91bf8"
		"679419ac26bdaa7e9a835d540ccdd642");
}

/* A boot of a real guest, with the value of RTMR3 after each event. */
static void a_real_boot_replays(void **state)
{
	static const struct {
		const char *name, *payload, *rtmr;
	} boot[] = {
		{"system-preparing", "",
			"6a9a63f48733aba50d6892c873d838f97351040ddb0b497dcbdb0571ad78d0c1"
			"f1b8b3e87a9719706604b6cc5faedee0"},
		{"app-id", "5bb4ff9a3837357f19dc176407a5709c62eb6c56",
			"38a080724e4eb976f7bc89b05c80b32300c7a307e3813457c76327e61d9ffd5e"
			"7f3f60574871b494b5ae5a08b0cc27b0"},
		{"compose-hash", "c143116fef3940e7f776bfc0919c256232ae5338a6e948c96b711e0b2383483a",
			"38e8065335260cfc7aeec7f87fa35962dba27ba087f2afc5003ad4c72c0e33ee"
			"276516db8bd82465db7774902ce6981d"},
		{"instance-id", "1691ed1b47506cad7d08834668691d88246f5b1f",
			"5c68b188aee5b8ebab47b5526cbd478d64f04eaffd18a5692472d81b4b71b235"
			"b784740c937830e2d98bd8bbd4bfa3a1"},
		{"boot-mr-done", "",
			"161d4d87fecefcad09ed96ba8f901e58eca0f422b8155e2829ef94ce084a757e"
			"88c7f4be29df017ed72531e8efb643b7"},
		{"os-image-hash", "e61be43dd1cc6a6f5edefd7c51b608983780839b0000ce60dd99737dcffe09b9",
			"862dd6431032cf12945834d8fcbcba6301ee4b33174dbdc374ef3b77e20535b3"
			"f8d0e1a56d57a50d00a116725aa3f5f9"},
	};
	uint8_t rtmr[48], payloads[6][32];
	struct event events[6];

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct eventlog log = {events, i + 1};
		size_t len = strlen(boot[i].payload);

		assert_true(hex_decode(boot[i].payload, len, payloads[i], len / 2));
		events[i] = runtime_event(1, boot[i].name, "");
		events[i].payload = cur_of(payloads[i], len / 2);
		assert_int_equal(eventlog_replay(&log, 3, rtmr, NULL), RATLS_OK);
		assert_hex(rtmr, 48, boot[i].rtmr);
	}
}

static void replay_of_nothing_is_zero(void **state)
{
	struct eventlog none = {NULL, 0};
	uint8_t rtmr[48] = {1};
	static const uint8_t zero[48];

	(void)state;
	assert_int_equal(eventlog_replay(&none, 0, rtmr, NULL), RATLS_OK);
	assert_memory_equal(rtmr, zero, 48);
}

/* Of firmware events only the digest is known; without it their register cannot be recomputed. */
static void a_stripped_firmware_event_stops_the_replay(void **state)
{
	uint8_t digest[48] = {9}, rtmr[48] = {1}, expected[48] = {0};
	struct event e = {
		.imr = 1, .type = 4, .version = 1, .name = EMPTY, .payload = EMPTY, .preimage = EMPTY};
	struct eventlog log = {&e, 1};
	struct ratls_error err;

	(void)state;
	e.digest = cur_of(digest, 48);
	assert_true(eventlog_extend(expected, digest));
	assert_int_equal(eventlog_replay(&log, 1, rtmr, NULL), RATLS_OK);
	assert_memory_equal(rtmr, expected, 48);
	e.digest = cur_of(NULL, 0);
	assert_int_equal(eventlog_replay(&log, 1, rtmr, &err), RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_EVENTLOG_STRIPPED);
	assert_memory_equal(rtmr, expected, 48);
}

/* The fields decide, not the digest beside them. */
static void a_runtime_event_with_a_foreign_digest_is_refused(void **state)
{
	struct event e = runtime_event(1, "app-id", "\xde\xad\xbe\xef");
	struct eventlog log = {&e, 1};
	struct ratls_error err;
	uint8_t digest[48], rtmr[48];

	(void)state;
	assert_true(event_runtime_digest(&e, digest));
	e.digest = cur_of(digest, 48);
	assert_int_equal(eventlog_check(&log, NULL), RATLS_OK);
	assert_int_equal(eventlog_replay(&log, 3, rtmr, NULL), RATLS_OK);
	digest[47] ^= 1;
	assert_int_equal(eventlog_check(&log, &err), RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_EVENTLOG_DIGEST);
	assert_int_equal(eventlog_replay(&log, 3, rtmr, &err), RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_EVENTLOG_DIGEST);
}

static void fields_that_cannot_be_are_refused(void **state)
{
	static const uint8_t digest[49];
	static const struct {
		const char *what;
		uint32_t imr, type, version;
		size_t digest;
	} rows[] = {
		{"register 4", 4, 6, 1, 48},
		{"register 0xffffffff", UINT32_MAX, 6, 1, 48},
		{"version 0", 0, 6, 0, 48},
		{"version 3", 3, EVENTLOG_RUNTIME_TYPE, 3, 0},
		{"a digest of 47 bytes", 0, 6, 1, 47},
		{"a digest of 49 bytes", 0, 6, 1, 49},
		{"a digest of one byte", 3, EVENTLOG_RUNTIME_TYPE, 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event e = {.imr = rows[i].imr,
			.type = rows[i].type,
			.version = rows[i].version,
			.digest = cur_of(digest, rows[i].digest),
			.name = EMPTY,
			.payload = EMPTY,
			.preimage = EMPTY};
		struct eventlog log = {&e, 1};
		struct ratls_error err = {0};

		if (eventlog_check(&log, &err) != RATLS_E_FORMAT || err.reason != REASON_EVENTLOG_EVENT)
			fail_msg("%s: TQ-%d", rows[i].what, err.reason);
	}
}

/* Version 2: a certificate carries neither digest nor preimage; who carries one must carry it right. The
 * text is {"name":"compose-hash","payload":"abcd","type":134217729}. */
#define PREIMAGE                                                                                             \
	"7b226e616d65223a22636f6d706f73652d68617368222c227061796c6f6164223a2261626364222c"                   \
	"2274797065223a3133343231373732397d"

static void preimages_of_version_2(void **state)
{
	static const struct {
		const char *what;
		uint32_t version;
		bool digest;
		const char *preimage;
		int reason;
	} rows[] = {
		{"stripped", 2, false, "", 0},
		{"whole", 2, true, PREIMAGE, 0},
		{"preimage alone", 2, false, PREIMAGE, 0},
		{"digest without preimage", 2, true, "", REASON_EVENTLOG_PREIMAGE},
		{"no hex", 2, true, "x" PREIMAGE, REASON_EVENTLOG_PREIMAGE},
		{"something else", 2, false, "7b7d", REASON_EVENTLOG_PREIMAGE},
		{"one byte more", 2, false, PREIMAGE "00", REASON_EVENTLOG_PREIMAGE},
		{"preimage of version 1", 1, false, PREIMAGE, REASON_EVENTLOG_PREIMAGE},
	};
	struct event e = runtime_event(2, "compose-hash", "\xab\xcd");
	struct eventlog log = {&e, 1};
	uint8_t digest[48];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ratls_error err = {0};
		int rc;

		e.version = rows[i].version;
		assert_true(event_runtime_digest(&e, digest));
		e.digest = cur_of(digest, rows[i].digest ? 48 : 0);
		e.preimage = cur_of(rows[i].preimage, strlen(rows[i].preimage));
		rc = eventlog_check(&log, &err);
		if (rc != (rows[i].reason == 0 ? RATLS_OK : RATLS_E_FORMAT) || err.reason != rows[i].reason)
			fail_msg("%s: %d, TQ-%d", rows[i].what, rc, err.reason);
	}
}

static void both_lists_must_tell_the_same(void **state)
{
	struct event a = runtime_event(1, "a", "1"), b = runtime_event(1, "b", "2");
	struct event firmware = {.imr = 0,
		.type = 10,
		.version = 1,
		.digest = EMPTY,
		.name = EMPTY,
		.payload = EMPTY,
		.preimage = EMPTY};
	struct event other_payload = runtime_event(1, "b", "3"), other_version = runtime_event(2, "b", "2"),
		     other_type = b, other_name = runtime_event(1, "B", "2");
	struct event runtime_events[] = {a, b};
	const struct eventlog runtime = {runtime_events, 2}, none = {NULL, 0};
	struct event logs[][3] = {
		{a, firmware, b},
		{b, firmware, a},
		{a, firmware, firmware},
		{a, b, b},
		{a, firmware, other_payload},
		{a, firmware, other_version},
		{a, firmware, other_name},
		{a, firmware, other_type},
	};

	(void)state;
	logs[7][2].type = 6;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct eventlog log = {logs[i], 3};
		struct ratls_error err = {0};
		int rc = eventlog_compare(&log, &runtime, &err);

		if (rc != (i == 0 ? RATLS_OK : RATLS_E_FORMAT) ||
			(i > 0 && err.reason != REASON_EVENTLOG_RUNTIME))
			fail_msg("row %zu: %d, TQ-%d", i, rc, err.reason);
	}
	assert_int_equal(eventlog_compare(&none, &none, NULL), RATLS_OK);
	assert_int_equal(eventlog_compare(&none, &runtime, NULL), RATLS_E_FORMAT);
	assert_int_equal(eventlog_compare(&runtime, &none, NULL), RATLS_E_FORMAT);
}

static void the_first_difference_of_a_register(void **state)
{
	struct event ours[] = {runtime_event(1, "a", "1"), runtime_event(1, "b", "2"), runtime_event(1, "c", "3")};
	struct event theirs[] = {runtime_event(1, "x", "1"), runtime_event(1, "a", "1"), runtime_event(1, "b", "3"),
		runtime_event(1, "c", "3")};
	struct eventlog a = {ours, 3}, b = {theirs, 4}, same = {ours, 3}, none = {NULL, 0};
	struct eventlog_difference d = {0};

	(void)state;
	theirs[0].imr = 2; /* of another register: not compared */
	assert_false(eventlog_differ(&a, &same, 3, &d));
	assert_false(eventlog_differ(&a, &none, 2, &d));
	assert_true(eventlog_differ(&a, &b, 3, &d));
	assert_int_equal(d.at, 1);
	assert_ptr_equal(d.a, &ours[1]);
	assert_ptr_equal(d.b, &theirs[2]);
	assert_true(eventlog_differ(&a, &b, 2, &d));
	assert_int_equal(d.at, 0);
	assert_null(d.a);
	assert_ptr_equal(d.b, &theirs[0]);
	/* The same payload by another version is another digest; an event that has none is like no other. */
	same.events = &theirs[1];
	theirs[2] = runtime_event(2, "b", "2");
	assert_true(eventlog_differ(&a, &same, 3, &d));
	assert_int_equal(d.at, 1);
	theirs[1].type = ours[0].type = 1;
	assert_true(eventlog_differ(&a, &same, 3, &d));
	assert_int_equal(d.at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_of_both_versions),
		cmocka_unit_test(canonical_text_escapes_as_rfc_8785),
		cmocka_unit_test(versions_replay_mixed),
		cmocka_unit_test(a_real_boot_replays),
		cmocka_unit_test(replay_of_nothing_is_zero),
		cmocka_unit_test(a_stripped_firmware_event_stops_the_replay),
		cmocka_unit_test(a_runtime_event_with_a_foreign_digest_is_refused),
		cmocka_unit_test(fields_that_cannot_be_are_refused),
		cmocka_unit_test(preimages_of_version_2),
		cmocka_unit_test(both_lists_must_tell_the_same),
		cmocka_unit_test(the_first_difference_of_a_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
