/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cur.h"

static void reads_in_order_and_ends_exactly(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 'h', 'i', 0, 9};
	struct cur c = cur_of(bytes, sizeof(bytes)), text;

	(void)state;
	assert_int_equal(cur_u8(&c), 1);
	assert_int_equal(cur_u16le(&c), 0x0302);
	assert_int_equal(cur_u32be(&c), 0x04050607);
	text = cur_cstr(&c);
	assert_true(cur_is_str(&text, "hi"));
	assert_false(cur_done(&c));
	assert_int_equal(cur_u8(&c), 9);
	assert_true(cur_done(&c));
}

static void a_failed_read_is_sticky(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct cur c = cur_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(cur_u32le(&c), 0);
	assert_false(cur_ok(&c));
	assert_int_equal(cur_u8(&c), 0);
	assert_true(cur_take(&c, 0).bad);
	assert_false(cur_done(&c));
}

static void nothing_is_read_past_the_end(void **state)
{
	struct cur c = cur_of(NULL, 0), rest;

	(void)state;
	assert_true(cur_done(&c));
	assert_int_equal(cur_take(&c, 0).left, 0);
	assert_true(cur_done(&c));
	rest = cur_take(&c, SIZE_MAX);
	assert_true(rest.bad);
	assert_int_equal(rest.left, 0);
}

static void a_string_without_nul_is_bad(void **state)
{
	struct cur c = cur_of("abc", 3);

	(void)state;
	assert_true(cur_cstr(&c).bad);
	assert_false(cur_ok(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_order_and_ends_exactly),
		cmocka_unit_test(a_failed_read_is_sticky),
		cmocka_unit_test(nothing_is_read_past_the_end),
		cmocka_unit_test(a_string_without_nul_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
