/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql root: the last certificate of the chain that a server presents, for libpq's sslrootcert. Nothing
 * here trusts it (invariant trust_is_configured): whoever uses it compares its digest first.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/chain.h"
#include "cli/obtain.h"

struct root_config {
	struct cli cli;
	struct appraisal_options appraisal; /* of which only who we are has options here */
	struct obtain_options obtain;
};

static const struct opt_table tables[] = {
	{appraisal_self_rows, offsetof(struct root_config, appraisal)},
	{appraisal_agent_rows, offsetof(struct root_config, appraisal)},
	{obtain_rows, offsetof(struct root_config, obtain)},
	{cli_rows, offsetof(struct root_config, cli)},
	{.opts = NULL},
};

static const struct opt opts[] = {
	{.name = NULL},
};

static const struct opt_program program = {"teesql root", "[OPTION]... [TARGET]",
	"Print the last certificate of the chain that TARGET presents, for sslrootcert. It is not verified:\n"
	"compare its SHA-256, which is printed on standard error, with one that you know.",
	opts, .shared = tables};

static void print(const struct cli *cli, const struct chain_last *last)
{
	if (cli->json) {
		cli_print_json(json_pack("{s:s, s:s%, s:s, s:b, s:I}", "schema", "teesql.root/1", "pem",
			last->pem, last->pem_len, "sha256", last->sha256, "verified", 0, "chain_length",
			(json_int_t)last->n));
		return;
	}
	fwrite(last->pem, 1, last->pem_len, stdout);
	fprintf(stderr, "SHA-256 %s\n", last->sha256);
	cli_warn("this certificate is not verified: compare its SHA-256 with one that you know");
	if (last->n == 1)
		cli_warn("the chain has one certificate only: it is the server's own");
}

static int root(const struct root_config *config, const char *target)
{
	struct obtained obtained = {0};
	struct ratls_error err = {0};
	struct chain_last last;
	int rc = obtain(target, &config->obtain, &config->appraisal, &config->cli, &obtained, &err);

	if (rc == RATLS_OK)
		rc = chain_last(&obtained.material.chain_pem, &last, &err);
	if (rc == RATLS_OK)
		print(&config->cli, &last);
	obtained_done(&obtained);
	return rc == RATLS_OK ? 0 : cli_fail(&config->cli, &err);
}

int cmd_root(char **argv)
{
	struct root_config config = {.cli = {0}};
	char **rest = NULL;
	int result;

	if (!cli_parse(&program, argv, &config, 1, &rest, &result))
		return result;
	result = root(&config, rest[0]);
	opt_free(&program, &config);
	free(rest);
	return result;
}
