/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about Intel's signed facts: revocation lists, TCB info, QE identity, and the clock they are held
 * against.
 */
#include "appraisal/appraise.h"

#include "base/clock.h"

void rule_collateral_present(struct appraisal *a, struct check *c)
{
	if (a->has_endorsements && !a->endorsed->empty)
		check_pass(c);
	else
		check_fail(c, "without collateral nothing can be said about the platform");
}

/* What still holds is used, and whoever reads the report learns that it will not be so for long. */
void rule_collateral_refresh(struct appraisal *a, struct check *c)
{
	const struct ratls_endorsements *e = a->endorsements;
	char since[CLOCK_TEXT_SIZE];

	if (!a->has_endorsements || a->endorsed->empty) {
		check_skip(c, "there is no collateral");
	} else if (e->remark == NULL) {
		check_pass(c);
	} else {
		clock_format(e->remark_since, since);
		check_warn(c, "could not be refreshed since %s: %s", since, e->remark);
	}
}

struct span {
	int64_t begin, end;
};

static void span_add(struct span *s, int64_t begin, int64_t end)
{
	s->begin = begin < s->begin ? begin : s->begin;
	s->end = end > s->end ? end : s->end;
}

/* A clock is implausible when nothing at all held at that moment, be it certificate or document: one that is
 * wrong by less shows as something that has ended or has not begun. */
void rule_clock_plausible(struct appraisal *a, struct check *c)
{
	const struct endorsed *e = a->endorsed;
	struct span s;
	char at[CLOCK_TEXT_SIZE];

	if (!a->has_endorsements) {
		check_unknown(c, "there is no collateral to compare it with");
		return;
	}
	s = (struct span){e->root.not_before, e->root.not_after};
	if (e->tcbinfo != NULL)
		span_add(&s, e->tcbinfo->issued, e->tcbinfo->next_update);
	if (e->qeid != NULL)
		span_add(&s, e->qeid->issued, e->qeid->next_update);
	if (e->root_crl.list.x509 != NULL)
		span_add(&s, e->root_crl.list.this_update, e->root_crl.list.next_update);
	if (e->pck_crl.list.x509 != NULL)
		span_add(&s, e->pck_crl.list.this_update, e->pck_crl.list.next_update);
	if (cert_there(&a->pck->leaf))
		span_add(&s, a->pck->leaf.not_before, a->pck->leaf.not_after);
	clock_format(a->at, at);
	check_has(c, at);
	if (a->at < s.begin || a->at > s.end)
		check_fail(c, "at %s no certificate and no document held", at);
	else
		check_pass(c);
}

static bool judge_crl_time(struct appraisal *a, struct check *c, const struct endorsed_crl *crl)
{
	if (crl->list.x509 == NULL)
		check_unknown(c, "there is no revocation list that could be read");
	else
		return appraisal_within(
			a, c, "the revocation list", crl->list.this_update, crl->list.next_update);
	return false;
}

void rule_crl_root_time(struct appraisal *a, struct check *c)
{
	if (judge_crl_time(a, c, &a->endorsed->root_crl))
		check_pass(c);
}

/* The list must be of the very CA that issued this leaf: by name and key. */
void rule_crl_pck(struct appraisal *a, struct check *c)
{
	const struct endorsed *e = a->endorsed;
	const struct cert *ca = a->pck->ca;

	check_outcome(c, &e->pck_crl.outcome);
	if (c->status != CHECK_PASS || ca == &e->pck_ca)
		return;
	if (ca == NULL)
		check_unknown(c, "the issuer of the PCK certificate is not known");
	else if (!cert_same_ca(ca, &e->pck_ca))
		check_fail(c, "the revocation list is of \"%s\", the PCK certificate of \"%s\"",
			e->pck_ca.name, ca->name);
}

/* A list lives no longer than the certificate of its issuer: where that is the one in the quote, its time is
 * pck.time's business. */
void rule_crl_pck_time(struct appraisal *a, struct check *c)
{
	const struct cert *issuer = &a->endorsed->pck_ca;

	if (judge_crl_time(a, c, &a->endorsed->pck_crl) &&
		(a->pck->ca == issuer || appraisal_within(a, c, "the certificate of its issuer",
						 issuer->not_before, issuer->not_after)))
		check_pass(c);
}

static void judge_signer_revoked(const struct appraisal *a, struct check *c, const struct signed_document *d)
{
	const struct endorsed *e = a->endorsed;

	if (!appraisal_passed(a, RULE_CRL_ROOT) || !cert_there(&d->signer))
		check_unknown(c, "there is no revocation list or no certificate to look up in it");
	else if (crl_lists(&e->root_crl.list, &d->signer))
		check_fail(c, "\"%s\" is revoked", d->signer.name);
	else
		check_pass(c);
}

void rule_tcbinfo_revoked(struct appraisal *a, struct check *c)
{
	judge_signer_revoked(a, c, &a->endorsed->tcbinfo_document);
}

void rule_qeid_revoked(struct appraisal *a, struct check *c)
{
	judge_signer_revoked(a, c, &a->endorsed->qeid_document);
}

/* A document lives no longer than the certificate of its signer. */
static void judge_document_time(struct appraisal *a, struct check *c, const struct signed_document *d,
	int64_t issued, int64_t next_update)
{
	if (!outcome_passed(&d->format))
		check_unknown(c, "the document could not be read");
	else if (appraisal_within(a, c, "the document", issued, next_update) &&
		 appraisal_within(
			 a, c, "the certificate of its signer", d->signer.not_before, d->signer.not_after))
		check_pass(c);
}

void rule_tcbinfo_time(struct appraisal *a, struct check *c)
{
	const struct endorsed *e = a->endorsed;

	judge_document_time(a, c, &e->tcbinfo_document, e->tcbinfo != NULL ? e->tcbinfo->issued : 0,
		e->tcbinfo != NULL ? e->tcbinfo->next_update : 0);
}

void rule_qeid_time(struct appraisal *a, struct check *c)
{
	const struct endorsed *e = a->endorsed;

	judge_document_time(a, c, &e->qeid_document, e->qeid != NULL ? e->qeid->issued : 0,
		e->qeid != NULL ? e->qeid->next_update : 0);
}

void rule_tcbinfo_platform(struct appraisal *a, struct check *c)
{
	const struct tcbinfo *t = a->endorsed->tcbinfo;
	const struct sgx_extension *sgx = &a->pck->sgx;

	if (t == NULL || !outcome_passed(&a->pck->extension))
		check_unknown(c, "TCB info or the PCK certificate could not be read");
	else if (!t->tdx)
		check_fail(c, "TCB info is of SGX, not of TDX");
	else if (memcmp(t->pceid, sgx->pceid, sizeof(t->pceid)) != 0)
		check_fail(c, "TCB info is of another PCEID than the PCK certificate");
	else
		check_equal(c, cur_of(sgx->fmspc, sizeof(sgx->fmspc)), cur_of(t->fmspc, sizeof(t->fmspc)),
			"TCB info is of another FMSPC than the PCK certificate");
}

void rule_qeid_kind(struct appraisal *a, struct check *c)
{
	const struct qeid *q = a->endorsed->qeid;

	if (q == NULL)
		check_unknown(c, "QE identity could not be read");
	else if (!q->td_qe)
		check_fail(c, "QE identity is not of the quoting enclave for TDX");
	else
		check_pass(c);
}
