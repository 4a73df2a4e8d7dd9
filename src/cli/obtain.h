/* SPDX-License-Identifier: Apache-2.0
 *
 * From a target to what it presents: a look at a server, or the content of a file.
 */
#ifndef CLI_OBTAIN_H
#define CLI_OBTAIN_H

#include <jansson.h>

#include "cli/cli.h"
#include "cli/dial.h"
#include "cli/material.h"
#include "program/appraisal_options.h"
#include "cli/target.h"

struct obtain_options {
	bool starttls;
	int64_t timeout_ms;
};

extern const struct opt obtain_rows[];

struct obtained {
	char *requested; /* the target, for display */
	bool has_peer;
	struct peer peer; /* its leaf and chain have moved into material */
	struct material material;
};

/* target NULL is the environment's. ret must be zeroed; obtained_done also after a failure, when it holds
 * what was found until then. */
int obtain(const char *target, const struct obtain_options *o, const struct appraisal_options *self,
	const struct cli *cli, struct obtained *ret, struct ratls_error *err);
void obtained_done(struct obtained *o);

/* The member `endpoint` of reports: a new reference, every member there, null where unknown. evidence may be
 * NULL. */
json_t *obtained_endpoint(const struct obtained *o, const struct ratls_evidence *evidence);

#endif
