/* SPDX-License-Identifier: Apache-2.0
 *
 * What the rules see. A rule is a function that judges one thing and fills in one row; it may look at what
 * the rows before it found, and at nothing outside this structure: no clock, no I/O, no log.
 */
#ifndef APPRAISAL_APPRAISE_H
#define APPRAISAL_APPRAISE_H

#include "appraisal/check.h"
#include "appraisal/endorsed.h"
#include "appraisal/ita_token.h"
#include "appraisal/pck.h"
#include "appraisal/policy.h"
#include "appraisal/tcb.h"
#include "base/reason.h"
#include "evidence/evidence.h"

enum rule {
#define RULE(symbol, judge, need, by) RULE_##symbol,
#include "appraisal/rules.def"
	RULE_COUNT
};

/* Who verifies the quote: Intel's collateral and our own arithmetic, Intel Trust Authority, or both. */
#define APPRAISED_DCAP 1u
#define APPRAISED_ITA  2u

/* What is appraised; all of it is borrowed. The public function is this with endorsements alone. */
struct appraisal_inputs {
	unsigned verifiers; /* APPRAISED_... */
	const struct ratls_evidence *evidence;
	struct ratls_endorsements *endorsements; /* NULL: there are none */
	struct ita_token *token;                 /* NULL: there is none */
	bool unasked;                            /* there is none because nobody has been asked for it yet */
	const struct ratls_policy *policy;       /* NULL: empty */
	const struct ratls_binding *binding;
	int64_t at;
	/* Why there are none, to be told where nothing worse is known; or NULL */
	const struct ratls_error *no_endorsements, *no_token;
};

/* As ratls_appraise. */
int appraise_inputs(const struct appraisal_inputs *in, struct ratls_report **ret, struct ratls_error *err);

struct appraisal {
	unsigned verifiers;
	const struct ratls_evidence *evidence;
	const struct quote *quote;                     /* the evidence's */
	const struct ratls_endorsements *endorsements; /* NULL: there are none */
	const struct endorsed *endorsed;               /* never NULL: a zeroed one stands in */
	bool has_endorsements;
	struct ecdsa_keys *keys;       /* the endorsements' */
	const struct ita_token *token; /* never NULL, likewise */
	bool has_token, unasked;
	const struct ratls_policy *policy; /* never NULL */
	const struct ratls_binding *binding;
	int64_t at;

	/* Derived before the rules run */
	struct pck *pck;
	struct tcb_inputs tcb_inputs;
	struct tcb tcb;
	bool tcb_judged; /* the above says something: platform, TCB info and QE identity, or the token, are known */
	struct jwk_trust token_trust;

	struct check checks[RULE_COUNT];
	int64_t valid_until; /* rules lower it to the end of what they rest on */
};

#define RULE(symbol, judge, need, by) void rule_##judge(struct appraisal *a, struct check *c);
#include "appraisal/rules.def"

const struct reason_row *rule_reason(enum rule rule);

/* Is it a rule of these verifiers? 0: every rule is. */
bool rule_applies(enum rule rule, unsigned verifiers);

/* Does it say nothing while there is no token? Such a rule stays unknown until then. */
bool rule_awaits_token(enum rule rule, unsigned verifiers);

/* May it be skipped? What is skipped is not known to hold. */
bool rule_may_be_skipped(enum rule rule);

/* Fill in its row. */
void rule_judge(enum rule rule, struct appraisal *a);

static inline bool appraisal_passed(const struct appraisal *a, enum rule rule)
{
	return a->checks[rule].status == CHECK_PASS;
}

static inline void appraisal_ends(struct appraisal *a, int64_t at)
{
	if (at < a->valid_until)
		a->valid_until = at;
}

/* The identifier of the first rule of this verifier alone that says no; NULL if none does. What could not be
 * decided says nothing. */
const char *appraisal_first_failure(const struct appraisal *a, unsigned verifier);

/* begin <= at <= end, else fail with a sentence that names what and when; lowers valid_until. */
bool appraisal_within(struct appraisal *a, struct check *c, const char *what, int64_t begin, int64_t end);

/* How old the evidence is, in seconds; -1 if it does not say when it was made. */
int64_t appraisal_age(const struct appraisal *a);

#endif
