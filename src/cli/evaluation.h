/* SPDX-License-Identifier: Apache-2.0
 *
 * One appraisal from a target to an conclusion: what `verify` reports and `pin` writes down.
 */
#ifndef CLI_EVALUATION_H
#define CLI_EVALUATION_H

#include "program/appraisal_options.h"
#include "cli/obtain.h"
#include "cli/verify_json.h"

/* The configuration of a command that appraises. */
struct evaluation_config {
	struct cli cli;
	struct appraisal_options appraisal;
	struct obtain_options obtain;
	char *at;
	char *out;  /* of `pin` */
	char *save; /* of `verify` */
	bool forecast;
};

extern const struct opt_table evaluation_tables[];

struct evaluation {
	const struct evaluation_config *config;
	int64_t at;
	struct appraisal_means means;
	struct ratls_policy *policy;
	struct obtained obtained;
	struct ratls_evidence *evidence;
	struct ratls_endorsements *endorsements;
	struct ratls_report *report;        /* NULL if it did not come to an appraisal */
	struct ratls_error err;             /* then why */
	struct ratls_error no_endorsements; /* why there are none */
	struct verify_times times;
	struct conclusion conclusion;
};

/* Always fills ret, whose conclusion says how it went; borrows config. target NULL is the environment's. */
void evaluation_run(struct evaluation *ret, const struct evaluation_config *config, const char *target);
void evaluation_done(struct evaluation *e);

/* A command that appraises one target: parses argv, evaluates, concludes. Returns the exit code. */
int evaluation_command(const struct opt_program *program, char **argv, int (*conclude)(const struct evaluation *e));

/* The object of schema "teesql.verify/1": a new reference, NULL if memory ran out. */
json_t *evaluation_json(const struct evaluation *e);

/* Append the bundle of an evaluation that came to an appraisal; report is its evaluation_json. */
int evaluation_bundle(const struct evaluation *e, json_t *report, struct buf *ret, struct ratls_error *err);

#endif
