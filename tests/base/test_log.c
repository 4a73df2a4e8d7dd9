/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static int standard_error, pipes[2];

static int take_standard_error(void **state)
{
	(void)state;
	standard_error = dup(STDERR_FILENO);
	return pipe(pipes) < 0 || dup2(pipes[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int give_standard_error(void **state)
{
	(void)state;
	dup2(standard_error, STDERR_FILENO);
	close(standard_error);
	close(pipes[0]);
	close(pipes[1]);
	return 0;
}

/* What is in the pipe now, as text. */
static void drain(char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	while (len < size - 1 && (n = read(pipes[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
}

/* Nobody reads: the program goes on, and says later what is missing. */
static void a_log_that_nobody_reads_stops_nobody(void **state)
{
	static char text[1 << 20];
	char expected[64];
	unsigned written = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		log_event(LOG_LEVEL_INFO, 0, NULL, "%0400d", i);
	drain(text, sizeof(text));
	for (const char *p = text; (p = strstr(p, "msg=")) != NULL; p++)
		written++;
	assert_in_range(written, 1, 999);
	assert_int_equal(text[strlen(text) - 1], '\n');
	log_event(LOG_LEVEL_INFO, 0, NULL, "heard again");
	log_event(LOG_LEVEL_INFO, 0, NULL, "and again");
	drain(text, sizeof(text));
	snprintf(expected, sizeof(expected), "msg=\"heard again\" suppressed_before=\"%u\"\n", 1000 - written);
	assert_non_null(strstr(text, expected));
	assert_non_null(strstr(text, "msg=\"and again\"\n"));
}

/* What a peer wrote can neither end the line nor imitate a field. */
static void a_value_stays_in_its_quotes(void **state)
{
	char text[4096];

	(void)state;
	log_event(LOG_LEVEL_INFO, 7, (struct log_field[]){{"path", "a\" b=\"c\n\x7f\xff"}, {0}}, "%s", "x\\");
	drain(text, sizeof(text));
	assert_non_null(strstr(text, " info conn=7 msg=\"x\\\\\" path=\"a\\\" b=\\\"c\\u000a\\u007f\\u00ff\"\n"));
	log_event(LOG_LEVEL_INFO, 0, NULL, "caf\xc3\xa9 \xc2\x9b" "2J \xe2\x80\xae");
	drain(text, sizeof(text));
	assert_non_null(strstr(text, "msg=\"caf\xc3\xa9 \\u009b2J \\u202e\"\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_log_that_nobody_reads_stops_nobody, take_standard_error, give_standard_error),
		cmocka_unit_test_setup_teardown(a_value_stays_in_its_quotes, take_standard_error, give_standard_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
