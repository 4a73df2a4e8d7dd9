/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests and registers are held against dstack's published values and against the reader of evidence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "base/hex.h"
#include "evidence/eventlog.h"
#include "simulator/forge_eventlog.h"

static struct forge_log log_of_test(void)
{
	struct forge_log log = {0};

	assert_true(forge_log_boot(&log, 0, FORGE_ACPI_TYPE, "acpi-rsdp", cur_of("ACPI DATA", 9)));
	assert_true(forge_log_boot(&log, 0, 4, "", cur_of("separator", 9)));
	assert_true(forge_log_boot(&log, 2, 6, "", cur_of("command line", 12)));
	assert_true(forge_log_runtime(&log, "app-id", cur_of("\xde\xad\xbe\xef", 4), 1));
	assert_true(forge_log_runtime(&log, "compose-hash", cur_of("\xab\xcd", 2), 2));
	return log;
}

static void check_hex(const uint8_t *bytes, const char *expected)
{
	char text[2 * FORGE_RTMR_SIZE + 1];

	hex_encode(bytes, FORGE_RTMR_SIZE, text);
	assert_string_equal(text, expected);
}

static void digests_and_register_are_dstacks(void **state)
{
	struct forge_log log = log_of_test();
	uint8_t rtmr[FORGE_RTMR_SIZE];

	(void)state;
	check_hex(log.events[3].digest, "67b4be4efed0893cfa2bb1d35dca209ad8348b4c97f980807bcde8b9a0f26398"
					"dd0923d6eccb5aa2096d98046da8740f");
	check_hex(log.events[4].digest, "9dde1673f544faa94b921825209593ddde08d0baf9cd6990175dffaf3081f1bb"
					"10311d56de189491feb33842a050ad7b");
	assert_true(forge_log_rtmr(&log, 3, rtmr));
	check_hex(rtmr, "e8334a42203613b4bf7e29440e497f23f0e8576c292b88bf43354e53fbc91bf8679419ac26bdaa7e"
			"9a835d540ccdd642");
	forge_log_done(&log);
}

/* The events as the reader sees them; the cursors point into log. */
static size_t as_read(const struct forge_log *log, struct event *ret)
{
	for (size_t i = 0; i < log->n; i++) {
		const struct forge_event *e = &log->events[i];

		ret[i] = (struct event){.imr = e->imr,
			.type = e->type,
			.version = e->version,
			.digest = cur_of(e->digest, e->stripped_digest ? 0 : sizeof(e->digest)),
			.name = cur_of(e->name, strlen(e->name)),
			.payload = cur_of(e->payload.p, e->payload.len),
			.preimage = cur_of(NULL, 0)};
	}
	return log->n;
}

static void the_reader_replays_to_the_same_registers(void **state)
{
	struct forge_log log = log_of_test();
	struct event events[8];
	struct eventlog read = {events, as_read(&log, events)};
	uint8_t forged[FORGE_RTMR_SIZE], replayed[EVENTLOG_RTMR_SIZE];

	(void)state;
	for (uint32_t imr = 0; imr < 4; imr++) {
		assert_true(forge_log_rtmr(&log, imr, forged));
		assert_int_equal(eventlog_replay(&read, imr, replayed, NULL), RATLS_OK);
		assert_memory_equal(forged, replayed, sizeof(forged));
	}
	forge_log_done(&log);
}

static void stripping_keeps_what_certificates_carry(void **state)
{
	struct forge_log log = log_of_test(), stripped = {0};
	struct event events[8];
	struct eventlog read;
	uint8_t whole[FORGE_RTMR_SIZE], replayed[EVENTLOG_RTMR_SIZE];

	(void)state;
	assert_true(forge_log_strip(&log, &stripped));
	assert_int_equal(stripped.n, 3);
	assert_string_equal(stripped.events[0].name, "acpi-rsdp");
	assert_false(stripped.events[0].stripped_digest);
	assert_true(stripped.events[1].stripped_digest);
	assert_int_equal(stripped.events[1].payload.len, 4);
	read = (struct eventlog){events, as_read(&stripped, events)};
	assert_true(forge_log_rtmr(&log, 3, whole));
	assert_int_equal(eventlog_replay(&read, 3, replayed, NULL), RATLS_OK);
	assert_memory_equal(whole, replayed, sizeof(whole));
	forge_log_done(&log);
	forge_log_done(&stripped);
}

static void json_has_every_field(void **state)
{
	struct forge_log log = log_of_test();
	struct buf text = {0};
	json_t *list, *e;

	(void)state;
	assert_true(forge_log_json(&log, &text));
	list = json_loadb((const char *)text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_array_size(list), 5);
	e = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(e, "event_payload")), "414350492044415441");
	e = json_array_get(list, 3);
	assert_string_equal(json_string_value(json_object_get(e, "event_payload")), "deadbeef");
	assert_int_equal(strlen(json_string_value(json_object_get(e, "digest"))), 96);
	assert_null(json_object_get(e, "version"));
	e = json_array_get(list, 4);
	assert_int_equal(json_integer_value(json_object_get(e, "version")), 2);
	assert_int_equal(json_integer_value(json_object_get(e, "event_type")), 134217729);
	json_decref(list);
	buf_done(&text);
	forge_log_done(&log);
}

static void a_full_log_takes_no_more(void **state)
{
	static struct forge_log log;

	(void)state;
	for (size_t i = 0; i < FORGE_EVENTS_MAX; i++)
		assert_true(forge_log_runtime(&log, "event", cur_of(NULL, 0), 1));
	assert_false(forge_log_runtime(&log, "event", cur_of(NULL, 0), 1));
	forge_log_done(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_and_register_are_dstacks),
		cmocka_unit_test(the_reader_replays_to_the_same_registers),
		cmocka_unit_test(stripping_keeps_what_certificates_carry),
		cmocka_unit_test(json_has_every_field),
		cmocka_unit_test(a_full_log_takes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
