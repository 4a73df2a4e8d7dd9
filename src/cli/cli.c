/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/err.h"
#include "base/opt_value.h"
#include "base/utf8.h"

const struct opt cli_rows[] = {
	{"json", OPT_BOOL, offsetof(struct cli, json), NULL, NULL, "print one JSON object"},
	{"quiet", OPT_BOOL, offsetof(struct cli, quiet), NULL, NULL, "print the result only (also -q)"},
	{"verbose", OPT_BOOL, offsetof(struct cli, verbose), NULL, NULL,
		"print everything in full (also -v)"},
	{.name = NULL},
};

enum reason_class cli_class(const struct ratls_error *err)
{
	const struct reason_row *row = reason_find(err->reason);

	if (row != NULL)
		return row->class;
	switch ((enum ratls_code)err->code) {
	case RATLS_E_ARG:
		return CLASS_USAGE;
	case RATLS_E_FORMAT:
	case RATLS_E_NO_EVIDENCE:
	case RATLS_E_UNSUPPORTED:
		return CLASS_EVIDENCE;
	case RATLS_E_IO:
	case RATLS_E_TLS:
		return CLASS_UNREACHABLE;
	case RATLS_OK:
	case RATLS_E_NOMEM:
	case RATLS_E_UNAVAILABLE:
	case RATLS_E_CRYPTO:
		break;
	}
	return CLASS_UNDETERMINED;
}

/* One line, in which words of a peer or of a file may stand. */
static void __attribute__((format(printf, 2, 0))) say(const char *prefix, const char *fmt, va_list ap)
{
	char line[RATLS_ERROR_MESSAGE_SIZE + 512];

	vsnprintf(line, sizeof(line), fmt, ap);
	utf8_tame(line, strlen(line));
	fprintf(stderr, "%s%s\n", prefix, line);
}

void cli_note(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!c->quiet)
		say("", fmt, ap);
	va_end(ap);
}

void cli_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("teesql: warning: ", fmt, ap);
	va_end(ap);
}

void cli_print_json(json_t *object)
{
	if (object == NULL) {
		cli_warn("out of memory");
		return;
	}
	json_dumpf(object, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII); /* may go to a terminal, which words steer */
	putchar('\n');
	json_decref(object);
}

bool cli_colors(void)
{
	const char *term = getenv("TERM");

	if (env_get("NO_COLOR") != NULL)
		return false;
	return isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

int cli_fail(const struct cli *c, const struct ratls_error *err)
{
	const struct reason_row *row = reason_find(err->reason);
	enum reason_class class = cli_class(err);
	char code[REASON_CODE_SIZE], message[RATLS_ERROR_MESSAGE_SIZE];

	reason_code(err->reason, code);
	snprintf(message, sizeof(message), "%s", err->message);
	if (c->json) {
		utf8_clean(message); /* a file name may be anything */
		cli_print_json(json_pack("{s:s, s:i, s:s, s:s?, s:s, s:s?}", "schema", "teesql.error/1",
			"exit", (int)class, "class", reason_class_name(class), "code",
			row != NULL ? code : NULL, "message", message, "hint",
			row != NULL ? row->remedy : NULL));
		return (int)class;
	}
	utf8_tame(message, strlen(message));
	fprintf(stderr, "teesql: error: %s%s%s%s\n", message, row != NULL ? " (" : "", code,
		row != NULL ? ")" : "");
	if (row != NULL && !c->quiet)
		fprintf(stderr, "teesql: hint: %s\n", row->remedy);
	return (int)class;
}

static void say_insecure(const char *name)
{
	cli_warn("--%s is in effect", name);
}

/* As in opt.c: the flag has precedence, and the last one counts. */
bool cli_asks_for_json(char **argv)
{
	static const char flag[] = "--json";
	const char *text = env_get("TEESQL_JSON");
	bool json = false;

	if (text != NULL)
		(void)opt_value_set(&cli_rows[0], &json, text, false, NULL);
	for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++) {
		text = strncmp(*argv, flag, sizeof(flag) - 1) == 0 ? *argv + sizeof(flag) - 1 : "other";
		if (text[0] == '\0')
			json = true;
		else if (text[0] == '=')
			(void)opt_value_set(&cli_rows[0], &json, text + 1, false, NULL);
	}
	return json;
}

int cli_unknown(const char *group, char **argv)
{
	struct ratls_error err = {0};

	if (argv[0] == NULL)
		err_reason(&err, RATLS_E_ARG, REASON_COMMAND, "a command is missing");
	else if (argv[0][0] == '-')
		err_reason(&err, RATLS_E_ARG, REASON_COMMAND, "a command is missing before \"%.64s\"", argv[0]);
	else
		err_reason(&err, RATLS_E_ARG, REASON_COMMAND, "unknown command \"%s%.64s\"", group, argv[0]);
	return cli_fail(&(struct cli){.json = cli_asks_for_json(argv)}, &err);
}

bool cli_parse(const struct opt_program *program, char **argv, void *config, size_t max_rest,
	char ***ret_rest, int *ret_exit)
{
	struct ratls_error err = {0};
	enum opt_action action = OPT_EXIT;
	char **rest = NULL;
	size_t n = 0;
	int rc = opt_parse(program, argv, config, &action, &rest, &err);

	while (rest != NULL && rest[n] != NULL)
		n++;
	if (rc == RATLS_OK && action == OPT_RUN && n > max_rest) {
		rc = err_reason(&err, RATLS_E_ARG, REASON_OPTION, "there is one argument too many: \"%.64s\"",
			rest[max_rest]);
		opt_free(program, config);
	}
	if (rc == RATLS_OK && action == OPT_RUN) {
		opt_each_insecure(program, config, say_insecure);
		*ret_rest = rest;
		return true;
	}
	free(rest);
	*ret_exit = 0;
	if (rc == RATLS_OK)
		opt_free(program, config);
	else
		*ret_exit = cli_fail(&(struct cli){.json = cli_asks_for_json(argv)}, &err);
	return false;
}

int cli_run(const struct opt_program *program, char **argv, void *config, size_t max_rest,
	int (*run)(const void *config, const char *argument))
{
	char **rest = NULL;
	int result;

	if (!cli_parse(program, argv, config, max_rest, &rest, &result))
		return result;
	result = run(config, rest[0]);
	opt_free(program, config);
	free(rest);
	return result;
}
