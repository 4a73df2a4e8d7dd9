/* SPDX-License-Identifier: Apache-2.0
 *
 * The object of `teesql verify --json`, schema "teesql.verify/1": every member is there every time, null
 * where nothing is known.
 */
#ifndef CLI_VERIFY_JSON_H
#define CLI_VERIFY_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/reason.h"
#include "ratls.h"

/* What came out, in the end. */
struct conclusion {
	enum reason_class class;
	int reason;         /* 0 if accepted */
	unsigned verifiers; /* who was to verify: APPRAISED_... of appraise.h */
	char message[RATLS_ERROR_MESSAGE_SIZE];
	char hint[160]; /* "": that of the reason */
};

struct verify_times {
	int64_t dns, tcp, tls, collateral, verify; /* milliseconds, -1 where it did not come to that */
};

/* report may be NULL (it did not come to an appraisal); takes endpoint. A new reference, NULL if memory ran
 * out. */
json_t *verify_json(const struct ratls_report *report, const struct conclusion *conclusion, int64_t at,
	json_t *endpoint, const struct verify_times *times);

#endif
