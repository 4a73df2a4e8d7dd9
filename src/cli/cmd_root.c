/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql root: the last certificate of the chain that a server presents, for libpq's sslrootcert. Nothing
 * here trusts it (invariant trust_is_configured): whoever uses it compares its digest first.
 */
#include <stdio.h>

#include "base/err.h"
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

static const struct opt_program program = {
	.name = "teesql root",
	.synopsis = "[OPTION]... [TARGET]",
	.purpose =
		"Print the last certificate of the chain that TARGET presents, for sslrootcert. It is not verified:\n"
		"compare its SHA-256, which is printed on standard error, with one that you know.",
	.shared = tables,
};

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

static int root(const void *config, const char *target)
{
	const struct root_config *c = config;
	struct obtained obtained = {0};
	struct ratls_error err = {0};
	struct chain_last last;
	int rc = obtain(target, &c->obtain, &c->appraisal, &c->cli, &obtained, &err);

	if (rc == RATLS_OK && obtained.material.kind != MATERIAL_CERTIFICATE)
		rc = err_reason(&err, RATLS_E_FORMAT, REASON_MATERIAL, "\"%s\" is no certificate, and has no chain",
			obtained.requested);
	if (rc == RATLS_OK)
		rc = chain_last(&obtained.material.chain_pem, &last, &err);
	if (rc == RATLS_OK)
		print(&c->cli, &last);
	obtained_done(&obtained);
	return rc == RATLS_OK ? 0 : cli_fail(&c->cli, &err);
}

int cmd_root(char **argv)
{
	struct root_config config = {.cli = {0}};

	return cli_run(&program, argv, &config, 1, root);
}
