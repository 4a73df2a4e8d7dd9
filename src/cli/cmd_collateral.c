/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql collateral: fill a folder for --collateral-dir from where there is a network, and watch over it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hex.h"
#include "cli/instant.h"
#include "cli/obtain.h"
#include "cli/stock.h"
#include "source/collateral.h"
#include "source/source.h"

struct collateral_config {
	struct cli cli;
	struct appraisal_options appraisal;
	struct obtain_options obtain;
	char *fmspc, *out, *at;
	unsigned ca_is_processor;
	int64_t warn_before;
};

#define AT(member) offsetof(struct collateral_config, member)

static const struct opt fetch_opts[] = {
	{"fmspc", OPT_STR, AT(fmspc), NULL, "HEX", "of the platform, in place of a TARGET that shows it"},
	{"ca", OPT_CHOICE, AT(ca_is_processor), "platform", "platform|processor",
		"which CA issued that platform's certificates"},
	{"out", OPT_STR, AT(out), ".", "DIR", "write FMSPC.json here"},
	{"pccs", OPT_LIST, AT(appraisal.pccs), NULL, "URL",
		"ask this collateral service (URL#timeout=5s: for so long), in order; else Intel's"},
	{"insecure-trust-root", OPT_STR, AT(appraisal.insecure_trust_root), NULL, "FILE",
		"trust this root certificate instead of Intel's"},
	{.name = NULL},
};

static const struct opt stock_opts[] = {
	{"at", OPT_STR, AT(at), NULL, "TIME", "judge as of this moment, Unix seconds or RFC 3339; else now"},
	{"insecure-trust-root", OPT_STR, AT(appraisal.insecure_trust_root), NULL, "FILE",
		"trust this root certificate instead of Intel's"},
	{.name = NULL},
};

static const struct opt check_opts[] = {
	{"warn-before", OPT_TIME, AT(warn_before), "7d", "TIME", "what ends within this time is expiring"},
	{.name = NULL},
};

static const struct opt_table fetch_tables[] = {
	{appraisal_self_rows, AT(appraisal)},
	{appraisal_agent_rows, AT(appraisal)},
	{obtain_rows, AT(obtain)},
	{cli_rows, AT(cli)},
	{.opts = NULL},
};

static const struct opt_table stock_tables[] = {{stock_opts, 0}, {cli_rows, AT(cli)}, {.opts = NULL}};

static const struct opt_program fetch_program = {
	.name = "teesql collateral fetch",
	.synopsis = "[OPTION]... [TARGET]",
	.purpose = "Write the collateral of a platform into a folder for --collateral-dir.",
	.opts = fetch_opts,
	.shared = fetch_tables,
};

static const struct opt_program show_program = {
	.name = "teesql collateral show",
	.synopsis = "[OPTION]... DIR|FILE",
	.purpose = "List collateral in files: who issued it, when, and until when it holds.",
	.shared = stock_tables,
};

static const struct opt_program check_program = {
	.name = "teesql collateral check",
	.synopsis = "[OPTION]... DIR|FILE",
	.purpose =
		"Say by the exit code how long collateral in files will do: 0 ok, 1 expiring, 7 expired,\n"
		"4 malformed, 5 not authentic; of several files the worst counts.",
	.opts = check_opts,
	.shared = stock_tables,
};

static void show(const struct cli *cli, json_t *report)
{
	struct buf out = {0};

	if (cli->json)
		cli_print_json(json_incref(report));
	if (cli->json || cli->quiet)
		return;
	stock_render(report, &out);
	fwrite(out.p, 1, out.len, stdout);
	buf_done(&out);
}

/* ---- fetch --------------------------------------------------------------------------------------------- */

static int named_platform(const struct collateral_config *c, struct platform_id *ret, struct ratls_error *err)
{
	if (!hex_decode(c->fmspc, strlen(c->fmspc), ret->fmspc, sizeof(ret->fmspc)))
		return err_reason(err, RATLS_E_ARG, REASON_OPTION,
			"--fmspc: \"%.32s\" is not 12 hexadecimal digits", c->fmspc);
	ret->ca = c->ca_is_processor ? PLATFORM_CA_PROCESSOR : PLATFORM_CA_PLATFORM;
	return RATLS_OK;
}

static int shown_platform(const struct collateral_config *c, const char *target, struct platform_id *ret,
	struct ratls_error *err)
{
	struct obtained obtained = {0};
	struct ratls_evidence *evidence = NULL;
	int rc = obtain(target, &c->obtain, &c->appraisal, &c->cli, &obtained, err);

	if (rc == RATLS_OK)
		rc = material_evidence(&obtained.material, &evidence, err);
	if (rc == RATLS_OK)
		rc = platform_id_of(evidence, ret, err);
	ratls_evidence_free(evidence);
	obtained_done(&obtained);
	return rc;
}

static int ask(const struct collateral_config *c, const struct buf *root, const struct platform_id *platform,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	char off[] = "off";
	struct appraisal_options o = {.pccs = c->appraisal.pccs, .cache_dir = off};
	struct ratls_endorsements *e = NULL;
	struct ratls_source *source = NULL;
	int64_t now = clock_now();
	int rc = appraisal_source(&o, ASKER_ONCE, root, &source, err);

	if (rc == RATLS_OK)
		rc = source_endorse_platform(source, platform, now, &e, err);
	ratls_source_free(source);
	if (rc == RATLS_OK && now > endorsements_valid_until(e))
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"%s has nothing for this platform that has not ended", endorsements_source(e));
	if (rc == RATLS_OK)
		*ret = e;
	else
		ratls_endorsements_free(e);
	return rc;
}

