/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about a token of Intel Trust Authority: whose it is, whether it holds now, and whether it speaks of
 * this very quote.
 */
#include "appraisal/appraise.h"

#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"

#define MEASUREMENT_MAX 64 /* bytes: REPORTDATA */

static const char no_claims[] = "there are no claims that could be read";

void rule_ita_present(struct appraisal *a, struct check *c)
{
	if (a->has_token)
		check_pass(c);
	else if (a->unasked)
		check_unknown(c, "Intel Trust Authority was not asked: it could not change the verdict");
	else
		check_fail(c, "Intel Trust Authority has said nothing about this quote");
}

void rule_ita_chain_time(struct appraisal *a, struct check *c)
{
	const struct jwk_trust *t = &a->token_trust;

	if (!outcome_passed(&t->chain))
		check_unknown(c, "there is no chain that holds");
	else if (appraisal_within(a, c, "the certificate of the token's key", t->begin, t->end))
		check_pass(c);
}

void rule_ita_crl(struct appraisal *a, struct check *c)
{
	if (!outcome_passed(&a->token->crls_read))
		check_outcome(c, &a->token->crls_read);
	else
		check_outcome(c, &a->token_trust.crl);
	if (c->status == CHECK_PASS)
		appraisal_ends(a, a->token_trust.crl_end);
}

static bool has_claims(const struct appraisal *a, struct check *c)
{
	if (!outcome_passed(&a->token->claims))
		check_unknown(c, "%s", no_claims);
	return outcome_passed(&a->token->claims);
}

/* "Intel Trust Authority"; older tokens leave the first word out. */
void rule_ita_issuer(struct appraisal *a, struct check *c)
{
	const char *issuer = a->token->said.issuer;

	if (!has_claims(a, c))
		return;
	if (strcmp(issuer, "Intel Trust Authority") == 0 || strcmp(issuer, "Trust Authority") == 0)
		check_pass(c);
	else
		check_fail(c, "it was issued by \"%.100s\"", utf8_is_plain(issuer) ? issuer : "?");
}

/* Two clocks may differ by the leeway; a token that was not made just now may be another's, seen before. */
void rule_ita_time(struct appraisal *a, struct check *c)
{
	const struct ita_token *t = a->token;
	int64_t begin = t->said.not_before > t->said.issued ? t->said.not_before : t->said.issued;

	if (!has_claims(a, c))
		return;
	if (t->said.expires <= t->said.issued || t->said.expires - t->said.issued > ITA_LIFETIME_MAX) {
		check_fail(c, "the token is made to hold for %lld seconds",
			(long long)(t->said.expires - t->said.issued));
		return;
	}
	if (!appraisal_within(a, c, "the token", begin - ITA_LEEWAY, t->said.expires + ITA_LEEWAY))
		return;
	appraisal_ends(a, t->said.expires);
	if (a->at - t->said.issued > ITA_AGE_MAX)
		check_fail(c, "the token was made %lld seconds ago, and not when it was asked for",
			(long long)(a->at - t->said.issued));
	else
		check_pass(c);
}

void rule_ita_nonce(struct appraisal *a, struct check *c)
{
	const json_t *said = ita_claim(&a->token->said, "verifier_nonce");

	if (!has_claims(a, c))
		return;
	if (a->token->nonce == NULL)
		check_skip(c, "the token was asked for without a nonce");
	else if (said == NULL)
		check_fail(c, "the token carries no nonce");
	else if (json_equal(said, a->token->nonce) != 1)
		check_fail(c, "the token carries another nonce than ours: it was made for another question");
	else
		check_pass(c);
}

void rule_ita_attester(struct appraisal *a, struct check *c)
{
	const char *type = json_string_value(ita_claim(&a->token->said, "attester_type"));

	if (!has_claims(a, c))
		return;
	if (type == NULL)
		check_fail(c, "the token does not say what it is about");
	else if (strcmp(type, "TDX") != 0)
		check_fail(c, "the token is about \"%.40s\", not about TDX", utf8_is_plain(type) ? type : "?");
	else
		check_pass(c);
}

