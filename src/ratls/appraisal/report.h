/* SPDX-License-Identifier: Apache-2.0
 *
 * The report: one row for every rule of appraisal/rules.def, filled in as the rules run. A zeroed report refuses.
 */
#ifndef APPRAISAL_REPORT_H
#define APPRAISAL_REPORT_H

#include <jansson.h>

#include "appraisal/outcome.h"
#include "base/reason.h"
#include "ratls.h"

/* The report's JSON without what only the program knows (endpoint, timing): a new reference. The program
 * adds its members and prints it. NULL if memory ran out. */
json_t *report_json_object(const struct ratls_report *report);

/* The same members where it did not come to a report of these verifiers (APPRAISED_... of appraise.h). */
json_t *report_json_blank(unsigned verifiers);

/* Its first members alone, from verdict to hint, for what came out in the end. */
struct report_conclusion {
	enum reason_class class;
	int reason; /* 0 if accepted */
	const char *message;
};
json_t *report_json_conclusion(const struct report_conclusion *conclusion);

/* For the human rendering: the i-th check, false at the end. Strings are the report's. */
struct report_check {
	const char *id;
	enum check_status status;
	const char *expected, *actual, *hint; /* NULL where there is nothing to say */
};
bool report_check_at(const struct ratls_report *report, size_t i, struct report_check *ret);

/* The reason number of the verdict, 0 if accepted. */
int report_reason(const struct ratls_report *report);

/* "dcap", "ita" or "dcap+ita" of APPRAISED_... (appraise.h); NULL for anything else. */
const char *report_verifiers_name(unsigned verifiers);

/* Does nothing stand in the way but that nobody has been asked for a token yet? */
bool report_awaits_token(const struct ratls_report *report);

/* Why what it rests on could not be refreshed, and since when: the sentence of collateral.refresh. NULL if it could. */
const char *report_degraded(const struct ratls_report *report);

/* What the relying party may want to log: "UpToDate" etc. of the platform as a whole, or NULL. */
const char *report_tcb_status(const struct ratls_report *report);

#endif