/* Not a secret, and perhaps for the eyes of another user on another machine. */
static int put(const struct collateral_config *c, const struct platform_id *platform,
	const struct ratls_endorsements *e, char **ret_path, struct ratls_error *err)
{
	struct buf text = {0}, path = {0};
	int rc = collateral_write(e, clock_now(), &text, err);

	buf_fmt(&path, "%s/", c->out);
	hex_append(&path, platform->fmspc, sizeof(platform->fmspc));
	buf_str(&path, ".json");
	*ret_path = buf_take_str(&path);
	if (rc == RATLS_OK && *ret_path == NULL)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	if (rc == RATLS_OK && mkdir(c->out, 0755) < 0 && errno != EEXIST)
		rc = err_reason(
			err, RATLS_E_IO, REASON_FILE, "could not create \"%s\": %s", c->out, strerror(errno));
	if (rc == RATLS_OK)
		rc = file_write(*ret_path, text.p, text.len, 0644, err);
	buf_done(&text);
	return rc;
}

static int report_on(
	const struct collateral_config *c, const char *path, json_t **ret, struct ratls_error *err)
{
	struct buf root = {0};
	struct stock_question q = {
		.options.size = sizeof(q.options), .at = clock_now(), .warn_before = c->warn_before / 1000};
	int rc = appraisal_trust_root(&c->appraisal, &root, err);

	if (rc == RATLS_OK && c->at != NULL && (rc = instant_parse(c->at, &q.at, err)) != RATLS_OK)
		err_prefix(err, rc, "--at");
	q.options.insecure_trust_root = root.p;
	q.options.insecure_trust_root_len = root.len;
	if (rc == RATLS_OK)
		rc = stock_report(path, &q, ret, err);
	buf_done(&root);
	return rc;
}

static int fetch(const struct collateral_config *c, const char *target, struct ratls_error *err)
{
	struct platform_id platform = {.ca = PLATFORM_CA_ANY};
	struct ratls_endorsements *e = NULL;
	struct buf root = {0};
	json_t *report = NULL;
	char *path = NULL;
	int rc = appraisal_trust_root(&c->appraisal, &root, err);

	if (rc == RATLS_OK && c->fmspc != NULL && target != NULL)
		rc = err_reason(err, RATLS_E_ARG, REASON_OPTION, "--fmspc and a target are two platforms");
	if (rc == RATLS_OK)
		rc = c->fmspc != NULL ? named_platform(c, &platform, err)
				      : shown_platform(c, target, &platform, err);
	if (rc == RATLS_OK)
		rc = ask(c, &root, &platform, &e, err);
	if (rc == RATLS_OK)
		rc = put(c, &platform, e, &path, err);
	if (rc == RATLS_OK)
		rc = report_on(c, path, &report, err);
	if (rc == RATLS_OK)
		show(&c->cli, report);
	json_decref(report);
	free(path);
	ratls_endorsements_free(e);
	buf_done(&root);
	return rc;
}

/* ---- show and check ------------------------------------------------------------------------------------ */

static int list(const struct collateral_config *c, const char *path, enum stock_status *ret, struct ratls_error *err)
{
	json_t *report = NULL;
	int rc = path != NULL ? report_on(c, path, &report, err)
			      : err_reason(err, RATLS_E_ARG, REASON_OPTION, "a folder or file is missing");

	if (rc != RATLS_OK)
		return rc;
	*ret = stock_worst(report);
	show(&c->cli, report);
	json_decref(report);
	return RATLS_OK;
}

static int run_check(const void *config, const char *path)
{
	const struct collateral_config *c = config;
	enum stock_status worst = STOCK_OK;
	struct ratls_error err = {0};

	return list(c, path, &worst, &err) == RATLS_OK ? (int)stock_class(worst) : cli_fail(&c->cli, &err);
}

/* To look at what is old is no failure; to look at what is nothing is. */
static int run_show(const void *config, const char *path)
{
	const struct collateral_config *c = config;
	enum stock_status worst = STOCK_OK;
	struct ratls_error err = {0};

	if (list(c, path, &worst, &err) != RATLS_OK)
		return cli_fail(&c->cli, &err);
	return worst <= STOCK_EXPIRED ? 0 : (int)stock_class(worst);
}

static int run_fetch(const void *config, const char *target)
{
	const struct collateral_config *c = config;
	struct ratls_error err = {0};

	return fetch(c, target, &err) == RATLS_OK ? 0 : cli_fail(&c->cli, &err);
}

static const struct {
	const char *name;
	const struct opt_program *program;
	int (*run)(const void *config, const char *argument);
} verbs[] = {
	{"fetch", &fetch_program, run_fetch},
	{"show", &show_program, run_show},
	{"check", &check_program, run_check},
};

#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void print_help(FILE *to)
{
	fputs("Usage: teesql collateral fetch|show|check [OPTION]... [ARGUMENT]\n\n", to);
	for (size_t i = 0; i < N_VERBS; i++)
		fprintf(to, "  %-6s %s\n", verbs[i].name, verbs[i].program->purpose);
}

int cmd_collateral(char **argv)
{
	struct collateral_config config = {.cli = {0}};
	const char *verb = argv[1];

	if (verb == NULL && !cli_asks_for_json(argv)) {
		print_help(stderr);
		return CLASS_USAGE;
	}
	if (verb != NULL && (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0)) {
		print_help(stdout);
		return 0;
	}
	for (size_t i = 0; verb != NULL && i < N_VERBS; i++)
		if (strcmp(verb, verbs[i].name) == 0)
			return cli_run(verbs[i].program, argv + 1, &config, 1, verbs[i].run);
	return cli_unknown("collateral ", argv + 1);
}