/* One measurement of the token against the quote's; what is not said is not equal. */
static bool judge_measurement(struct appraisal *a, struct check *c, const struct ita_measurement *m)
{
	const struct cur *ours = (const struct cur *)((const char *)&a->quote->td + m->offset);
	const json_t *said = ita_claim(&a->token->said, m->claim);
	uint8_t bytes[MEASUREMENT_MAX];

	if (said == NULL) {
		check_fail(c, "the token does not say %s", m->claim);
		return false;
	}
	if (!json_is_string(said) || ours->left > sizeof(bytes) ||
		!hex_decode(json_string_value(said), json_string_length(said), bytes, ours->left)) {
		check_fail(c, "%s of the token is not hex of its length", m->claim);
		return false;
	}
	if (cur_is(ours, bytes, ours->left))
		return true;
	check_wants_hex(c, *ours);
	check_has_hex(c, cur_of(bytes, ours->left));
	check_fail(c, "%s of the token is not that of the quote", m->claim);
	return false;
}

/* The token is about this quote only if it says of the machine what the quote says. */
void rule_ita_measurements(struct appraisal *a, struct check *c)
{
	if (!has_claims(a, c))
		return;
	for (size_t i = 0; i < ITA_MEASUREMENTS; i++)
		if (!judge_measurement(a, c, &ita_measurements[i]))
			return;
	check_pass(c);
}

/* A claim that may be absent must agree if it is there. */
static bool debug_agrees(const struct appraisal *a, const char *claim, bool debug)
{
	const json_t *v = ita_claim(&a->token->said, claim);

	return v == NULL || (json_is_boolean(v) && json_is_true(v) == debug);
}

static bool dbgstat_agrees(const struct appraisal *a, bool debug)
{
	const json_t *v = ita_claim(&a->token->said, "dbgstat");
	const char *word = json_string_value(v);

	return v == NULL || (word != NULL && strcmp(word, debug ? "enabled" : "disabled") == 0);
}

/* Whether debug is allowed is td.debug's business. Here: does the token see the machine that the quote shows?
 */
void rule_ita_debug(struct appraisal *a, struct check *c)
{
	struct cur attributes = a->quote->td.td_attributes;
	bool debug = (cur_u64le(&attributes) & 1) != 0; /* TDATTRIBUTES.DEBUG */

	if (!has_claims(a, c))
		return;
	check_wants(c, debug ? "enabled" : "disabled");
	if (!dbgstat_agrees(a, debug))
		check_fail(c, "dbgstat of the token is not what the quote says");
	else if (!debug_agrees(a, "tdx_is_debuggable", debug))
		check_fail(c, "tdx_is_debuggable of the token is not what the quote says");
	else if (!debug_agrees(a, "tdx_td_attributes_debug", debug))
		check_fail(c, "tdx_td_attributes_debug of the token is not what the quote says");
	else
		check_pass(c);
}

/* ---- two verifiers ------------------------------------------------------------------------------------- */

static void compare_status(struct appraisal *a, struct check *c)
{
	enum tcb_status ours = a->tcb.status, theirs = a->token->said.status;
	int64_t until = INT64_MAX;
	bool accepted = theirs != TCB_REVOKED && theirs != TCB_NOT_SUPPORTED &&
			policy_accepts_status(a->policy, theirs, a->at, &until);

	check_wants(c, tcb_status_name(ours));
	check_has(c, tcb_status_name(theirs));
	if (accepted)
		appraisal_ends(a, until);
	if (ours == theirs)
		check_pass(c);
	else if (accepted)
		check_warn(c, "by Intel's collateral the status is %s, Intel Trust Authority says %s",
			tcb_status_name(ours), tcb_status_name(theirs));
	else
		check_fail(c, "by Intel's collateral the status is %s, Intel Trust Authority says %s",
			tcb_status_name(ours), tcb_status_name(theirs));
}

/* Two verifiers of one quote that do not agree are an event in itself: one of them is wrong, or was deceived.
 */
void rule_verifiers_agree(struct appraisal *a, struct check *c)
{
	const char *dcap = appraisal_first_failure(a, APPRAISED_DCAP);
	const char *ita = appraisal_first_failure(a, APPRAISED_ITA);

	if (dcap != NULL && ita == NULL && outcome_passed(&a->token->claims))
		check_fail(
			c, "Intel Trust Authority vouches for what Intel's collateral does not (%s)", dcap);
	else if (ita != NULL && dcap == NULL && a->tcb_judged)
		check_fail(c, "Intel's collateral vouches for what Intel Trust Authority does not (%s)", ita);
	else if (!a->tcb_judged || !outcome_passed(&a->token->claims))
		check_unknown(c, "one of the two verifiers has not come to a status");
	else
		compare_status(a, c);
}
