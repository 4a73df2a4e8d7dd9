/* SPDX-License-Identifier: Apache-2.0
 *
 * One row of a report as its rule fills it in. Sentences go into a text buffer that all rows share; memory
 * that runs out makes the buffer bad, which appraisal asks once at its end.
 */
#ifndef APPRAISAL_CHECK_H
#define APPRAISAL_CHECK_H

#include <stdint.h>

#include "appraisal/outcome.h"
#include "base/buf.h"
#include "base/cur.h"

struct check {
	enum check_status status;
	struct buf *text;
	uint32_t expected, actual, hint; /* offset in text plus one; 0 where there is nothing to say */
};

void check_pass(struct check *c);
void check_skip(struct check *c, const char *why);
void check_fail(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_warn(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_unknown(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Status and sentence of what was found earlier. */
void check_outcome(struct check *c, const struct outcome *o);

/* What was wanted and what was there, in words or as hex. */
void check_wants(struct check *c, const char *text);
void check_has(struct check *c, const char *text);
void check_wants_hex(struct check *c, struct cur bytes);
void check_has_hex(struct check *c, struct cur bytes);

/* Pass if both are equal, else fail with this sentence; shows both. */
void check_equal(struct check *c, struct cur expected, struct cur actual, const char *otherwise);

#endif
