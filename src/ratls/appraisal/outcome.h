/* SPDX-License-Identifier: Apache-2.0
 *
 * What a check found: kept beside the artefact that was checked until a report is written. A zeroed
 * outcome is "unknown", which never accepts.
 */
#ifndef APPRAISAL_OUTCOME_H
#define APPRAISAL_OUTCOME_H

#include <stdbool.h>

enum check_status { CHECK_UNKNOWN = 0, CHECK_PASS, CHECK_FAIL, CHECK_WARN, CHECK_SKIPPED };

#define OUTCOME_DETAIL_SIZE 192

struct outcome {
	enum check_status status;
	char detail[OUTCOME_DETAIL_SIZE]; /* why it failed or could not be judged; else empty */
};

/* Record a failure with its sentence and return false: `return outcome_fail(o, "...")`. */
bool outcome_fail(struct outcome *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Record that it could not be judged, and why. Returns false. */
bool outcome_unknown(struct outcome *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Record success. Returns true. */
bool outcome_pass(struct outcome *o);

static inline bool outcome_passed(const struct outcome *o)
{
	return o->status == CHECK_PASS;
}

#endif
