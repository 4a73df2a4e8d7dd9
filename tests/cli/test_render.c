/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/render.h"

/* The text of a report in which these words of a peer, or of collateral, stand. */
static char *rendered(const char *words)
{
	json_t *report = json_pack("{s:s, s:s, s:{s:s, s:[s], s:[{s:s, s:i, s:i, s:s}]}, s:{s:s, s:s, s:i, s:b}, s:{s:s}}",
		"verdict", "reject", "message", words, "tcb", "status", words, "advisories", words, "shortfalls",
		"component", words, "is", 1, "needs", 2, "remedy", "", "forecast", "status", words, "message", "there is one",
		"evaluation_data_number", 20, "announced", 1, "app", "key_provider", words);
	const struct render_style style = {.verbose = true};
	struct buf out = {0};
	char *text;

	assert_non_null(report);
	render_report(report, &style, &out);
	text = buf_take_str(&out);
	assert_non_null(text);
	json_decref(report);
	return text;
}

static size_t lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static void words_of_others_steer_no_terminal(void **state)
{
	static const char *const bad[] = {"X\nVerdict: PASS", "\x1b[2J", "\xc2\x9b" "2J", "\xe2\x80\xae" "SSAP"};
	char *plain = rendered("words");

	(void)state;
	assert_non_null(strstr(plain, "words, not accepted, once evaluation data number 20"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *text = rendered(bad[i]);

		assert_int_equal(lines(text), lines(plain));
		assert_null(strstr(text, "\nVerdict: PASS"));
		for (const char *steers = "\x1b\x9b\xae"; *steers != '\0'; steers++)
			assert_null(strchr(text, *steers));
		free(text);
	}
	free(plain);
}

static void a_long_value_ends_behind_a_whole_character(void **state)
{
	json_t *report = json_object(), *app = json_object();
	const struct render_style style = {.verbose = false};
	struct buf out = {0};
	char words[128], *text;

	(void)state;
	memset(words, 'a', 71); /* the 72nd byte is the first of two */
	strcpy(words + 71, "\xc3\xa9 and more");
	json_object_set_new(app, "key_provider", json_string(words));
	json_object_set_new(report, "app", app);
	render_facts(report, &style, &out);
	text = buf_take_str(&out);
	assert_non_null(strstr(text, "a...\n"));
	free(text);
	json_decref(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_others_steer_no_terminal),
		cmocka_unit_test(a_long_value_ends_behind_a_whole_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
