/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/instant.h"

static void moments_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t at;
	} good[] = {
		{"0", 0},
		{"1751600000", 1751600000},
		{"2025-07-04T03:33:20Z", 1751600000},
		{"2025-07-04t03:33:20z", 1751600000},
		{"2025-07-04 03:33:20.999Z", 1751600000},
		{"2025-07-04T05:33:20+02:00", 1751600000},
		{"2025-07-03T22:03:20-05:30", 1751600000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t at = -1;

		assert_int_equal(instant_parse(good[i].text, &at, NULL), RATLS_OK);
		assert_int_equal(at, good[i].at);
	}
}

static void what_is_no_moment_is_refused(void **state)
{
	static const char *const bad[] = {"", "now", "-1", "1x", "1234567890123", "2025-07-04",
		"2025-07-04T03:33:20", "2025-02-29T00:00:00Z", "2025-07-04T24:00:00Z",
		"2025-07-04T03:33:20.Z", "2025-07-04T03:33:20+2:00", "2025-07-04T03:33:20+24:00",
		"2025-07-04T03:33:20ZZ"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t at = -1;

		assert_int_equal(instant_parse(bad[i], &at, NULL), RATLS_E_ARG);
		assert_int_equal(at, -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_are_read),
		cmocka_unit_test(what_is_no_moment_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
