/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "evidence/eventlog_json.h"
#include "sample/sample.h"

static int measure(const char *text, struct eventlog *ret, struct ratls_error *err)
{
	struct store store = {0};

	*err = (struct ratls_error){0};
	return eventlog_json_read(cur_of(text, strlen(text)), &store, ret, err);
}

static void fields_are_decoded_and_copied(void **state)
{
	char text[] = "[{\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"a\\u00fc\\\"\","
		      "\"event_payload\":\"deADbe\",\"version\":2,\"preimage\":\"7b7d\",\"new\":[{}]},"
		      "{\"imr\":0,\"event_type\":4294967295,\"event\":\"\",\"event_payload\":\"\","
		      "\"preimage\":null}]";
	struct store sizes = {0}, store;
	struct eventlog log;
	const struct event *e;
	size_t len = strlen(text);

	(void)state;
	assert_int_equal(eventlog_json_read(cur_of(text, len), &sizes, &log, NULL), RATLS_OK);
	assert_int_equal(log.n, 2);
	store = (struct store){.p = malloc(sizes.used), .size = sizes.used};
	assert_int_equal(eventlog_json_read(cur_of(text, len), &store, &log, NULL), RATLS_OK);
	assert_int_equal(store.used, sizes.used);
	memset(text, 0, sizeof(text));
	e = log.events;
	assert_int_equal(e[0].imr, 3);
	assert_int_equal(e[0].type, EVENTLOG_RUNTIME_TYPE);
	assert_int_equal(e[0].version, 2);
	assert_int_equal(e[0].digest.left, 0);
	assert_true(cur_is_str(&e[0].name, "a\xc3\xbc\""));
	assert_true(cur_is_str(&e[0].payload, "\xde\xad\xbe"));
	assert_true(cur_is_str(&e[0].preimage, "7b7d"));
	assert_int_equal(e[1].type, UINT32_MAX);
	assert_int_equal(e[1].version, 1);
	assert_int_equal(e[1].preimage.left, 0);
	free(store.p);
}

#define EVENT "\"imr\":3,\"event_type\":1,\"event\":\"x\",\"event_payload\":\"00\""

static void what_is_no_event_log_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"null",
		"{}",
		"[",
		"[] x",
		"[]]",
		"[1]",
		"[{}]",
		"[{" EVENT "}",
		"[{" EVENT ",\"imr\":3}]",
		"[{" EVENT ",\"digest\":\"0\"}]",
		"[{" EVENT ",\"digest\":\"0g\"}]",
		"[{" EVENT ",\"digest\":1}]",
		"[{" EVENT ",\"version\":\"2\"}]",
		"[{" EVENT ",\"version\":-1}]",
		"[{" EVENT ",\"version\":null}]",
		"[{" EVENT ",\"preimage\":7}]",
		"[{\"imr\":3,\"event_type\":1,\"event\":\"x\"}]",
		"[{\"imr\":3,\"event_type\":1,\"event_payload\":\"00\"}]",
		"[{\"imr\":3.0,\"event_type\":1,\"event\":\"x\",\"event_payload\":\"00\"}]",
		"[{\"imr\":4294967296,\"event_type\":1,\"event\":\"x\",\"event_payload\":\"00\"}]",
		"[{\"imr\":3,\"event_type\":1,\"event\":\"x\\u0000\",\"event_payload\":\"00\"}]",
		"[{\"imr\":3,\"event_type\":1,\"event\":\"\xff\",\"event_payload\":\"00\"}]",
	};
	struct ratls_error err;
	struct eventlog log;

	(void)state;
	assert_int_equal(measure("[{" EVENT "}]", &log, &err), RATLS_OK);
	assert_int_equal(measure("[]", &log, &err), RATLS_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* Hex is looked at where it is decoded: on the run that fills. */
		_Alignas(STORE_ALIGN) uint8_t room[1024];
		struct store store = {.p = room, .size = sizeof(room)};
		int rc = eventlog_json_read(cur_of(rows[i], strlen(rows[i])), &store, &log, &err);

		if (rc != RATLS_E_FORMAT || err.reason != REASON_EVENTLOG_FORMAT)
			fail_msg("%s: %d, TQ-%d", rows[i], rc, err.reason);
	}
}

static void the_number_of_events_has_a_maximum(void **state)
{
	struct ratls_error err;
	struct eventlog log;

	(void)state;
	for (size_t n = EVENTLOG_EVENTS_MAX; n <= EVENTLOG_EVENTS_MAX + 1; n++) {
		struct buf b = {0};
		char *text;

		for (size_t i = 0; i < n; i++)
			buf_fmt(&b, "%c{%s}", i == 0 ? '[' : ',', EVENT);
		buf_u8(&b, ']');
		text = buf_take_str(&b);
		assert_int_equal(
			measure(text, &log, &err), n == EVENTLOG_EVENTS_MAX ? RATLS_OK : RATLS_E_FORMAT);
		assert_int_equal(err.reason, n == EVENTLOG_EVENTS_MAX ? 0 : REASON_EVENTLOG_COUNT);
		free(text);
	}
}

static void every_truncation_is_refused(void **state)
{
	struct buf b = {0};

	(void)state;
	sample_eventlog_json(&b);
	for (size_t n = 0; n < b.len; n++) {
		struct store store = {0};
		struct eventlog log;

		assert_int_equal(eventlog_json_read(cur_of(b.p, n), &store, &log, NULL), RATLS_E_FORMAT);
	}
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_decoded_and_copied),
		cmocka_unit_test(what_is_no_event_log_is_refused),
		cmocka_unit_test(the_number_of_events_has_a_maximum),
		cmocka_unit_test(every_truncation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
