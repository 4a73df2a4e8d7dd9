/* SPDX-License-Identifier: Apache-2.0
 *
 * Appraisal is a pure function: what can be derived is derived, every rule runs, the report is made.
 */
#include "appraisal/reported.h"

#include <stdio.h>
#include <stdlib.h>
#include <openssl/err.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/utf8.h"

#define TEXT_SIZE ((size_t)2 << 10) /* of what most reports say; it grows for others */
#define AT_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z: the end of ASN.1's and RFC 3339's time */

/* ---- what several rules ask ---------------------------------------------------------------------------- */

bool appraisal_within(struct appraisal *a, struct check *c, const char *what, int64_t begin, int64_t end)
{
	char edge[CLOCK_TEXT_SIZE];

	appraisal_ends(a, end);
	if (a->at >= begin && a->at <= end)
		return true;
	clock_format(a->at < begin ? begin : end, edge);
	if (a->at < begin)
		check_fail(c, "%s begins to hold at %s only", what, edge);
	else
		check_fail(c, "%s held until %s", what, edge);
	return false;
}

/* A quote carries no time. What is known is when the certificate that carries it began, and agents write a
 * time long past where they were told none: one before the PCK certificate says nothing. */
int64_t appraisal_age(const struct appraisal *a)
{
	const struct ratls_evidence *e = a->evidence;

	if (e->leaf.left == 0 || !cert_there(&a->pck->leaf) || e->not_before < a->pck->leaf.not_before ||
		e->not_before > a->at)
		return -1;
	return a->at - e->not_before;
}

/* ---- an appraisal -------------------------------------------------------------------------------------- */

static int check_arguments(const struct appraisal_inputs *in, struct ratls_error *err)
{
	const struct ratls_binding *binding = in->binding;

	if (in->evidence == NULL || binding == NULL)
		return err_set(err, RATLS_E_ARG, "could not appraise: no evidence or no binding");
	if (in->at < 0 || in->at > AT_MAX)
		return err_set(err, RATLS_E_ARG, "could not appraise: the time is out of range");
	if (binding->kind < RATLS_BINDING_CERTIFICATE || binding->kind > RATLS_BINDING_NONE)
		return err_set(err, RATLS_E_ARG, "could not appraise: the kind of binding is unknown");
	if ((binding->kind == RATLS_BINDING_SPKI || binding->kind == RATLS_BINDING_REPORT_DATA) &&
		binding->bytes == NULL && binding->len > 0)
		return err_set(err, RATLS_E_ARG, "could not appraise: the bytes of the binding are missing");
	if (binding->kind == RATLS_BINDING_REPORT_DATA && binding->len > 64)
		return err_set(err, RATLS_E_ARG, "could not appraise: more report data than 64 bytes");
	return RATLS_OK;
}

/* Alone a token says what the status is; beside collateral it can only object. */
static void derive_token(struct appraisal *a)
{
	const struct ita_token *t = a->token;

	if (t->key != NULL)
		jwk_judge(t->key, t->crls, a->at, &a->token_trust);
	if (!outcome_passed(&t->claims))
		return;
	if (a->verifiers == APPRAISED_ITA) {
		a->tcb = (struct tcb){.status = t->said.status, .date = t->said.tcb_date};
		a->tcb_judged = true;
	}
	a->tcb.listed = t->said.advisories;
}

/* Read the PCK chain, and judge version numbers if everything that this takes is there. */
static bool derive(struct appraisal *a)
{
	const struct endorsed *e = a->endorsed;
	struct pck_known known = {.keys = a->keys};
	struct cur pem = a->quote->certification, named = endorsements_pck_chain(a->endorsements);

	if (a->has_endorsements)
		known = (struct pck_known){
			&e->root, outcome_passed(&e->pck_ca_chain) ? &e->pck_ca : NULL, a->keys};
	if (a->quote->certification_type != QUOTE_CERTIFICATION_PCK_CHAIN)
		pem = named.left > 0 ? named : (struct cur){0};
	/* The memo is the one thing in endorsements that changes, and no verdict with it. */
	a->pck = a->has_endorsements ? pck_memo_get(&a->endorsements->endorsed->memo, pem, &known)
				     : pck_new(pem, &known);
	if (a->pck == NULL)
		return false;
	a->tcb_inputs = (struct tcb_inputs){e->tcbinfo, e->qeid, &a->pck->sgx, a->quote};
	a->tcb_judged = outcome_passed(&a->pck->extension) && e->tcbinfo != NULL && e->tcbinfo->tdx &&
			e->qeid != NULL;
	if (a->tcb_judged)
		tcb_judge(&a->tcb_inputs, &a->tcb);
	derive_token(a);
	return true;
}

static void run_rules(struct appraisal *a, struct buf *text)
{
	for (enum rule i = 0; i < RULE_COUNT; i++) {
		a->checks[i].text = text;
		if (rule_applies(i, a->verifiers))
			rule_judge(i, a);
	}
}

/* Why what this rule asks for could not be had, NULL if the rule asks for nothing or nobody knows. */
static const struct ratls_error *missing_reason(const struct appraisal_inputs *in, enum rule rule)
{
	const struct ratls_error *why = NULL;

	if (rule == RULE_COLLATERAL_PRESENT && in->endorsements == NULL)
		why = in->no_endorsements;
	if (rule == RULE_ITA_PRESENT && in->token == NULL)
		why = in->no_token;
	return why != NULL && why->code != RATLS_OK ? why : NULL;
}

