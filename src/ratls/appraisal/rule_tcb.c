/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about status: what Intel says of these version numbers, and whether the policy accepts it.
 */
#include "appraisal/appraise.h"

#include <stdio.h>

static const char not_judged[] = "the platform, TCB info or QE identity is not known";

static void judge_part(const struct appraisal *a, struct check *c, enum tcb_status status, const char *what)
{
	if (!a->tcb_judged) {
		check_unknown(c, "%s", not_judged);
		return;
	}
	check_has(c, tcb_status_name(status));
	if (status == TCB_NOT_SUPPORTED)
		check_fail(c, "the version numbers of the %s are below every published level", what);
	else
		check_pass(c);
}

void rule_tcb_platform(struct appraisal *a, struct check *c)
{
	judge_part(a, c, a->tcb.platform, "platform");
}

void rule_tcb_module(struct appraisal *a, struct check *c)
{
	if (a->tcb_judged && a->tcb.module_status == TCB_UNKNOWN)
		check_skip(c, "TDX modules of version 0 are judged with the platform");
	else if (a->tcb_judged && a->tcb.module == NULL)
		check_fail(c, "TCB info does not know this TDX module");
	else
		judge_part(a, c, a->tcb.module_status, "TDX module");
}

void rule_tcb_qe(struct appraisal *a, struct check *c)
{
	judge_part(a, c, a->tcb.qe, "quoting enclave");
}

void rule_tcb_revoked(struct appraisal *a, struct check *c)
{
	if (!a->tcb_judged)
		check_unknown(c, "%s", not_judged);
	else if (a->tcb.status == TCB_REVOKED)
		check_fail(c, "Intel has revoked these version numbers: no policy can accept them");
	else
		check_pass(c);
}

static void show_accepted(const struct appraisal *a, struct check *c)
{
	char text[256] = "";
	size_t used = 0;

	for (int s = TCB_UP_TO_DATE; s < TCB_REVOKED; s++)
		if (policy_accepts_status(a->policy, (enum tcb_status)s, a->at, NULL) && used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
				used > 0 ? "," : "", tcb_status_name((enum tcb_status)s));
	check_wants(c, text);
}

/* What remains to be done where no version number is short. */
static const char *remedy_of(enum tcb_status status)
{
	switch (status) {
	case TCB_UP_TO_DATE:
		return "there is nothing to be done, but the policy does not accept it";
	case TCB_SW_HARDENING_NEEDED:
		return "the software in the machine has to be hardened against the advisories";
	case TCB_CONFIGURATION_NEEDED:
	case TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
		return "the owner of the host has to change its configuration";
	case TCB_REVOKED:
	case TCB_NOT_SUPPORTED:
		return "the owner of the host has to update it";
	default:
		return "the owner of the host has to update it as soon as there is an update";
	}
}

static void refuse_status(const struct appraisal *a, struct check *c)
{
	struct tcb_shortfall short_of[TCB_SHORTFALLS_MAX];
	size_t n = a->tcb_inputs.info != NULL ? tcb_shortfalls(&a->tcb_inputs, short_of) : 0;
	const char *status = tcb_status_name(a->tcb.status);

	if (a->tcb.relaunch_advised)
		check_fail(c, "%s: the host has been updated since, start this virtual machine anew", status);
	else if (n > 0)
		check_fail(c, "%s: %s is %d, needs %d%s; %s", status, short_of[0].component, short_of[0].is,
			short_of[0].needs, n > 1 ? ", and more" : "", short_of[0].remedy);
	else
		check_fail(c, "%s: %s", status, remedy_of(a->tcb.status));
}

void rule_tcb_status(struct appraisal *a, struct check *c)
{
	int64_t until = INT64_MAX;

	if (!a->tcb_judged) {
		check_unknown(c, "%s", not_judged);
		return;
	}
	show_accepted(a, c);
	check_has(c, tcb_status_name(a->tcb.status));
	/* Whatever the policy says, these two are never accepted. */
	if (a->tcb.status == TCB_REVOKED || a->tcb.status == TCB_NOT_SUPPORTED ||
		!policy_accepts_status(a->policy, a->tcb.status, a->at, &until)) {
		refuse_status(a, c);
		return;
	}
	appraisal_ends(a, until);
	check_pass(c);
}

/* The first advisory that the policy does not list, NULL if none. */
static const char *unlisted_advisory(struct appraisal *a)
{
	const char *id;

	for (size_t i = 0; (id = tcb_advisory(&a->tcb, i)) != NULL; i++) {
		int64_t until = INT64_MAX;

		if (!policy_list_holds(&a->policy->advisories_allowed, cur_of(id, strlen(id)), a->at, &until))
			return id;
		appraisal_ends(a, until);
	}
	return NULL;
}

static void judge_advisories(struct appraisal *a, struct check *c, const char *first)
{
	const char *unlisted;

	if (!a->policy->advisories_limited) {
		check_warn(c, "advisories remain, beginning with %s; the policy says nothing of them", first);
		return;
	}
	unlisted = unlisted_advisory(a);
	if (unlisted != NULL)
		check_fail(c, "advisory %s is not among those that the policy allows", unlisted);
	else
		check_pass(c);
}

void rule_tcb_advisories(struct appraisal *a, struct check *c)
{
	const char *first = a->tcb_judged ? tcb_advisory(&a->tcb, 0) : NULL;

	if (!a->tcb_judged)
		check_unknown(c, "%s", not_judged);
	else if (first == NULL)
		check_pass(c);
	else
		judge_advisories(a, c, first);
}

/* During a recovery, "early" and "standard" documents exist side by side: mixing them is no forgery. */
void rule_tcb_evaluation(struct appraisal *a, struct check *c)
{
	const struct endorsed *e = a->endorsed;

	if (e->tcbinfo == NULL || e->qeid == NULL)
		check_unknown(c, "%s", not_judged);
	else if (e->tcbinfo->evaluation_data_number != e->qeid->evaluation_data_number)
		check_warn(c, "TCB info is of evaluation %lld, QE identity of %lld",
			(long long)e->tcbinfo->evaluation_data_number,
			(long long)e->qeid->evaluation_data_number);
	else
		check_pass(c);
}
