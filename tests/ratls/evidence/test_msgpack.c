/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "evidence/msgpack.h"

#define BYTES(s) cur_of(s, sizeof(s) - 1)

static void unsigned_integers_in_every_form(void **state)
{
	const struct {
		struct cur bytes;
		uint64_t value;
	} rows[] = {
		{BYTES("\x00"), 0},
		{BYTES("\x7f"), 127},
		{BYTES("\xcc\xff"), 255},
		{BYTES("\xcd\x01\x00"), 256},
		{BYTES("\xce\x08\x00\x00\x01"), 0x08000001},
		{BYTES("\xcf\x01\x02\x03\x04\x05\x06\x07\x08"), 0x0102030405060708},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cur c = rows[i].bytes;

		assert_int_equal(msgpack_uint(&c), rows[i].value);
		assert_true(cur_done(&c));
	}
}

static void what_is_no_unsigned_integer_is_refused(void **state)
{
	const struct cur rows[] = {BYTES(""), BYTES("\xcc"), BYTES("\xce\x01\x02\x03"), BYTES("\xe0"),
		BYTES("\xff"), BYTES("\xd0\x01"), BYTES("\xd3\0\0\0\0\0\0\0\1"), BYTES("\xc0"), BYTES("\xc1"),
		BYTES("\xc3"), BYTES("\xca\0\0\0\0"), BYTES("\xa1\x31"), BYTES("\x90"), BYTES("\x80"),
		BYTES("\xc4\x01\x01")};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cur c = rows[i];

		assert_int_equal(msgpack_uint(&c), 0);
		assert_false(cur_ok(&c));
	}
}

static void a_u32_has_an_end(void **state)
{
	struct cur c = BYTES("\xcf\x00\x00\x00\x00\xff\xff\xff\xff");

	(void)state;
	assert_int_equal(msgpack_u32(&c), UINT32_MAX);
	assert_true(cur_done(&c));
	c = BYTES("\xcf\x00\x00\x00\x01\x00\x00\x00\x00");
	assert_int_equal(msgpack_u32(&c), 0);
	assert_false(cur_ok(&c));
}

static void text_is_utf8_of_any_length_form(void **state)
{
	const struct cur good[] = {BYTES("\xa2hi"), BYTES("\xd9\x02hi"), BYTES("\xda\x00\x02hi"),
		BYTES("\xdb\x00\x00\x00\x02hi")};
	const struct cur bad[] = {BYTES("\xa3hi"), BYTES("\xdb\xff\xff\xff\xffhi"), BYTES("\xc4\x02hi"),
		BYTES("\xa1\x80"), BYTES("\x02")};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct cur c = good[i], text = msgpack_text(&c);

		assert_true(cur_is_str(&text, "hi"));
		assert_true(cur_done(&c));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cur c = bad[i];

		msgpack_text(&c);
		assert_false(cur_ok(&c));
	}
}

/* Both of the forms that writers use come to the same bytes. */
static void bytes_come_as_bin_or_as_integers(void **state)
{
	const struct cur good[] = {BYTES("\xc4\x03\x01\x02\xc8"), BYTES("\xc5\x00\x03\x01\x02\xc8"),
		BYTES("\x93\x01\x02\xcc\xc8"), BYTES("\xdc\x00\x03\x01\x02\xcd\x00\xc8")};
	const struct cur bad[] = {BYTES("\xc4\x04\x01\x02\xc8"), BYTES("\x93\x01\x02"),
		BYTES("\x91\xcd\x01\x00"), BYTES("\x91\xff"), BYTES("\x91\xa0"), BYTES("\xa1\x01"),
		BYTES("\xdd\xff\xff\xff\xff\x01"), BYTES("")};
	uint8_t room[16];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct cur c = good[i], bytes;
		struct store measure = {0}, store;

		bytes = msgpack_bytes(&c, &measure);
		assert_true(cur_done(&c));
		assert_int_equal(bytes.left, 3);
		assert_int_equal(measure.used, i < 2 ? 0 : STORE_ALIGN);
		store = (struct store){.p = room, .size = measure.used};
		c = good[i];
		bytes = msgpack_bytes(&c, &store);
		assert_true(cur_is(&bytes, "\x01\x02\xc8", 3));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cur c = bad[i];
		struct store measure = {0};

		msgpack_bytes(&c, &measure);
		assert_false(cur_ok(&c));
		assert_true(measure.used <= 8);
	}
}