/* "the rule's meaning: what differed" of the rule that decided. */
static void write_refusal(struct ratls_report *r, enum rule rule)
{
	const struct check *c = &r->checks[rule];
	char detail[RATLS_ERROR_MESSAGE_SIZE] = "";

	if (c->hint > 0 && !r->text.bad)
		snprintf(detail, sizeof(detail), "%s", (const char *)r->text.p + c->hint - 1);
	if (c->status == CHECK_FAIL)
		buf_fmt(&r->text, "%s%s%s", rule_reason(rule)->meaning, detail[0] != '\0' ? ": " : "", detail);
	else
		buf_fmt(&r->text, "could not judge %s%s%s", rule_reason(rule)->id,
			detail[0] != '\0' ? ": " : "", detail);
	/* That two verifiers contradict each other is to be heard, whatever else is wrong. */
	if (rule != RULE_VERIFIERS_AGREE && r->checks[RULE_VERIFIERS_AGREE].status == CHECK_FAIL)
		buf_str(&r->text, "; the verifiers disagree");
}

/* Services, certificates and file names have a say in it. */
static void put_words(struct buf *text, const char *message)
{
	char words[RATLS_ERROR_MESSAGE_SIZE];

	snprintf(words, sizeof(words), "%s", message);
	utf8_clean(words);
	buf_str(text, words);
}

static void write_message(struct ratls_report *r, const struct appraisal_inputs *in)
{
	struct report_verdict v = report_judge(r);
	const struct ratls_error *missing = v.accepted ? NULL : missing_reason(in, v.rule);
	uint32_t at = (uint32_t)r->text.len + 1;

	if (v.accepted)
		buf_str(&r->text, "accepted");
	else if (missing != NULL)
		put_words(&r->text, missing->message);
	else
		write_refusal(r, v.rule);
	buf_u8(&r->text, 0);
	r->message = at;
	if (missing != NULL)
		r->missing = missing->reason;
}

static void fill_report(struct ratls_report *r, const struct appraisal *a, const struct appraisal_inputs *in)
{
	memcpy(r->checks, a->checks, sizeof(r->checks));
	for (size_t i = 0; i < RULE_COUNT; i++)
		r->checks[i].text = NULL;
	r->at = a->at;
	r->valid_until = a->valid_until;
	r->age = appraisal_age(a);
	r->evidence = evidence_ref(a->evidence);
	r->verifiers = a->verifiers;
	r->unasked = a->unasked;
	if (in->endorsements != NULL)
		r->endorsements = endorsements_ref(in->endorsements);
	if (in->token != NULL)
		r->token = ita_token_ref(in->token);
	r->sgx = a->pck->sgx;
	r->sgx_known = outcome_passed(&a->pck->extension);
	r->tcb = a->tcb;
	r->tcb_judged = a->tcb_judged;
	memcpy(r->policy, a->policy->name, sizeof(r->policy));
	r->compared = policy_compares(a->policy);
	write_message(r, in);
}

int appraise_inputs(const struct appraisal_inputs *in, struct ratls_report **ret, struct ratls_error *err)
{
	static const struct endorsed nothing_endorsed;
	static const struct ita_token no_token;
	static const struct ratls_policy empty_policy;
	struct ecdsa_keys own_keys = {.idle = {NULL}};
	struct appraisal a = {
		.verifiers = in->verifiers,
		.evidence = in->evidence,
		.endorsements = in->endorsements,
		.endorsed = in->endorsements != NULL ? in->endorsements->endorsed : &nothing_endorsed,
		.has_endorsements = in->endorsements != NULL,
		.keys = in->endorsements != NULL ? &in->endorsements->endorsed->keys : &own_keys,
		.token = in->token != NULL ? in->token : &no_token,
		.has_token = in->token != NULL,
		.unasked = in->unasked,
		.policy = in->policy != NULL ? in->policy : &empty_policy,
		.binding = in->binding,
		.at = in->at,
		.valid_until = INT64_MAX,
	};
	struct ratls_report *report;
	int rc = check_arguments(in, err);
	bool ok;

	if (rc != RATLS_OK)
		return rc;
	report = calloc(1, sizeof(*report));
	if (report == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	a.quote = &in->evidence->quote;
	buf_reserve(&report->text, TEXT_SIZE);
	ERR_set_mark();
	ok = derive(&a);
	if (ok) {
		run_rules(&a, &report->text);
		fill_report(report, &a, in);
	}
	ERR_pop_to_mark();
	pck_unref(a.pck);
	ecdsa_keys_done(&own_keys);
	if (!ok || report->text.bad) {
		ratls_report_free(report);
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	}
	*ret = report;
	return RATLS_OK;
}

int ratls_appraise(const struct ratls_evidence *evidence, const struct ratls_endorsements *endorsements,
	const struct ratls_policy *policy, const struct ratls_binding *binding, int64_t at,
	struct ratls_report **ret, struct ratls_error *err)
{
	const struct appraisal_inputs in = {
		.verifiers = APPRAISED_DCAP,
		.evidence = evidence,
		/* What changes in them is counts and memos. */
		.endorsements = (struct ratls_endorsements *)endorsements,
		.policy = policy,
		.binding = binding,
		.at = at,
	};

	return appraise_inputs(&in, ret, err);
}
