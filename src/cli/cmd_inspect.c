/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql inspect: parse and show. It trusts nothing, asks no collateral service and gives no verdict.
 */
#include <stdio.h>

#include "appraisal/report.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/obtain.h"
#include "cli/render.h"

struct inspect_config {
	struct cli cli;
	struct appraisal_options appraisal; /* of which only who we are has options here */
	struct obtain_options obtain;
};

static const struct opt_table tables[] = {
	{appraisal_self_rows, offsetof(struct inspect_config, appraisal)},
	{appraisal_agent_rows, offsetof(struct inspect_config, appraisal)},
	{obtain_rows, offsetof(struct inspect_config, obtain)},
	{cli_rows, offsetof(struct inspect_config, cli)},
	{.opts = NULL},
};

static const struct opt_program program = {
	.name = "teesql inspect",
	.synopsis = "[OPTION]... [TARGET]",
	.purpose =
		"Show what TARGET presents, without verifying any of it.\n"
		"TARGET is HOST[:PORT] (5433), a connection string, a file with a certificate, a quote or an\n"
		"attestation, or - for standard input.",
	.shared = tables,
};

/* A report without endorsements says what the evidence says; what it says of checks is left out. */
static json_t *facts_of(
	const struct obtained *o, const struct ratls_evidence *evidence, struct ratls_error *err)
{
	static const char *const shown[] = {"evidence", "app"};
	const struct ratls_binding binding = {.kind = RATLS_BINDING_NONE};
	int64_t now = clock_now();
	struct ratls_report *report = NULL;
	json_t *whole, *facts;
	char time[CLOCK_TEXT_SIZE];

	if (ratls_appraise(evidence, NULL, NULL, &binding, now, &report, err) != RATLS_OK)
		return NULL;
	clock_format(now, time);
	whole = report_json_object(report);
	facts = json_pack("{s:s, s:b, s:s, s:o}", "schema", "teesql.inspect/1", "verified", 0, "time", time,
		"endpoint", obtained_endpoint(o, evidence));
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		json_object_set(facts, shown[i], json_object_get(whole, shown[i]));
	if (facts == NULL)
		err_set(err, RATLS_E_NOMEM, "out of memory");
	json_decref(whole);
	ratls_report_free(report);
	return facts;
}

static void show(const struct cli *cli, json_t *facts)
{
	struct render_style style = {.verbose = cli->verbose, .color = cli_colors()};
	struct buf out = {0};

	if (cli->json) {
		cli_print_json(facts);
		return;
	}
	render_facts(facts, &style, &out);
	if (out.bad)
		cli_warn("out of memory");
	else
		fwrite(out.p, 1, out.len, stdout);
	buf_done(&out);
	cli_note(cli, "nothing of this was verified: \"teesql verify\" does that");
	json_decref(facts);
}

static int inspect(const void *config, const char *target)
{
	const struct inspect_config *c = config;
	struct ratls_evidence *evidence = NULL;
	struct obtained obtained = {0};
	struct ratls_error err = {0};
	json_t *facts = NULL;
	int rc = obtain(target, &c->obtain, &c->appraisal, &c->cli, &obtained, &err);

	if (rc == RATLS_OK)
		rc = material_evidence(&obtained.material, &evidence, &err);
	if (rc == RATLS_OK)
		facts = facts_of(&obtained, evidence, &err);
	if (facts != NULL)
		show(&c->cli, facts);
	ratls_evidence_free(evidence);
	obtained_done(&obtained);
	return facts != NULL ? 0 : cli_fail(&c->cli, &err);
}

int cmd_inspect(char **argv)
{
	struct inspect_config config = {.cli = {0}};

	return cli_run(&program, argv, &config, 1, inspect);
}
