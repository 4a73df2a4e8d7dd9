/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/opt.h"
#include "base/reason.h"

enum speed { SPEED_AUTO, SPEED_SLOW, SPEED_FAST, SPEED_QUICK };
enum answer { ANSWER_AUTO, ANSWER_YES, ANSWER_NO };

struct config {
	char *listen;
	enum speed speed;
	enum answer answer;
	char **mrtd;
	bool require, insecure_debug;
	uint64_t threads, limit;
	int64_t timeout;
	struct {
		char *insecure_root;
	} shared;
};

static const struct opt opts[] = {
	{"listen", OPT_STR, offsetof(struct config, listen), "127.0.0.1:5433", "ADDR:PORT",
		"where to listen"},
	{"mrtd", OPT_LIST, offsetof(struct config, mrtd), NULL, "HEX", "accepted firmware"},
	{"require-client-attestation", OPT_BOOL, offsetof(struct config, require), "yes", NULL,
		"ask clients"},
	{"insecure-allow-debug", OPT_BOOL, offsetof(struct config, insecure_debug), NULL, NULL, "debug"},
	{"threads", OPT_UINT, offsetof(struct config, threads), "2", "N", "workers"},
	{"limit", OPT_SIZE, offsetof(struct config, limit), "64k", "SIZE", "buffer"},
	{"timeout", OPT_TIME, offsetof(struct config, timeout), "15s", "TIME", "patience"},
	{"speed", OPT_CHOICE, offsetof(struct config, speed), "slow", "auto|slow|fast||quick", "haste"},
	{"answer", OPT_CHOICE, offsetof(struct config, answer), NULL, "auto|yes|no", "agreement"},
	{.name = NULL},
};

static const struct opt shared_opts[] = {
	{"insecure-trust-root", OPT_STR, 0, NULL, "FILE", "another root"},
	{.name = NULL},
};
static const struct opt_table shared[] = {{shared_opts, offsetof(struct config, shared)}, {.opts = NULL}};

static const struct opt_program daemon_program = {"teesql-test", "[OPTION]...", "Test.", opts, true, .shared = shared,
	.weakening_variable = "TEST_SIMULATOR"};
static const struct opt_program command_program = {"teesql test", "[OPTION]...", "Test.", .opts = opts};

struct result {
	int rc;
	struct config config;
	enum opt_action action;
	char **rest;
	char *words; /* rest points into them */
	struct ratls_error err;
};

#define ARGV_MAX 16

/* Parse the words of args, which are separated by single spaces. */
static struct result parse(const struct opt_program *program, const char *args)
{
	struct result r = {.action = OPT_EXIT};
	char program_name[] = "program", *argv[ARGV_MAX] = {program_name}, *at;
	size_t n = 1;

	at = r.words = strdup(args);
	for (char *word; *args != '\0' && n + 1 < ARGV_MAX && (word = strsep(&at, " ")) != NULL;)
		argv[n++] = word;
	r.rc = opt_parse(program, argv, &r.config, &r.action, &r.rest, &r.err);
	return r;
}

static void result_done(struct result *r)
{
	opt_free(&daemon_program, &r->config);
	free(r->rest);
	free(r->words);
}

