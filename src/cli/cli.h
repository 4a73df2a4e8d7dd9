/* SPDX-License-Identifier: Apache-2.0
 *
 * What all commands share: their frame, and how they speak. Results go to standard output, everything else
 * to standard error; with --json there is one object on standard output, also on failure.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "base/opt.h"
#include "base/reason.h"
#include "ratls.h"

/* A row of the table in main.c. argv[0] is the command's name; the result is the exit code. */
struct command {
	const char *name;
	int (*run)(char **argv);
	const char *purpose;
};

int cmd_verify(char **argv);
int cmd_inspect(char **argv);
int cmd_root(char **argv);
int cmd_client_cert(char **argv);
int cmd_collateral(char **argv);
int cmd_pin(char **argv);
int cmd_connect(char **argv);
int cmd_explain(char **argv);
int cmd_doctor(char **argv);

/* The configuration of each command begins with this. */
struct cli {
	bool json, quiet, verbose;
};

/* For struct opt_program.shared. */
extern const struct opt cli_rows[];

/* Parse argv into config, which begins with struct cli; at most max_rest arguments may follow. True: go on,
 * *ret_rest is freed with free, and every insecure option in effect has been named on standard error.
 * False: everything was said and *ret_exit is the exit code. */
bool cli_parse(const struct opt_program *program, char **argv, void *config, size_t max_rest,
	char ***ret_rest, int *ret_exit);

/* The frame of a command: parse, run with the argument if there is one (else NULL), free. config is zeroed and begins
 * with struct cli; max_rest is 0 or 1. The result is the exit code, which is also what run returns. */
int cli_run(const struct opt_program *program, char **argv, void *config, size_t max_rest,
	int (*run)(const void *config, const char *argument));

/* Say on standard error what went wrong and what to do about it, or print it as a JSON object of schema
 * "teesql.error/1"; the result is the exit code. */
int cli_fail(const struct cli *c, const struct ratls_error *err);

/* Where the options cannot be read, --json (or TEESQL_JSON) can still be seen. */
bool cli_asks_for_json(char **argv);

/* Fail because of the word that is, or is not, where a command should be: argv[0], behind group ("" or "collateral "). */
int cli_unknown(const char *group, char **argv);

/* The class, which is the exit code, of an error. */
enum reason_class cli_class(const struct ratls_error *err);

/* To standard error. Notes are progress: not with --quiet. */
void cli_note(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print to standard output and drop the reference; NULL (out of memory) is said on standard error. */
void cli_print_json(json_t *object);

/* Can standard output bear colours (a terminal, and NO_COLOR is not set)? */
bool cli_colors(void);

#endif
