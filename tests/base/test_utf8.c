/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void well_formed_text_is_accepted(void **state)
{
	static const char *const good[] = {"", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
		"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x98"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(utf8_valid(cur_of(good[i], strlen(good[i]))));
	assert_true(utf8_valid(cur_of("a\0b", 3)));
}

static void malformed_text_is_refused(void **state)
{
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x7f",
		"\xc2\xc0", "\xe0\x9f\xbf", "\xe1\x80", "\xe1\x80\x41", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
		"\xf1\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "ok then \xfe"};
	struct cur broken = cur_of("a", 1);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (utf8_valid(cur_of(bad[i], strlen(bad[i]))))
			fail_msg("row %zu", i);
	cur_take(&broken, 2);
	assert_false(utf8_valid(broken));
}

static void words_of_others_become_text(void **state)
{
	char good[] = "caf\xc3\xa9", cut[] = "caf\xc3", latin[] = "caf\xe9 (nobody)";

	(void)state;
	utf8_clean(good);
	assert_string_equal(good, "caf\xc3\xa9");
	utf8_clean(cut);
	assert_string_equal(cut, "caf?");
	utf8_clean(latin);
	assert_string_equal(latin, "caf? (nobody)");
}

static void plain_words_steer_no_terminal(void **state)
{
	char words[] = "a~ \0b\x1b[31m\n\x7f caf\xc3\xa9";

	(void)state;
	assert_true(utf8_is_plain(""));
	assert_true(utf8_is_plain(" to ~"));
	assert_false(utf8_is_plain("a\x1b"));
	assert_false(utf8_is_plain("a\x7f"));
	assert_false(utf8_is_plain("caf\xc3\xa9"));
	utf8_make_plain(words, sizeof(words) - 1);
	assert_string_equal(words, "a~ ?b?[31m?? caf??");
}

static void what_steers_a_terminal_is_tamed(void **state)
{
	static const struct {
		const char *words, *tame;
	} rows[] = {
		{"plain gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x98", "plain gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x98"},
		{"a\nb\x1b[2J\x7f\t", "a?b?[2J??"},
		{"\xc2\x9b" "2J \xc2\x80\xc2\x9f \xc2\xa0", "??2J ???? \xc2\xa0"}, /* C1: CSI in one character */
		{"\xe2\x80\xaa\xe2\x80\xae" "cba \xe2\x81\xa6\xe2\x81\xa9", "??????cba ??????"},
		{"\xe2\x80\xa8\xe2\x80\xa9|\xe2\x80\x8e\xe2\x80\x8f|\xd8\x9c", "??????|??????|??"},
		{"\xe2\x80\xaf\xe2\x81\xaa\xe2\x80\xa7", "\xe2\x80\xaf\xe2\x81\xaa\xe2\x80\xa7"},
		{"caf\xe9 \xe2\x82", "caf? ??"},
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(text, rows[i].words);
		utf8_tame(text, strlen(text));
		assert_string_equal(text, rows[i].tame);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_text_is_accepted),
		cmocka_unit_test(malformed_text_is_refused),
		cmocka_unit_test(words_of_others_become_text),
		cmocka_unit_test(what_steers_a_terminal_is_tamed),
		cmocka_unit_test(plain_words_steer_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
