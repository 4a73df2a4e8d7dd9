/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql explain: the table of reasons, for people.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"

static const struct opt_table tables[] = {{cli_rows, 0}, {.opts = NULL}};

static const struct opt_program program = {
	.name = "teesql explain",
	.synopsis = "[OPTION]... [TQ-NUMBER | RULE]",
	.purpose = "Say what a code or the name of a rule means and what to do about it; without one, list them all.",
	.shared = tables,
};

/* "TQ-1001", "tq1001", "1001" or "evidence.present". */
static const struct reason_row *find(const char *text)
{
	const char *digits = text;
	unsigned long number;
	char *end;

	if (strncasecmp(digits, "TQ", 2) == 0)
		digits += 2;
	digits += *digits == '-';
	number = strtoul(digits, &end, 10);
	if (end != digits && *end == '\0' && number <= 9999)
		return reason_find((int)number);
	return reason_find_id(text);
}

static json_t *row_json(const struct reason_row *row)
{
	char code[REASON_CODE_SIZE];

	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s}", "schema", "teesql.explain/1", "code",
		reason_code(row->number, code), "id", row->id, "exit", (int)row->class, "class", reason_class_name(row->class), "meaning",
		row->meaning, "remedy", row->remedy);
}

static void explain(const struct cli *cli, const struct reason_row *row)
{
	char code[REASON_CODE_SIZE];

	if (cli->json) {
		cli_print_json(row_json(row));
		return;
	}
	printf("%s  %s (%s, exit code %d)\n%s\n%s\n", reason_code(row->number, code), row->id,
		reason_class_name(row->class), (int)row->class, row->meaning, row->remedy);
}

static void list(const struct cli *cli)
{
	json_t *all = cli->json ? json_array() : NULL;
	const struct reason_row *row;
	char code[REASON_CODE_SIZE];

	for (size_t i = 0; (row = reason_at(i)) != NULL; i++) {
		if (cli->json)
			json_array_append_new(all, row_json(row));
		else
			printf("%s  %-28s %s\n", reason_code(row->number, code), row->id, row->meaning);
	}
	if (cli->json)
		cli_print_json(json_pack("{s:s, s:o}", "schema", "teesql.explain/1", "reasons", all));
}

static int run(const void *config, const char *text)
{
	const struct cli *cli = config;
	const struct reason_row *row = text != NULL ? find(text) : NULL;
	struct ratls_error err;

	if (text == NULL) {
		list(cli);
		return 0;
	}
	if (row == NULL) {
		err_reason(&err, RATLS_E_ARG, REASON_OPTION, "there is no code or rule \"%.64s\"", text);
		return cli_fail(cli, &err);
	}
	explain(cli, row);
	return 0;
}

int cmd_explain(char **argv)
{
	struct cli cli = {0};

	return cli_run(&program, argv, &cli, 1, run);
}
