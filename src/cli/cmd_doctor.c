/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql doctor: what attested connections stand on, probed one by one, each with its remedy.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/doctor.h"

static const struct opt opts[] = {
	{"pccs", OPT_LIST, offsetof(struct doctor_config, appraisal.pccs), NULL, "URL|none",
		"probe this collateral service, or none; else Intel's"},
	{.name = NULL},
};

static const struct opt_table tables[] = {
	{appraisal_means_rows, offsetof(struct doctor_config, appraisal)},
	{appraisal_self_rows, offsetof(struct doctor_config, appraisal)},
	{appraisal_agent_rows, offsetof(struct doctor_config, appraisal)},
	{obtain_rows, offsetof(struct doctor_config, obtain)},
	{cli_rows, offsetof(struct doctor_config, cli)},
	{.opts = NULL},
};

static const struct opt_program program = {
	.name = "teesql doctor",
	.synopsis = "[OPTION]... [TARGET]",
	.purpose =
		"Probe what attested connections stand on: guest agent, names, collateral or verifier service, clock, "
		"TARGET, key files, libpq.",
	.opts = opts,
	.shared = tables,
};

void doctor_found(struct finding *f, enum health health, const char *fix, const char *fmt, ...)
{
	va_list ap;

	f->health = health;
	f->fix = fix;
	va_start(ap, fmt);
	vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
	va_end(ap);
}

void doctor_failed(struct finding *f, const struct ratls_error *err)
{
	const struct reason_row *row = reason_find(err->reason);

	doctor_found(f, HEALTH_BAD, row != NULL ? row->remedy : NULL, "%s", err->message);
	f->class = cli_class(err);
}

/* The clock is compared with what the collateral service said: it comes after it. */
static const struct {
	const char *name;
	void (*probe)(struct visit *v, struct finding *f);
} probes[] = {
	{"guest agent", doctor_probe_agent},
	{"names", doctor_probe_names},
	{"collateral", doctor_probe_collateral},
	{"Intel TA", doctor_probe_ita},
	{"clock", doctor_probe_clock},
	{"server", doctor_probe_target},
	{"client key", doctor_probe_key},
	{"libpq", doctor_probe_libpq},
};

/* ---- the result -------------------------------------------------------------------------------------- */

static const struct {
	const char *shown, *status;
} marks[] = {
	[HEALTH_OK] = {"ok", "ok"},
	[HEALTH_NOT_THERE] = {"--", "absent"},
	[HEALTH_WARN] = {"warn", "warning"},
	[HEALTH_BAD] = {"FAIL", "failed"},
};

static void say(const struct cli *cli, const char *name, struct finding *f)
{
	utf8_tame(f->detail, strlen(f->detail));
	if (cli->quiet && f->health < HEALTH_WARN)
		return;
	printf("%-5s %-14s %s\n", marks[f->health].shown, name, f->detail);
	if (f->fix != NULL)
		printf("%20s %s\n", "", f->fix);
}

static json_t *finding_json(const char *name, const struct finding *f)
{
	return json_pack("{s:s, s:s, s:s, s:s?}", "probe", name, "status", marks[f->health].status, "detail",
		f->detail, "fix", f->fix);
}

static int examine(struct visit *v)
{
	const struct cli *cli = &v->config->cli;
	json_t *list = cli->json ? json_array() : NULL;
	int result = 0;

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		struct finding f = {.class = CLASS_ACCEPTED};

		probes[i].probe(v, &f);
		if (result == 0)
			result = (int)f.class;
		if (cli->json)
			json_array_append_new(list, finding_json(probes[i].name, &f));
		else
			say(cli, probes[i].name, &f);
	}
	if (cli->json)
		cli_print_json(json_pack(
			"{s:s, s:i, s:o}", "schema", "teesql.doctor/1", "exit", result, "probes", list));
	return result;
}

static int doctor(const void *config, const char *target)
{
	const struct doctor_config *c = config;
	struct ratls_error err = {0};
	unsigned verifiers;

	if (appraisal_verifiers(&c->appraisal, &verifiers, &err) != RATLS_OK)
		return cli_fail(&c->cli, &err);
	return examine(&(struct visit){.config = c, .target = target});
}

int cmd_doctor(char **argv)
{
	struct doctor_config config = {.cli = {0}};

	return cli_run(&program, argv, &config, 1, doctor);
}