static void write_file(char *path, const char *text)
{
	int fd;

	strcpy(path, "/tmp/test_opt.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static struct result parse_with_file(const char *text, const char *args, char path[static 32])
{
	char all[256];

	write_file(path, text);
	snprintf(all, sizeof(all), "--config %s%s%s", path, *args != '\0' ? " " : "", args);
	return parse(&daemon_program, all);
}

static void assert_refused(const char *args, const char *part)
{
	struct result r = parse(&daemon_program, args);

	assert_int_equal(r.rc, RATLS_E_ARG);
	assert_int_equal(r.err.reason, REASON_OPTION);
	if (strstr(r.err.message, part) == NULL)
		fail_msg("\"%s\" does not contain \"%s\"", r.err.message, part);
	assert_null(r.rest);
	result_done(&r);
}

static void assert_file_refused(const char *text, int line, const char *part)
{
	char path[32], where[48];
	struct result r = parse_with_file(text, "", path);

	assert_int_equal(r.rc, RATLS_E_ARG);
	snprintf(where, sizeof(where), "%s:%d: ", path, line);
	if (strstr(r.err.message, where) == NULL || strstr(r.err.message, part) == NULL)
		fail_msg("\"%s\" does not contain \"%s\" and \"%s\"", r.err.message, where, part);
	result_done(&r);
	unlink(path);
}

static void assert_hints_at_nothing(const char *text)
{
	char path[32];
	struct result r = parse_with_file(text, "", path);

	assert_null(strstr(r.err.message, "did you mean"));
	result_done(&r);
	unlink(path);
}

static void a_file_that_is_not_there_is_a_mistake_of_the_configuration(void **state)
{
	struct result r = parse(&daemon_program, "--config /nonexistent/x.conf");

	(void)state;
	assert_int_equal(r.err.reason, REASON_FILE);
	result_done(&r);
}

static void defaults_are_those_of_the_table(void **state)
{
	struct result r = parse(&daemon_program, "");

	(void)state;
	assert_int_equal(r.rc, RATLS_OK);
	assert_int_equal(r.action, OPT_RUN);
	assert_string_equal(r.config.listen, "127.0.0.1:5433");
	assert_null(r.config.mrtd);
	assert_true(r.config.require);
	assert_int_equal(r.config.threads, 2);
	assert_int_equal(r.config.limit, 65536);
	assert_int_equal(r.config.timeout, 15000);
	assert_null(r.rest[0]);
	result_done(&r);
}

static void flags_take_their_values_either_way(void **state)
{
	struct result r = parse(&command_program,
		"--listen=[::1]:1 a --mrtd x --mrtd=y,z --require-client-attestation=no --timeout 1500ms - "
		"--limit 2M -- --threads 9");
	static const char *const rest[] = {"a", "-", "--", "--threads", "9"};

	(void)state;
	assert_int_equal(r.rc, RATLS_OK);
	assert_string_equal(r.config.listen, "[::1]:1");
	assert_string_equal(r.config.mrtd[0], "x");
	assert_string_equal(r.config.mrtd[1], "y,z");
	assert_null(r.config.mrtd[2]);
	assert_false(r.config.require);
	assert_int_equal(r.config.timeout, 1500);
	assert_int_equal(r.config.limit, 2 << 20);
	assert_int_equal(r.config.threads, 2);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(r.rest[i], rest[i]);
	assert_null(r.rest[5]);
	result_done(&r);
}

static void mistakes_in_flags_are_named(void **state)
{
	(void)state;
	assert_refused("--lisen x", "did you mean \"--listen\"?");
	assert_refused("--completely-different", "unknown option \"--completely-different\"");
	assert_refused("--listen", "\"--listen\" needs a value (ADDR:PORT)");
	assert_refused("--listen --threads=1", "\"--listen\" needs a value");
	assert_refused("--require-client-attestation=maybe", "--require-client-attestation: \"maybe\"");
	assert_refused("--listen=", "--listen: the value is empty");
	assert_refused("--insecure-trust-root=", "--insecure-trust-root: the value is empty");
	assert_refused("--mrtd=", "--mrtd: the value is empty");
	assert_refused("--threads=", "--threads: the value is empty");
	assert_refused("--threads 1x", "unknown unit");
	assert_refused("--threads x", "not a number");
	assert_refused("--threads -1", "not a number");
	assert_refused("--threads 18446744073709551616", "too large");
	assert_refused("--limit 18446744073709551615k", "too large");
	assert_refused("--timeout 5w", "unknown unit");
	assert_refused("-x", "unknown option \"-x\"");
}

static void a_flag_beats_environment_beats_file_beats_default(void **state)
{
	char path[32];
	struct result r;

	(void)state;
	setenv("TEESQL_LIMIT", "3k", 1);
	setenv("TEESQL_TIMEOUT", "3m", 1);
	setenv("TEESQL_MRTD", "e1, e2,", 1);
	setenv("TEESQL_REQUIRE_CLIENT_ATTESTATION", "", 1);
	r = parse_with_file("# a comment\nthreads = 4 ; four\nlimit = 4k\ntimeout=4h\nmrtd = f1\n"
			    "require_client_attestation = off\n",
		"--timeout=5d", path);
	assert_int_equal(r.rc, RATLS_OK);
	assert_string_equal(r.config.listen, "127.0.0.1:5433");
	assert_int_equal(r.config.threads, 4);
	assert_int_equal(r.config.limit, 3 << 10);
	assert_int_equal(r.config.timeout, 5 * INT64_C(86400000));
	assert_string_equal(r.config.mrtd[0], "e1");
	assert_string_equal(r.config.mrtd[1], "e2");
	assert_null(r.config.mrtd[2]);
	assert_false(r.config.require); /* an empty variable is none */
	result_done(&r);
	unlink(path);
	unsetenv("TEESQL_LIMIT");
	unsetenv("TEESQL_MRTD");
	setenv("TEESQL_TIMEOUT", "soon", 1);
	assert_refused("--timeout 1s", "environment variable TEESQL_TIMEOUT: \"soon\" is not a number");
	unsetenv("TEESQL_TIMEOUT");
	unsetenv("TEESQL_REQUIRE_CLIENT_ATTESTATION");
}

static void mistakes_in_the_file_are_named_with_their_line(void **state)
{
	char line[600];

	(void)state;
	assert_file_refused("threads = 1\nlisten = x\nthread = 2\n", 3, "did you mean \"threads\"?");
	assert_file_refused("\n\nthreads = 1x\n", 3, "threads: \"1x\"");
	assert_file_refused("threads = 1\nlisten =\n", 2, "listen: the value is empty");
	assert_file_refused("insecure-trust-root =\n", 1, "insecure-trust-root: the value is empty");
	assert_file_refused("mrtd = ,\n", 1, "mrtd: the value is empty");
	assert_file_refused("threads = 1\nthreads = 2\n", 2, "set twice");
	assert_file_refused("threads = 1\nnonsense\nthread = 1\n", 2, "key = value");
	assert_file_refused("[other]\nthreads = 1\n", 2, "section");
	assert_file_refused("config = /etc/passwd\n", 1, "unknown option \"config\"");
	assert_file_refused("confi = /etc/passwd\n", 1, "unknown option \"confi\"");
	assert_hints_at_nothing("config = /etc/passwd\n"); /* which may not stand there */
	memset(line, 'x', sizeof(line));
	memcpy(line, "listen=", 7);
	line[sizeof(line) - 1] = '\0';
	assert_file_refused(line, 1, "longer than");
}

static void assert_speed(const char *word, enum speed speed)
{
	char args[64];
	struct result r;

	snprintf(args, sizeof(args), "--speed=%s", word);
	r = parse(&daemon_program, args);
	assert_int_equal(r.rc, RATLS_OK);
	assert_int_equal(r.config.speed, speed);
	result_done(&r);
}

static void a_choice_is_the_place_of_its_word(void **state)
{
	char path[32];
	struct result r = parse(&daemon_program, "");

	(void)state;
	assert_int_equal(r.config.speed, SPEED_SLOW);
	assert_int_equal(r.config.answer, ANSWER_AUTO);
	result_done(&r);
	assert_speed("auto", SPEED_AUTO);
	assert_speed("fast", SPEED_FAST);
	assert_speed("quick", SPEED_QUICK);
	r = parse_with_file("speed = fast\nanswer = off\n", "", path);
	assert_int_equal(r.config.speed, SPEED_FAST);
	assert_int_equal(r.config.answer, ANSWER_NO);
	result_done(&r);
	unlink(path);
	r = parse(&daemon_program, "--answer 1");
	assert_int_equal(r.config.answer, ANSWER_YES);
	result_done(&r);
}

static void what_is_no_choice_is_told_with_those_that_are(void **state)
{
	(void)state;
	assert_refused("--speed=fas", "--speed: \"fas\" is not auto, slow or fast");
	assert_refused("--speed=fasten", "\"fasten\" is not auto");
	assert_refused("--speed=slow|fast", "\"slow|fast\" is not");
	assert_refused("--speed=", "--speed: the value is empty");
	assert_refused("--speed=yes", "\"yes\" is not");
	assert_refused("--speed", "needs a value (auto|slow|fast)");
	assert_file_refused("speed = \n", 1, "speed: the value is empty");
	setenv("TEESQL_SPEED", "loud", 1);
	assert_refused("--speed=fast", "environment variable TEESQL_SPEED: \"loud\" is not auto, slow or fast");
	assert_refused("--check-config", "environment variable TEESQL_SPEED");
	unsetenv("TEESQL_SPEED");
}

static void a_list_in_the_file_may_span_lines(void **state)
{
	char path[32];
	struct result r = parse_with_file("[teesql-test]\nmrtd = a, b\n   c\nmrtd = d", "", path);

	(void)state;
	assert_int_equal(r.rc, RATLS_OK);
	for (int i = 0; i < 4; i++)
		assert_int_equal(r.config.mrtd[i][0], "abcd"[i]);
	assert_null(r.config.mrtd[4]);
	result_done(&r);
	unlink(path);
}

static void assert_not_for_production(const char *args, const char *part)
{
	struct result r = parse(&daemon_program, args);

	assert_int_equal(r.rc, RATLS_E_ARG);
	assert_int_equal(r.err.reason, REASON_PRODUCTION);
	if (strstr(r.err.message, part) == NULL)
		fail_msg("\"%s\" does not contain \"%s\"", r.err.message, part);
	result_done(&r);
}

static void production_refuses_what_is_insecure(void **state)
{
	char path[32];
	struct result r;

	(void)state;
	assert_not_for_production("--production --insecure-allow-debug", "--insecure-allow-debug");
	setenv("TEESQL_INSECURE_TRUST_ROOT", "/root.pem", 1);
	assert_not_for_production("--production", "TEESQL_INSECURE_TRUST_ROOT");
	r = parse_with_file("production = yes\n", "--production=no", path);
	assert_int_equal(r.err.reason, REASON_PRODUCTION);
	result_done(&r);
	unlink(path);
	unsetenv("TEESQL_INSECURE_TRUST_ROOT");
	setenv("TEST_SIMULATOR", "/tmp/dstack.sock", 1);
	assert_not_for_production("--production", "TEST_SIMULATOR");
	r = parse(&daemon_program, "--insecure-allow-debug");
	assert_int_equal(r.rc, RATLS_OK);
	result_done(&r);
	setenv("TEST_SIMULATOR", "", 1);
	r = parse(&daemon_program, "--production");
	assert_int_equal(r.rc, RATLS_OK);
	result_done(&r);
	unsetenv("TEST_SIMULATOR");
	r = parse(&daemon_program, "--production --insecure-allow-debug=no");
	assert_int_equal(r.rc, RATLS_OK);
	result_done(&r);
}

static int n_insecure;

static void count_insecure(const char *name)
{
	assert_string_equal(name, "insecure-trust-root");
	n_insecure++;
}

static void insecure_options_can_be_listed(void **state)
{
	struct result r = parse(&daemon_program, "--insecure-trust-root x --insecure-allow-debug=no");

	(void)state;
	assert_string_equal(r.config.shared.insecure_root, "x");
	n_insecure = 0;
	opt_each_insecure(&daemon_program, &r.config, count_insecure);
	assert_int_equal(n_insecure, 1);
	result_done(&r);
}

/* What parsing these arguments prints; the caller frees it. */
static char *printed(const struct opt_program *program, const char *args)
{
	char *text = NULL;
	size_t len;
	FILE *real = stdout;
	struct result r;

	stdout = open_memstream(&text, &len);
	r = parse(program, args);
	fclose(stdout);
	stdout = real;
	assert_int_equal(r.rc, RATLS_OK);
	assert_int_equal(r.action, OPT_EXIT);
	result_done(&r);
	return text;
}

static void check_config_prints_values_and_sources_and_can_be_read_again(void **state)
{
	char path[32], args[64];
	char *first, *second;

	(void)state;
	setenv("TEESQL_TIMEOUT", "90", 1);
	first = printed(&daemon_program, "--check-config --threads=7 --mrtd a --mrtd b --speed quick --answer true");
	unsetenv("TEESQL_TIMEOUT");
	assert_non_null(strstr(first, "listen = 127.0.0.1:5433"));
	assert_non_null(strstr(first, " ; default"));
	assert_non_null(strstr(first, "timeout = 90s"));
	assert_non_null(strstr(first, " ; TEESQL_TIMEOUT"));
	assert_non_null(strstr(first, "mrtd = a, b"));
	assert_non_null(strstr(first, " ; --threads"));
	write_file(path, first);
	snprintf(args, sizeof(args), "--check-config --config %s", path);
	second = printed(&daemon_program, args);
	assert_non_null(strstr(second, "threads = 7"));
	assert_non_null(strstr(second, "timeout = 90s"));
	assert_non_null(strstr(second, "mrtd = a, b"));
	assert_non_null(strstr(second, "speed = quick"));
	assert_non_null(strstr(second, "answer = yes"));
	assert_non_null(strstr(second, path));
	unlink(path);
	free(first);
	free(second);
}

static void help_answers_even_if_the_environment_is_broken(void **state)
{
	char *text;

	(void)state;
	setenv("TEESQL_THREADS", "many", 1);
	text = printed(&command_program, "--help");
	assert_non_null(strstr(text, "Usage: teesql test [OPTION]..."));
	assert_non_null(strstr(text, "--listen ADDR:PORT"));
	assert_non_null(strstr(text, "(default 127.0.0.1:5433)"));
	assert_non_null(strstr(text, "--speed auto|slow|fast "));
	assert_null(strstr(text, "--check-config"));
	free(text);
	text = printed(&daemon_program, "--version");
	assert_string_equal(text, "teesql-test " TEESQL_VERSION "\n");
	free(text);
	unsetenv("TEESQL_THREADS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_table),
		cmocka_unit_test(flags_take_their_values_either_way),
		cmocka_unit_test(mistakes_in_flags_are_named),
		cmocka_unit_test(a_flag_beats_environment_beats_file_beats_default),
		cmocka_unit_test(mistakes_in_the_file_are_named_with_their_line),
		cmocka_unit_test(a_file_that_is_not_there_is_a_mistake_of_the_configuration),
		cmocka_unit_test(a_choice_is_the_place_of_its_word),
		cmocka_unit_test(what_is_no_choice_is_told_with_those_that_are),
		cmocka_unit_test(a_list_in_the_file_may_span_lines),
		cmocka_unit_test(production_refuses_what_is_insecure),
		cmocka_unit_test(insecure_options_can_be_listed),
		cmocka_unit_test(check_config_prints_values_and_sources_and_can_be_read_again),
		cmocka_unit_test(help_answers_even_if_the_environment_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
