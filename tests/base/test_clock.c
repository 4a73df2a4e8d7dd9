/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void what_is_written_is_read_again(void **state)
{
	static const char *const texts[] = {"0000-01-01T00:00:00Z", "0113-09-21T14:13:50Z",
		"0999-12-31T23:59:59Z", "1000-01-01T00:00:00Z", "1970-01-01T00:00:00Z",
		"2024-02-29T12:00:00Z", "9999-12-31T23:59:59Z"};
	char text[CLOCK_TEXT_SIZE];
	int64_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(clock_parse_utc(texts[i], strlen(texts[i]), &at));
		clock_format(at, text);
		assert_string_equal(text, texts[i]);
	}
}

static void what_has_no_such_text_is_a_number(void **state)
{
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	clock_format(INT64_C(253402300800), text); /* the year 10000 */
	assert_string_equal(text, "253402300800");
	clock_format(INT64_MAX, text);
	assert_string_equal(text, "9223372036854775807");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(what_has_no_such_text_is_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