static void every_type_is_skipped_whole(void **state)
{
	const struct cur rows[] = {BYTES("\x05"), BYTES("\xe1"), BYTES("\xc0"), BYTES("\xc2"), BYTES("\xc3"),
		BYTES("\xc4\x01\xff"), BYTES("\xc5\x00\x01\xff"), BYTES("\xc6\x00\x00\x00\x01\xff"),
		BYTES("\xc7\x01\x05\xff"), BYTES("\xc8\x00\x01\x05\xff"),
		BYTES("\xc9\x00\x00\x00\x01\x05\xff"), BYTES("\xca\1\2\3\4"), BYTES("\xcb\1\2\3\4\5\6\7\x08"),
		BYTES("\xcc\x01"), BYTES("\xcd\x01\x01"), BYTES("\xce\1\1\1\1"),
		BYTES("\xcf\1\1\1\1\1\1\1\1"), BYTES("\xd0\x01"), BYTES("\xd1\x01\x01"),
		BYTES("\xd2\1\1\1\1"), BYTES("\xd3\1\1\1\1\1\1\1\1"), BYTES("\xd4\x05\x01"),
		BYTES("\xd5\x05\1\1"), BYTES("\xd6\x05\1\1\1\1"), BYTES("\xd7\x05\1\1\1\1\1\1\1\1"),
		BYTES("\xd8\x05\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"), BYTES("\xa1x"), BYTES("\xd9\x01x"),
		BYTES("\xda\x00\x01x"), BYTES("\xdb\x00\x00\x00\x01x"), BYTES("\x90"),
		BYTES("\x92\x01\x91\x02"), BYTES("\xdc\x00\x01\x01"), BYTES("\xdd\x00\x00\x00\x01\x01"),
		BYTES("\x80"), BYTES("\x81\xa1x\x81\xa1y\x90"), BYTES("\xde\x00\x01\x01\x02"),
		BYTES("\xdf\x00\x00\x00\x01\x01\x02")};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cur c = rows[i], span = msgpack_skip(&c);

		if (!cur_done(&c) || !cur_eq(&span, &rows[i]))
			fail_msg("row %zu", i);
		for (size_t n = 0; n < rows[i].left; n++) {
			c = cur_of(rows[i].p, n);
			assert_int_equal(msgpack_skip(&c).left, 0);
			assert_false(cur_ok(&c));
		}
	}
}

/* Neither depth nor a count that is not there costs anything. */
static void nesting_and_false_counts_cost_nothing(void **state)
{
	const struct cur counts[] = {BYTES("\xdd\xff\xff\xff\xff\xc0\xc0"),
		BYTES("\xdf\xff\xff\xff\xff\xc0\xc0"),
		BYTES("\x93\xdf\xff\xff\xff\xff\xdf\xff\xff\xff\xff\xdf\xff\xff\xff\xff"), BYTES("\xc1")};
	struct buf deep = {0};
	struct cur c;

	(void)state;
	for (size_t i = 0; i < 1 << 20; i++)
		buf_u8(&deep, 0x91);
	c = cur_of(deep.p, deep.len);
	msgpack_skip(&c);
	assert_false(cur_ok(&c));
	deep.p[deep.len - 1] = 0xc0;
	c = cur_of(deep.p, deep.len);
	assert_int_equal(msgpack_skip(&c).left, deep.len);
	assert_true(cur_done(&c));
	buf_done(&deep);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		c = counts[i];
		msgpack_skip(&c);
		assert_false(cur_ok(&c));
	}
}

static void a_map_is_read_by_name(void **state)
{
	static const char *const names[] = {"a", "bb", "none"};
	struct cur c = BYTES("\x83\242bb\x92\x01\x02\xa1z\x81\241a\x07\241a\xa0"), v[3];

	(void)state;
	assert_null(msgpack_map(&c, names, v, 3));
	assert_true(cur_done(&c));
	assert_true(cur_is(&v[0], "\xa0", 1));
	assert_true(cur_is(&v[1], "\x92\x01\x02", 3));
	assert_int_equal(v[2].left, 0);
	assert_true(cur_ok(&v[2]));

	c = BYTES("\x82\xa1z\x01\xa1z\x02");
	assert_null(msgpack_map(&c, names, v, 3));
	assert_true(cur_done(&c));
}

static void a_map_with_a_known_key_twice_names_it(void **state)
{
	static const char *const names[] = {"a", "bb"};
	struct cur c = BYTES("\x83\241a\x01\242bb\x01\242bb\x01"), v[2];

	(void)state;
	assert_string_equal(msgpack_map(&c, names, v, 2), "bb");
}

static void what_is_no_map_of_text_is_refused(void **state)
{
	static const char *const names[] = {"a"};
	const struct cur rows[] = {BYTES(""), BYTES("\x90"), BYTES("\x81"), BYTES("\x81\241a"),
		BYTES("\x81\x01\x01"), BYTES("\x82\241a\x01"), BYTES("\xdf\xff\xff\xff\xff\241a\x01"),
		BYTES("\x81\xc4\001a\x01")};
	struct cur v[1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cur c = rows[i];

		assert_null(msgpack_map(&c, names, v, 1));
		assert_false(cur_ok(&c));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsigned_integers_in_every_form),
		cmocka_unit_test(what_is_no_unsigned_integer_is_refused),
		cmocka_unit_test(a_u32_has_an_end),
		cmocka_unit_test(text_is_utf8_of_any_length_form),
		cmocka_unit_test(bytes_come_as_bin_or_as_integers),
		cmocka_unit_test(every_type_is_skipped_whole),
		cmocka_unit_test(nesting_and_false_counts_cost_nothing),
		cmocka_unit_test(a_map_is_read_by_name),
		cmocka_unit_test(a_map_with_a_known_key_twice_names_it),
		cmocka_unit_test(what_is_no_map_of_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
