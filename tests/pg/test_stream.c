/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pg/stream.h"

/* CommandComplete, an empty body, ReadyForQuery. */
static const uint8_t messages[] = {'C', 0, 0, 0, 13, 'S', 'E', 'L', 'E', 'C', 'T', ' ', '1', 0, 'n', 0, 0, 0, 4, 'Z', 0, 0,
	0, 5, 'I'};

static bool is_between(size_t at)
{
	return at == 0 || at == 14 || at == 19 || at == sizeof(messages);
}

static void messages_end_where_they_end_however_they_are_cut(void **state)
{
	(void)state;
	for (size_t first = 0; first <= sizeof(messages); first++) {
		for (size_t second = first; second <= sizeof(messages); second++) {
			struct pg_stream s = {0};

			pg_stream_follow(&s, cur_of(messages, first));
			assert_int_equal(pg_stream_is_whole(&s), is_between(first));
			pg_stream_follow(&s, cur_of(messages + first, second - first));
			assert_int_equal(pg_stream_is_whole(&s), is_between(second));
		}
	}
}

/* What looks like ReadyForQuery inside of a row is none. */
static void the_content_of_a_message_is_not_looked_at(void **state)
{
	static const uint8_t row[] = {'D', 0, 0, 0, 24, 0, 2, 0, 0, 0, 4, 'Q', 'U', 'I', 'Z', 0, 0, 0, 5, 'I', 'v', 'o',
		'r', 'y'};
	struct pg_stream s = {0};

	(void)state;
	pg_stream_follow(&s, cur_of(row, 20));
	assert_false(pg_stream_is_whole(&s));
	pg_stream_follow(&s, cur_of(row + 20, 4));
	assert_false(pg_stream_is_whole(&s));
	pg_stream_follow(&s, cur_of("!", 1));
	assert_true(pg_stream_is_whole(&s));
}

static void a_length_that_no_message_has_loses_the_way(void **state)
{
	static const uint8_t wrong[][PG_HEADER_SIZE] = {{'E', 0, 0, 0, 3}, {'E', 0, 0, 0, 0}, {'E', 0x80, 0, 0, 0},
		{'E', 'c', 'o', 'u', 'l'}, {'E', 0xff, 0xff, 0xff, 0xff}};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct pg_stream s = {0};

		pg_stream_follow(&s, cur_of(wrong[i], PG_HEADER_SIZE));
		assert_false(pg_stream_is_whole(&s));
		pg_stream_follow(&s, cur_of(messages, sizeof(messages)));
		assert_false(pg_stream_is_whole(&s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_end_where_they_end_however_they_are_cut),
		cmocka_unit_test(the_content_of_a_message_is_not_looked_at),
		cmocka_unit_test(a_length_that_no_message_has_loses_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
