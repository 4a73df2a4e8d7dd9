/* SPDX-License-Identifier: Apache-2.0
 *
 * A report for the eye, from the same object that --json prints.
 */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

struct render_style {
	bool verbose; /* hashes in full */
	bool color;
};

/* The whole report of `teesql verify`; its last line begins with "Verdict: ". */
void render_report(json_t *report, const struct render_style *style, struct buf *out);

/* Only the last line. */
void render_verdict(json_t *report, const struct render_style *style, struct buf *out);

/* What was presented, without any judgement: `teesql inspect`. */
void render_facts(json_t *report, const struct render_style *style, struct buf *out);

#endif
