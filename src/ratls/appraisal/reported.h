/* SPDX-License-Identifier: Apache-2.0
 *
 * What a report holds: the rows, and shares of what they are about, so that its JSON can be written when (and
 * if) somebody asks for it.
 */
#ifndef APPRAISAL_REPORTED_H
#define APPRAISAL_REPORTED_H

#include <stdatomic.h>

#include "appraisal/appraise.h"
#include "appraisal/report.h"

struct ratls_report {
	struct check checks[RULE_COUNT];
	struct buf text;  /* the sentences of the rows */
	uint32_t message; /* offset in text plus one */
	int64_t at;
	int64_t valid_until; /* INT64_MAX: nothing limits it */
	int64_t age; /* of the evidence in seconds; -1 if it does not say when it was made */
	const struct ratls_evidence *evidence;   /* a reference */
	unsigned verifiers;                      /* APPRAISED_...: only their rules count; 0: every rule does */
	bool unasked;                            /* for a token: rules that await one do not know */
	struct ratls_endorsements *endorsements; /* a reference; NULL if there were none */
	struct ita_token *token;                 /* likewise */
	int missing;                             /* the reason why there are none, if that decided; else 0 */
	struct sgx_extension sgx;
	bool sgx_known;
	struct tcb tcb; /* points into endorsements and token */
	bool tcb_judged;
	char policy[POLICY_NAME_MAX + 1];
	bool compared;        /* the policy names a measurement */
	_Atomic(char *) json; /* written once somebody asks */
};

/* The verdict, formed in this one place from the rows: accepted only if every rule holds, or may be skipped
 * and was. */
struct report_verdict {
	bool accepted;
	enum reason_class class;
	enum rule rule; /* the one that decided; meaningless if accepted */
};
struct report_verdict report_judge(const struct ratls_report *report);

#endif
