/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about what the relying party wants: reference values and limits of its policy.
 */
#include "appraisal/appraise.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hex.h"
#include "evidence/claims.h"

static const char not_asked[] = "the policy does not ask for it";

/* The entries in force, and those that are not with the reason. */
static void show_list(const struct appraisal *a, struct check *c, const struct policy_list *list)
{
	struct buf text = {0};
	char *out;

	for (size_t i = 0; i < list->n; i++) {
		const struct policy_entry *e = &list->at[i];
		char edge[CLOCK_TEXT_SIZE];

		if (i > 0)
			buf_str(&text, ",");
		hex_append(&text, e->value, e->len);
		if (a->at < e->from || e->until != INT64_MAX) {
			clock_format(a->at < e->from ? e->from : e->until, edge);
			buf_fmt(&text, " (%s %s)", a->at < e->from ? "from" : "until", edge);
		}
	}
	out = buf_take_str(&text);
	if (out == NULL)
		c->text->bad = true;
	else
		check_wants(c, out);
	free(out);
}

/* "91eb2b44...18b7": enough to tell two values apart; the whole ones are beside it in the report. */
static void shorten(struct cur value, char text[static 24])
{
	char digits[2 * POLICY_VALUE_MAX + 1];

	if (value.left == 0 || value.left > POLICY_VALUE_MAX) {
		snprintf(text, 24, "not known");
		return;
	}
	hex_encode(value.p, value.left, digits);
	snprintf(text, 24, "%.8s...%s", digits, digits + 2 * value.left - 4);
}

/* An entry of this value, which does not hold now: its roll-out is over, or has not begun. */
static bool refuse_ended(const struct appraisal *a, struct check *c, const struct policy_list *list, struct cur value)
{
	char is[24], edge[CLOCK_TEXT_SIZE];

	shorten(value, is);
	for (size_t i = 0; i < list->n; i++) {
		const struct policy_entry *e = &list->at[i];
		bool early = a->at < e->from;

		if (!cur_is(&value, e->value, e->len))
			continue;
		clock_format(early ? e->from : e->until, edge);
		check_fail(c, early ? "it is %s, which the policy accepts from %s on only"
				    : "it is %s, which the policy accepted until %s only",
			is, edge);
		return true;
	}
	return false;
}

static void refuse_value(const struct appraisal *a, struct check *c, const struct policy_list *list, struct cur value)
{
	char is[24], wanted[24];

	if (refuse_ended(a, c, list, value))
		return;
	shorten(value, is);
	shorten(cur_of(list->at[0].value, list->at[0].len), wanted);
	check_fail(c, "it is %s, the policy accepts %s%s", is, wanted, list->n > 1 ? " and others" : "");
}

static void judge_list(struct appraisal *a, struct check *c, const struct policy_list *list, struct cur value)
{
	int64_t until = INT64_MAX;

	check_has_hex(c, value);
	if (list->n == 0) {
		check_skip(c, not_asked);
		return;
	}
	show_list(a, c, list);
	if (!policy_list_holds(list, value, a->at, &until)) {
		refuse_value(a, c, list, value);
		return;
	}
	appraisal_ends(a, until);
	check_pass(c);
}

/* A member of the policy: does it name a value? */
struct member {
	const char *name;
	bool there;
};

#define MEMBERS_TEXT_SIZE 80

/* "a, b and c": of those that are there, or of those that are not. Returns how many. */
static size_t name_members(
	const struct member *members, size_t n, bool there, char text[static MEMBERS_TEXT_SIZE])
{
	size_t count = 0, named = 0, used = 0;

	for (size_t i = 0; i < n; i++)
		count += members[i].there == there;
	for (size_t i = 0; i < n && used < MEMBERS_TEXT_SIZE; i++) {
		if (members[i].there != there)
			continue;
		named++;
		used += (size_t)snprintf(text + used, MEMBERS_TEXT_SIZE - used, "%s%s",
			named == 1 ? "" : named == count ? " and " : ", ", members[i].name);
	}
	return count;
}

/* RTMR3, and the claims that replay to it, are what the running kernel says of itself: they are worth as much as
 * is known of that kernel. */
void rule_policy_compared(struct appraisal *a, struct check *c)
{
	const struct ratls_policy *p = a->policy;
	const struct member said[] = {{"compose_hash", p->compose_hash.n > 0}, {"app_id", p->app_id.n > 0},
		{"os_image_hash", p->os_image_hash.n > 0}, {"key_provider", p->key_provider.n > 0},
		{"rtmr3", p->rtmr[3].n > 0}};
	const struct member kernel[] = {
		{"mrtd", p->mrtd.n > 0}, {"rtmr1", p->rtmr[1].n > 0}, {"rtmr2", p->rtmr[2].n > 0}};
	char compared[MEMBERS_TEXT_SIZE], missing[MEMBERS_TEXT_SIZE];
	size_t n_compared = name_members(said, sizeof(said) / sizeof(said[0]), true, compared);
	size_t n_missing = name_members(kernel, sizeof(kernel) / sizeof(kernel[0]), false, missing);

	if (!policy_compares(p))
		check_warn(c,
			"nothing was compared: the policy names no measurement, so any TDX machine passes");
	else if (n_compared > 0 && n_missing > 0)
		check_warn(c, "%s %s compared, but not %s: another kernel can say the same of itself", compared,
			n_compared > 1 ? "are" : "is", missing);
	else
		check_pass(c);
}

