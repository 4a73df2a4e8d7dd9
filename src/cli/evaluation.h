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
	bool own_policy; /* it came in the bundle */
	struct obtained obtained;
	struct ratls_evidence *evidence;
	struct ratls_endorsements *endorsements;
	struct ratls_report *report;        /* NULL if it did not come to an appraisal */
	struct ratls_error err;             /* then why */
	struct ratls_error no_endorsements; /* why there are none */
	struct verify_times times;
	struct conclusion conclusion;
};

/* Evaluate target (NULL: the environment's), whose conclusion says how it went, and conclude: the exit code. */
int evaluation_run(const struct evaluation_config *config, const char *target,
	int (*conclude)(const struct evaluation *e));

/* The object of schema "teesql.verify/1": a new reference, NULL if memory ran out. */
json_t *evaluation_json(const struct evaluation *e);

/* Append the bundle of an evaluation that came to an appraisal; report is its evaluation_json. */
int evaluation_bundle(const struct evaluation *e, json_t *report, struct buf *ret, struct ratls_error *err);

#endif
