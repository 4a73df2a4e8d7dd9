/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql pin: trust on first use. What a genuine machine measures today becomes the policy of tomorrow.
 */
#include <stdio.h>

#include "appraisal/json_bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "cli/evaluation.h"

static const struct opt opts[] = {
	{"out", OPT_STR, offsetof(struct evaluation_config, out), NULL, "FILE",
		"write the policy to this file; else, or with --json, to standard output"},
	{.name = NULL},
};

static const struct opt_program program = {
	.name = "teesql pin",
	.synopsis = "[OPTION]... [TARGET]",
	.purpose =
		"Appraise TARGET and write a policy that accepts what it measures now: MRTD, RTMR1, RTMR2, compose "
		"hash,\n"
		"application id and key provider. Compare these with what you built: whoever answers first is trusted.",
	.opts = opts,
	.shared = evaluation_tables,
};

static int set_list(json_t *policy, const char *name, json_t *value)
{
	return json_is_string(value) ? json_object_set_new(policy, name, json_pack("[O]", value)) : 0;
}

/* RTMR0 (virtual hardware) and the platform's id stay out: they change where the image does not. */
static json_t *policy_of(json_t *report)
{
	json_t *evidence = json_object_get(report, "evidence"), *app = json_object_get(report, "app");
	json_t *rtmr = json_object_get(evidence, "rtmr"), *endpoint = json_object_get(report, "endpoint");
	const char *target = json_string_value(json_object_get(endpoint, "requested"));
	const char *time = json_string_value(json_object_get(report, "time"));
	json_t *policy = json_pack("{s:s, s:o}", "schema", "teesql.policy/1", "name",
		json_sprintf("trust on first use: %s at %s", target != NULL ? target : "?", time));

	/* Without memory there is no policy: one that compares less than was seen would accept more. */
	if (set_list(policy, "mrtd", json_object_get(evidence, "mrtd")) != 0 ||
		set_list(policy, "rtmr1", json_array_get(rtmr, 1)) != 0 ||
		set_list(policy, "rtmr2", json_array_get(rtmr, 2)) != 0 ||
		set_list(policy, "compose_hash", json_object_get(app, "compose_hash")) != 0 ||
		set_list(policy, "app_id", json_object_get(app, "app_id")) != 0 ||
		set_list(policy, "key_provider", json_object_get(app, "key_provider_sha256")) != 0) {
		json_decref(policy);
		return NULL;
	}
	return policy;
}

/* What a stricter policy would hold besides. */
static void note_the_rest(const struct cli *cli, json_t *report)
{
	json_t *evidence = json_object_get(report, "evidence");
	const char *rtmr0 = json_string_value(json_array_get(json_object_get(evidence, "rtmr"), 0));
	const char *ppid = json_string_value(json_object_get(evidence, "ppid"));

	if (rtmr0 != NULL)
		cli_note(cli, "not pinned (virtual hardware): \"rtmr0\": [\"%s\"]", rtmr0);
	if (ppid != NULL)
		cli_note(cli, "not pinned (this very processor): \"ppid\": [\"%s\"]", ppid);
	cli_note(cli, "trust on first use: compare these values with those of the image that you built");
}

static int write_policy(const struct evaluation *e, json_t *report, struct ratls_error *err)
{
	json_t *policy = policy_of(report);
	struct buf out = {0};
	int rc = RATLS_OK;

	json_append(policy, JSON_INDENT(2), &out);
	buf_u8(&out, '\n');
	if (out.bad)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	else if (e->config->out != NULL)
		rc = file_write(e->config->out, out.p, out.len, 0644, err);
	if (rc == RATLS_OK && (e->config->out == NULL || e->config->cli.json))
		fwrite(out.p, 1, out.len, stdout);
	buf_done(&out);
	json_decref(policy);
	return rc;
}

/* Only what is genuine is worth pinning. */
static int conclude(const struct evaluation *e)
{
	const struct cli *cli = &e->config->cli;
	struct ratls_error err = {.code = RATLS_E_ARG, .reason = e->conclusion.reason};
	json_t *report;
	int rc;

	if (e->report == NULL)
		return cli_fail(cli, &e->err);
	if (e->conclusion.class != CLASS_ACCEPTED) {
		snprintf(err.message, sizeof(err.message), "%s", e->conclusion.message);
		(void)cli_fail(cli, &err);
		if (e->conclusion.hint[0] != '\0')
			cli_note(cli, "%s", e->conclusion.hint);
		return (int)e->conclusion.class;
	}
	report = evaluation_json(e);
	rc = report != NULL ? write_policy(e, report, &err) : err_set(&err, RATLS_E_NOMEM, "out of memory");
	if (rc == RATLS_OK)
		note_the_rest(cli, report);
	json_decref(report);
	return rc == RATLS_OK ? 0 : cli_fail(cli, &err);
}

static int pin(const void *config, const char *target)
{
	return evaluation_run(config, target, conclude);
}

int cmd_pin(char **argv)
{
	struct evaluation_config config = {.cli = {0}};

	return cli_run(&program, argv, &config, 1, pin);
}
