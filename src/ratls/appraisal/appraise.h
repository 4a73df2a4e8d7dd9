/* SPDX-License-Identifier: Apache-2.0
 *
 * What the rules see. A rule is a function that judges one thing and fills in one row; it may look at what
 * the rows before it found, and at nothing outside this structure: no clock, no I/O, no log.
 */
#ifndef APPRAISAL_APPRAISE_H
#define APPRAISAL_APPRAISE_H

#include "appraisal/check.h"
#include "appraisal/endorsed.h"
#include "appraisal/pck.h"
#include "appraisal/policy.h"
#include "appraisal/tcb.h"
#include "evidence/evidence.h"

enum rule {
#define RULE(symbol, judge, need) RULE_##symbol,
#include "appraisal/rules.def"
#undef RULE
	RULE_COUNT
};

struct appraisal {
	const struct ratls_evidence *evidence;
	const struct quote *quote;                     /* the evidence's */
	const struct ratls_endorsements *endorsements; /* never NULL: a zeroed one stands in */
	bool has_endorsements;
	const struct ratls_policy *policy; /* never NULL */
	const struct ratls_binding *binding;
	int64_t at;

	/* Derived before the rules run */
	struct pck *pck;
	struct tcb_inputs tcb_inputs;
	struct tcb tcb;
	bool tcb_judged; /* the two above say something: platform, TCB info and QE identity are known */

	struct check checks[RULE_COUNT];
	int64_t valid_until; /* rules lower it to the end of what they rest on */
};

#define RULE(symbol, judge, need) void rule_##judge(struct appraisal *a, struct check *c);
#include "appraisal/rules.def"
#undef RULE

static inline bool appraisal_passed(const struct appraisal *a, enum rule rule)
{
	return a->checks[rule].status == CHECK_PASS;
}

static inline void appraisal_ends(struct appraisal *a, int64_t at)
{
	if (at < a->valid_until)
		a->valid_until = at;
}

/* begin <= at <= end, else fail with a sentence that names what and when; lowers valid_until. */
bool appraisal_within(struct appraisal *a, struct check *c, const char *what, int64_t begin, int64_t end);

/* How old the evidence is, in seconds; -1 if it does not say when it was made. */
int64_t appraisal_age(const struct appraisal *a);

#endif
