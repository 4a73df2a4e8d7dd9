/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql: a table of commands.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/secret.h"
#include "cli/cli.h"
#include "program/streams.h"

static const struct command commands[] = {
	{"verify", cmd_verify, "obtain evidence, appraise it, and say what held and what did not"},
	{"connect", cmd_connect, "give any driver on this machine an attested connection to a server"},
	{"inspect", cmd_inspect, "show what a server or a file presents; trusts nothing"},
	{"pin", cmd_pin, "write a policy with the measurements seen (trust on first use)"},
	{"root", cmd_root, "print the last certificate of the chain that a server presents"},
	{"client-cert", cmd_client_cert, "get certificate, key and root for libpq from the guest agent"},
	{"collateral", cmd_collateral, "fetch Intel's facts for a site without a network, list and check them"},
	{"explain", cmd_explain, "say what a code (TQ-...) means and what to do about it"},
	{"doctor", cmd_doctor, "probe guest agent, names, collateral, clock, a server and files"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *to)
{
	fputs("Usage: teesql COMMAND [OPTION]... [ARGUMENT]...\nAttested connections to "
	      "PostgreSQL.\n\nCommands:\n",
		to);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].purpose);
	fputs("\n\"teesql COMMAND --help\" shows the options of a command, which can also be set in the "
	      "environment\n"
	      "(TEESQL_...).\n\n"
	      "Exit codes: 0 accepted, 1 refused by policy, 2 usage or configuration, 3 unreachable, 4 no "
	      "or\n"
	      "malformed evidence, 5 not authentic, 6 TCB status not accepted, 7 undetermined, 8 own clock\n"
	      "implausible.\n",
		to);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int run(int argc, char **argv)
{
	const struct command *command;

	if (argc < 1)
		return CLASS_USAGE;
	if (argc < 2 && !cli_asks_for_json(argv)) {
		print_help(stderr);
		return CLASS_USAGE;
	}
	if (argc < 2)
		return cli_unknown("", argv + 1);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("teesql %s\n", TEESQL_VERSION);
		return 0;
	}
	command = find(argv[1]);
	if (command == NULL)
		return cli_unknown("", argv + 1);
	secret_forbid_core_dumps(); /* most commands hold the key that the guest agent gives */
	signal(SIGPIPE, SIG_IGN); /* a server that hangs up is an error to report, not an end */
	return command->run(argv + 1);
}

/* What could not be told is not given: no verdict, no policy. */
int main(int argc, char **argv)
{
	struct ratls_error err = {0};
	int result;

	streams_hold();
	result = run(argc, argv);
	if (streams_flush(&err) != RATLS_OK) {
		int code = cli_fail(&(struct cli){.json = false}, &err);

		result = result != 0 ? result : code;
	}
	return result;
}
