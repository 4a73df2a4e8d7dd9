/* SPDX-License-Identifier: Apache-2.0
 *
 * An appraisal policy: reference values, and how much tolerance. Immutable once in use.
 */
#ifndef APPRAISAL_POLICY_H
#define APPRAISAL_POLICY_H

#include "appraisal/levels.h"
#include "appraisal/reference_log.h"
#include "base/cur.h"
#include "ratls.h"

#define POLICY_SCHEMA      "teesql.policy/1"
#define POLICY_JSON_MAX    ((size_t)1 << 20)
#define POLICY_ENTRIES_MAX 1024 /* of one list */
#define POLICY_VALUE_MAX   64
#define POLICY_NAME_MAX    128

/* One acceptable value, in a window of time (both ends included): for roll-outs. */
struct policy_entry {
	uint8_t value[POLICY_VALUE_MAX];
	size_t len;
	int64_t from, until; /* INT64_MIN, INT64_MAX: always */
};

/* Any of its entries suffices; an empty list compares nothing. */
struct policy_list {
	struct policy_entry *at;
	size_t n;
};

struct ratls_policy {
	char name[POLICY_NAME_MAX + 1]; /* shown in reports */
	struct policy_list mrtd, rtmr[4], compose_hash, app_id, os_image_hash, key_provider, ppid;
	struct policy_list tcb_status;         /* one byte each: enum tcb_status. Empty: the default */
	struct policy_list advisories_allowed; /* text */
	bool advisories_limited;               /* advisories_allowed was given, be it empty */
	int64_t min_evaluation_data_number;    /* 0: any */
	int64_t max_evidence_age;              /* seconds; 0: any */
	struct reference_log event_log; /* what explains a register that is none of the above; may be empty */
	bool require_event_log;
	bool insecure_allow_debug;
};

/* Does the list hold this value at this moment? ret_until (may be NULL) is set to the latest end of an entry
 * that does. */
bool policy_list_holds(const struct policy_list *list, struct cur value, int64_t at, int64_t *ret_until);

/* The same for a status, with the default for an empty list: UpToDate and SWHardeningNeeded. */
bool policy_accepts_status(
	const struct ratls_policy *p, enum tcb_status status, int64_t at, int64_t *ret_until);

/* Is any measurement or claim compared? */
bool policy_compares(const struct ratls_policy *p);

/* The JSON object that ratls_policy_from_json reads back as this policy: a new reference, NULL if memory ran
 * out. */
json_t *policy_json(const struct ratls_policy *p);

#endif
