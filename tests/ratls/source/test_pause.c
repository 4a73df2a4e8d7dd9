/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source/http.h"
#include "source/pause.h"

#define NOW 1790000000 /* Mon, 21 Sep 2026 14:13:20 GMT */

static void failures_double_up_to_a_bound(void **state)
{
	int64_t whole = PAUSE_FIRST_MS;

	(void)state;
	for (unsigned n = 1; n < 100; n++) {
		assert_int_equal(pause_after_failures(n, UINT32_MAX), whole);
		assert_int_equal(pause_after_failures(n, 0), whole / 2);
		assert_in_range(pause_after_failures(n, 12345678), whole / 2, whole);
		whole = 2 * whole < PAUSE_MAX_MS ? 2 * whole : PAUSE_MAX_MS;
	}
	assert_int_equal(pause_after_failures(UINT32_MAX, UINT32_MAX), PAUSE_MAX_MS);
}

static void retry_after_is_seconds_or_a_date_and_bounded(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{NULL, -1},
		{"", -1},
		{"0", 0},
		{"30", 30000},
		{"3600", 3600000},
		{"3601", PAUSE_ASKED_MAX_MS},
		{"99999999999999999999999999999", PAUSE_ASKED_MAX_MS},
		{"-1", -1},
		{"1.5", -1},
		{"30s", -1},
		{" 30", -1},
		{"soon", -1},
		{"Mon, 21 Sep 2026 14:13:50 GMT", 30000},
		{"Mon, 21 Sep 2026 14:13:20 GMT", 0},
		{"Mon, 21 Sep 2026 14:13:19 GMT", 0},
		{"Fri, 31 Dec 9999 23:59:59 GMT", PAUSE_ASKED_MAX_MS},
		{"Monday, 21-Sep-26 14:13:50 GMT", -1},
		{"Mon, 21 Sep 2026 14:13:50 CET", -1},
		{"Mon, 31 Feb 2027 14:13:50 GMT", -1},
		{"Mon, 21 Foo 2026 14:13:50 GMT", -1},
		{"Mon, 21 Sep 2026 24:13:50 GMT", -1},
		{"Mon, xx Sep 2026 14:13:50 GMT", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (pause_asked(rows[i].text, NOW) != rows[i].ms)
			fail_msg("\"%s\": %lld ms", rows[i].text, (long long)pause_asked(rows[i].text, NOW));
}

static void dates_are_those_of_http(void **state)
{
	int64_t at = 0;

	(void)state;
	assert_true(http_date("Sun, 06 Nov 1994 08:49:37 GMT", &at)); /* the example of RFC 9110 */
	assert_int_equal(at, 784111777);
	assert_false(http_date("Sun, 06 Nov 1994 08:49:37 GMT ", &at));
	assert_false(http_date("Sun Nov  6 08:49:37 1994", &at));
}

static void refresh_is_within_a_day_and_well_before_the_end(void **state)
{
	const int64_t day_s = 86400, month_s = 30 * day_s;

	(void)state;
	assert_int_equal(pause_before_refresh(0, month_s, UINT32_MAX), PAUSE_REFRESH_MS);
	assert_int_equal(pause_before_refresh(0, month_s, 0), PAUSE_REFRESH_MS / 2);
	assert_int_equal(pause_before_refresh(0, day_s, UINT32_MAX), PAUSE_REFRESH_MS / 2);
	assert_int_equal(pause_before_refresh(0, INT64_MAX, UINT32_MAX), PAUSE_REFRESH_MS);
	/* What is as old as that is due. */
	assert_int_equal(
		pause_before_refresh(PAUSE_REFRESH_MS / 4, month_s, UINT32_MAX), 3 * PAUSE_REFRESH_MS / 4);
	assert_int_equal(pause_before_refresh(PAUSE_REFRESH_MS, month_s, UINT32_MAX), 0);
	assert_int_equal(pause_before_refresh(INT64_MAX, month_s, UINT32_MAX), 0);
	assert_int_equal(pause_before_refresh(-1, month_s, UINT32_MAX), 0);
	/* What is new and ends in this moment, or has ended, is not asked for in a circle. */
	assert_int_equal(pause_before_refresh(0, 1, UINT32_MAX), PAUSE_SOON_MS);
	assert_int_equal(pause_before_refresh(0, 0, 0), PAUSE_SOON_MS);
	assert_int_equal(pause_before_refresh(0, INT64_MIN, 0), PAUSE_SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_double_up_to_a_bound),
		cmocka_unit_test(retry_after_is_seconds_or_a_date_and_bounded),
		cmocka_unit_test(dates_are_those_of_http),
		cmocka_unit_test(refresh_is_within_a_day_and_well_before_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
