/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql verify: obtain evidence, appraise it, report every check.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "cli/evaluation.h"
#include "cli/forecast.h"
#include "cli/render.h"

static const struct opt opts[] = {
	{"save", OPT_STR, offsetof(struct evaluation_config, save), NULL, "FILE",
		"write a bundle of evidence, collateral, policy and report, for verify FILE --at TIME to "
		"appraise again"},
	{"forecast", OPT_BOOL, offsetof(struct evaluation_config, forecast), NULL, NULL,
		"say too what a TCB recovery that Intel has announced will make of it"},
	{.name = NULL},
};

static const struct opt_program program = {
	.name = "teesql verify",
	.synopsis = "[OPTION]... [TARGET]",
	.purpose =
		"Obtain evidence from TARGET, appraise it, and say what held and what did not.\n"
		"TARGET is HOST[:PORT] (5433), a connection string, a file with a certificate, a quote or an\n"
		"attestation, a bundle that --save wrote, or - for standard input; without it DATABASE_URL or "
		"PGHOST.",
	.opts = opts,
	.shared = evaluation_tables,
};

static void show(const struct evaluation *e, json_t *object)
{
	const struct cli *cli = &e->config->cli;
	struct render_style style = {.verbose = cli->verbose, .color = cli_colors()};
	struct buf out = {0};

	if (object != NULL && (cli->quiet || e->report == NULL))
		render_verdict(object, &style, &out);
	else if (object != NULL)
		render_report(object, &style, &out);
	if (object == NULL || out.bad)
		cli_warn("out of memory");
	else
		fwrite(out.p, 1, out.len, stdout);
	buf_done(&out);
}

/* What was not appraised cannot be appraised again. */
static int save(const struct evaluation *e, json_t *object, struct ratls_error *err)
{
	struct buf text = {0};
	int rc;

	if (e->config->save == NULL)
		return RATLS_OK;
	if (e->report == NULL) {
		cli_warn("nothing was appraised, so that nothing is saved");
		return RATLS_OK;
	}
	rc = evaluation_bundle(e, object, &text, err);
	if (rc == RATLS_OK)
		rc = file_write(e->config->save, text.p, text.len, 0644, err);
	buf_done(&text);
	return rc;
}

static void say(const struct evaluation *e, json_t *object)
{
	if (e->config->cli.json) {
		cli_print_json(json_incref(object));
		return;
	}
	if (e->conclusion.class != CLASS_ACCEPTED && e->report == NULL)
		(void)cli_fail(&e->config->cli, &e->err);
	if (e->conclusion.class != CLASS_USAGE) /* a question that was not understood has no answer */
		show(e, object);
}

/* A verdict that was to be kept and was not is not given. */
static int conclude(const struct evaluation *e)
{
	struct ratls_error err = {0};
	json_t *object = evaluation_json(e);
	json_t *forecast = e->config->forecast && e->report != NULL ? forecast_json(e) : json_null();
	int result = (int)e->conclusion.class;

	if (object != NULL && json_object_set_new(object, "forecast", forecast) != 0) {
		json_decref(object);
		object = NULL;
	}
	if (object != NULL && save(e, object, &err) != RATLS_OK)
		result = cli_fail(&e->config->cli, &err);
	else
		say(e, object);
	json_decref(object);
	return result;
}

static int verify(const void *config, const char *target)
{
	const struct evaluation_config *c = config;
	struct ratls_error err;

	if (c->save == NULL || strcmp(c->save, "-") != 0)
		return evaluation_run(c, target, conclude);
	err_reason(&err, RATLS_E_ARG, REASON_OPTION,
		"--save: \"-\" is no file: the report has standard output (./- is a file of that name)");
	return cli_fail(&c->cli, &err);
}

int cmd_verify(char **argv)
{
	struct evaluation_config config = {.cli = {0}};

	return cli_run(&program, argv, &config, 1, verify);
}
