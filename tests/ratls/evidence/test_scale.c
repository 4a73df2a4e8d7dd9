/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evidence/scale.h"

static void compact_integers_in_their_shortest_form(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		uint32_t value;
	} rows[] = {
		{"\x00", 1, 0},
		{"\x04", 1, 1},
		{"\xfc", 1, 63},
		{"\x01\x01", 2, 64},
		{"\x49\x4e", 2, 5010},
		{"\xfd\xff", 2, 16383},
		{"\x02\x00\x01\x00", 4, 16384},
		{"\xfe\xff\xff\xff", 4, 0x3fffffff},
		{"\x03\x00\x00\x00\x40", 5, 0x40000000},
		{"\x03\xff\xff\xff\xff", 5, UINT32_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cur c = cur_of(rows[i].bytes, rows[i].len);

		assert_int_equal(scale_compact(&c), rows[i].value);
		assert_true(cur_done(&c));
		for (size_t n = 0; n < rows[i].len; n++) {
			c = cur_of(rows[i].bytes, n);
			assert_int_equal(scale_compact(&c), 0);
			assert_false(cur_ok(&c));
		}
	}
}

static void longer_forms_and_larger_integers_are_refused(void **state)
{
	static const char *const rows[] = {
		"\x01\x00\0\0\0\0\0\0\0",             /* 0 in two bytes */
		"\xfd\x00\0\0\0\0\0\0\0",             /* 63 in two */
		"\x02\x00\x00\x00\0\0\0\0\0",         /* 0 in four */
		"\xfe\xff\x00\x00\0\0\0\0\0",         /* 16383 in four */
		"\x03\xff\xff\xff\x3f\0\0\0\0",       /* 2^30-1 in big mode */
		"\x03\x00\x00\x00\x00\0\0\0\0",       /* 0 in big mode */
		"\x07\x00\x00\x00\x00\x01\0\0\0",     /* five bytes: more than 32 bits */
		"\xff\x00\x00\x00\x40\x00\x00\x00\0", /* 67 bytes */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cur c = cur_of(rows[i], 9);

		assert_int_equal(scale_compact(&c), 0);
		assert_false(cur_ok(&c));
	}
}

static void bytes_and_text_stay_within_the_input(void **state)
{
	struct cur c = cur_of("\014abc\x08"
			      "\xc3\xbcx",
			   8),
		   field;

	(void)state;
	field = scale_bytes(&c);
	assert_true(cur_is_str(&field, "abc"));
	field = scale_text(&c);
	assert_true(cur_is_str(&field, "\xc3\xbc"));
	assert_int_equal(c.left, 1);
	c = cur_of("\014ab", 3);
	assert_true(scale_bytes(&c).bad);
	c = cur_of("\x03\xff\xff\xff\377ab", 7);
	assert_true(scale_bytes(&c).bad);
	c = cur_of("\x04\xff", 2);
	scale_text(&c);
	assert_false(cur_ok(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compact_integers_in_their_shortest_form),
		cmocka_unit_test(longer_forms_and_larger_integers_are_refused),
		cmocka_unit_test(bytes_and_text_stay_within_the_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
