/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about the attributes with which the virtual machine was launched: Intel, "TDX Module ABI
 * Specification", TDATTRIBUTES. Which bits are fine is data: later modules define more of them.
 */
#include "appraisal/appraise.h"

#define BIT(n) (UINT64_C(1) << (n))

#define ATTRIBUTE_DEBUG           BIT(0)
#define ATTRIBUTE_PROFILING       (UINT64_C(0xff) & ~ATTRIBUTE_DEBUG) /* the rest of the untrusted group */
#define ATTRIBUTE_SEPT_VE_DISABLE BIT(28)
#define ATTRIBUTE_MIGRATABLE      BIT(29)
#define ATTRIBUTE_PKS             BIT(30)
#define ATTRIBUTE_KEY_LOCKER      BIT(31)
#define ATTRIBUTE_PERFMON         BIT(63)

/* Bits that have a rule of their own, or weaken nothing. */
#define ATTRIBUTES_KNOWN                                                                                     \
	(ATTRIBUTE_DEBUG | ATTRIBUTE_PROFILING | ATTRIBUTE_SEPT_VE_DISABLE | ATTRIBUTE_MIGRATABLE |          \
		ATTRIBUTE_PKS | ATTRIBUTE_KEY_LOCKER | ATTRIBUTE_PERFMON)

static uint64_t attributes(const struct appraisal *a)
{
	struct cur c = a->quote->td.td_attributes;

	return cur_u64le(&c);
}

static void judge_clear(const struct appraisal *a, struct check *c, uint64_t bits, const char *otherwise)
{
	check_has_hex(c, a->quote->td.td_attributes);
	if ((attributes(a) & bits) != 0)
		check_fail(c, "%s", otherwise);
	else
		check_pass(c);
}

void rule_td_debug(struct appraisal *a, struct check *c)
{
	judge_clear(a, c, ATTRIBUTE_DEBUG, "its owner can read and write its memory");
	if (c->status == CHECK_FAIL && a->policy->insecure_allow_debug)
		check_warn(
			c, "the machine is in debug mode, which the policy allows: nothing in it is secret");
}

void rule_td_profiling(struct appraisal *a, struct check *c)
{
	judge_clear(a, c, ATTRIBUTE_PROFILING, "bits of the group for profiling are set");
}

void rule_td_reserved(struct appraisal *a, struct check *c)
{
	judge_clear(a, c, ~ATTRIBUTES_KNOWN, "bits are set that are reserved or not known");
}

/* Migration moves trust from this machine to a migration TD that nobody has appraised. */
void rule_td_migratable(struct appraisal *a, struct check *c)
{
	judge_clear(a, c, ATTRIBUTE_MIGRATABLE, "a migration TD may move it to another host");
}

void rule_td_sept_ve(struct appraisal *a, struct check *c)
{
	check_has_hex(c, a->quote->td.td_attributes);
	if ((attributes(a) & ATTRIBUTE_SEPT_VE_DISABLE) == 0)
		check_fail(c, "the host may inject exceptions by unmapping its memory");
	else
		check_pass(c);
}

void rule_td_service(struct appraisal *a, struct check *c)
{
	const struct quote_td *td = &a->quote->td;

	if (td->mrservicetd.left == 0)
		check_skip(c, "TD reports 1.0 do not name a service TD");
	else if (!cur_all_zero(&td->mrservicetd))
		check_fail(c, "MRSERVICETD is not zero");
	else
		check_pass(c);
}