void rule_policy_mrtd(struct appraisal *a, struct check *c)
{
	judge_list(a, c, &a->policy->mrtd, a->quote->td.mrtd);
}

/* Only of a log that replays to the register is it known that its events made the difference. */
static void explain_rtmr(struct appraisal *a, struct check *c, uint32_t i)
{
	const struct eventlog *log = i == EVENTLOG_RUNTIME_IMR ? &a->evidence->runtime : &a->evidence->log;
	struct buf why = {0};

	if (a->policy->event_log.log.n > 0 && appraisal_passed(a, (enum rule)(RULE_LOG_RTMR0 + i)))
		reference_log_explain(&a->policy->event_log, log, i, &why);
	if (why.bad)
		c->text->bad = true;
	else if (why.len > 0)
		check_fail(c, "%.*s", (int)why.len, (const char *)why.p);
	buf_done(&why);
}

static void judge_rtmr(struct appraisal *a, struct check *c, uint32_t i)
{
	judge_list(a, c, &a->policy->rtmr[i], a->quote->td.rtmr[i]);
	if (c->status == CHECK_FAIL)
		explain_rtmr(a, c, i);
}

void rule_policy_rtmr0(struct appraisal *a, struct check *c)
{
	judge_rtmr(a, c, 0);
}

void rule_policy_rtmr1(struct appraisal *a, struct check *c)
{
	judge_rtmr(a, c, 1);
}

void rule_policy_rtmr2(struct appraisal *a, struct check *c)
{
	judge_rtmr(a, c, 2);
}

void rule_policy_rtmr3(struct appraisal *a, struct check *c)
{
	judge_rtmr(a, c, 3);
}

void rule_policy_event_log(struct appraisal *a, struct check *c)
{
	if (!a->policy->require_event_log)
		check_skip(c, not_asked);
	else if (!appraisal_passed(a, RULE_LOG_RTMR3))
		check_fail(c, "there is no event log that replays to RTMR3");
	else
		check_pass(c);
}

/* A claim counts only if the log that makes it is the one that was measured, and makes it once. */
static void judge_claim(
	struct appraisal *a, struct check *c, const struct policy_list *list, struct cur claim)
{
	bool proven = appraisal_passed(a, RULE_LOG_RTMR3) && appraisal_passed(a, RULE_LOG_CLAIMS);

	if (list->n > 0 && !proven) {
		show_list(a, c, list);
		check_fail(c, "there is no event log that replays to RTMR3, so that nothing is known of it");
	} else if (proven) {
		judge_list(a, c, list, claim);
	} else {
		check_skip(c, not_asked);
	}
}

void rule_policy_compose_hash(struct appraisal *a, struct check *c)
{
	judge_claim(a, c, &a->policy->compose_hash, a->evidence->claims.compose_hash);
}

void rule_policy_app_id(struct appraisal *a, struct check *c)
{
	judge_claim(a, c, &a->policy->app_id, a->evidence->claims.app_id);
}

void rule_policy_os_image_hash(struct appraisal *a, struct check *c)
{
	judge_claim(a, c, &a->policy->os_image_hash, a->evidence->claims.os_image_hash);
}

/* By its digest, which dstack calls mr_key_provider: it names whom the application's keys come from, and who runs
 * that can read what they protect, however genuine the machine. */
void rule_policy_key_provider(struct appraisal *a, struct check *c)
{
	uint8_t digest[HASH_SHA256_SIZE];
	struct cur claim = {.p = NULL};

	if (claims_key_provider_digest(&a->evidence->claims, digest))
		claim = cur_of(digest, sizeof(digest));
	judge_claim(a, c, &a->policy->key_provider, claim);
}

void rule_policy_ppid(struct appraisal *a, struct check *c)
{
	const struct sgx_extension *sgx = &a->pck->sgx;

	if (a->policy->ppid.n > 0 && !outcome_passed(&a->pck->extension))
		check_unknown(c, "the PCK certificate could not be read");
	else
		judge_list(a, c, &a->policy->ppid,
			outcome_passed(&a->pck->extension) ? cur_of(sgx->ppid, sizeof(sgx->ppid))
							   : cur_of(NULL, 0));
}

/* Both documents: an old one of either kind hides what was found since. */
void rule_policy_evaluation(struct appraisal *a, struct check *c)
{
	const struct endorsed *e = a->endorsed;
	int64_t least, floor = a->policy->min_evaluation_data_number;

	if (floor == 0) {
		check_skip(c, not_asked);
		return;
	}
	if (e->tcbinfo == NULL || e->qeid == NULL) {
		check_unknown(c, "TCB info or QE identity could not be read");
		return;
	}
	least = e->tcbinfo->evaluation_data_number;
	if (e->qeid->evaluation_data_number < least)
		least = e->qeid->evaluation_data_number;
	if (least < floor)
		check_fail(c, "the collateral is of evaluation %lld, older than the policy's %lld",
			(long long)least, (long long)floor);
	else
		check_pass(c);
}

void rule_policy_age(struct appraisal *a, struct check *c)
{
	int64_t most = a->policy->max_evidence_age, age = appraisal_age(a);

	if (most == 0) {
		check_skip(c, not_asked);
	} else if (age < 0) {
		check_unknown(c, "the evidence does not say when it was made");
	} else if (age > most) {
		check_fail(c, "the evidence is %lld seconds old, the policy allows %lld", (long long)age,
			(long long)most);
	} else {
		appraisal_ends(a, a->evidence->not_before + most);
		check_pass(c);
	}
}
