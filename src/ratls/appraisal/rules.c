/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of the rules: what each is called, who judges it, whose it is.
 */
#include "appraisal/appraise.h"

/* Those that tell what was found before. */
#define RULE(symbol, judge, need, by)
#define OUTCOME(symbol, judge, need, by, found)                                                              \
	void rule_##judge(struct appraisal *a, struct check *c)                                              \
	{                                                                                                    \
		check_outcome(c, &a->found);                                                                 \
	}
#include "appraisal/rules.def"

enum need { MUST, MAY };

enum by { DCAP = APPRAISED_DCAP, ITA = APPRAISED_ITA, EITHER = APPRAISED_DCAP | APPRAISED_ITA, BOTH = 4 };

static const struct {
	enum reason reason;
	enum need need;
	enum by by;
	void (*judge)(struct appraisal *a, struct check *c);
} rules[RULE_COUNT] = {
#define RULE(symbol, judge, need, by) {REASON_##symbol, need, by, rule_##judge},
#include "appraisal/rules.def"
};

const struct reason_row *rule_reason(enum rule rule)
{
	return reason_find((int)rules[rule].reason);
}

bool rule_applies(enum rule rule, unsigned verifiers)
{
	if (verifiers == 0)
		return true;
	return rules[rule].by == BOTH ? verifiers == (APPRAISED_DCAP | APPRAISED_ITA)
				      : (rules[rule].by & verifiers) != 0;
}

bool rule_awaits_token(enum rule rule, unsigned verifiers)
{
	if (rules[rule].by == EITHER) /* alone, a token says what the status is */
		return verifiers == APPRAISED_ITA && rule_reason(rule)->class == CLASS_TCB;
	return rules[rule].by != DCAP;
}

bool rule_may_be_skipped(enum rule rule)
{
	return rules[rule].need == MAY;
}

void rule_judge(enum rule rule, struct appraisal *a)
{
	rules[rule].judge(a, &a->checks[rule]);
}

const char *appraisal_first_failure(const struct appraisal *a, unsigned verifier)
{
	for (enum rule rule = 0; rule < RULE_COUNT; rule++)
		if ((unsigned)rules[rule].by == verifier && a->checks[rule].status == CHECK_FAIL &&
			rule_reason(rule)->class != CLASS_UNDETERMINED && rule_reason(rule)->class != CLASS_CLOCK)
			return rule_reason(rule)->id;
	return NULL;
}
