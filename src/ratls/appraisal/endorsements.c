/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/endorsed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>

#include "appraisal/chain.h"
#include "appraisal/endorsement_members.h"
#include "appraisal/root.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/options.h"
#include "base/utf8.h"

#define OPTIONS_FIRST_SIZE sizeof(struct ratls_endorsements_options)

static void take_crl(struct cur text, const struct cert *issuer, const struct outcome *issuer_chain,
	struct ecdsa_keys *keys, struct endorsed_crl *ret)
{
	if (!outcome_passed(issuer_chain))
		ret->outcome = *issuer_chain;
	else if (crl_parse(text, &ret->list, &ret->outcome))
		crl_check(&ret->list, issuer, keys, &ret->outcome);
}

static void take_crls(struct endorsed *e, const struct endorsement_items *items)
{
	struct outcome anchor = {.status = CHECK_PASS};

	take_crl(items->root_ca_crl, &e->root, &anchor, &e->keys, &e->root_crl);
	chain_check_pair(
		items->pck_crl_issuer_chain, CERT_PCK_CA, &e->root, &e->keys, &e->pck_ca, &e->pck_ca_chain);
	take_crl(items->pck_crl, &e->pck_ca, &e->pck_ca_chain, &e->keys, &e->pck_crl);
}

/* Both documents come with the same chain nearly always: it is checked once then. */
static void take_signer(struct cur pem, struct endorsed *e, struct signed_document *d,
	const struct signed_document *other, bool same_text)
{
	if (other != NULL && same_text && outcome_passed(&other->chain) &&
		cert_parse(cur_of(other->signer.der.p, other->signer.der.len), &e->keys, &d->signer, &d->chain))
		outcome_pass(&d->chain);
	else
		chain_check_pair(pem, CERT_TCB_SIGNING, &e->root, &e->keys, &d->signer, &d->chain);
}

static bool check_signature(
	struct cur text, struct cur hex, struct ecdsa_keys *keys, struct signed_document *d)
{
	uint8_t raw[ECDSA_SIGNATURE_SIZE];
	struct cur signature = cur_of(raw, sizeof(raw));
	enum ecdsa_answer answer;

	if (!outcome_passed(&d->chain))
		return outcome_unknown(&d->signature, "the chain of its signer does not hold");
	if (!hex_decode((const char *)hex.p, hex.left, raw, sizeof(raw)))
		return outcome_fail(&d->signature, "the signature is not 128 hex digits");
	answer = ecdsa_verify(keys, &d->signer.point, &signature, &text);
	if (answer == ECDSA_NO)
		return outcome_fail(&d->signature, "\"%s\" did not sign these bytes", d->signer.name);
	return answer == ECDSA_YES ? outcome_pass(&d->signature) : outcome_unknown(&d->signature, ECDSA_UNDECIDED_TEXT);
}

static void take_documents(struct endorsed *e, const struct endorsement_items *items)
{
	struct signed_document *tcb = &e->tcbinfo_document, *qe = &e->qeid_document;
	struct cur tcb_chain = cur_of(items->tcb_info_issuer_chain.p, items->tcb_info_issuer_chain.left);
	bool same = cur_is(&items->qe_identity_issuer_chain, tcb_chain.p, tcb_chain.left);

	take_signer(items->tcb_info_issuer_chain, e, tcb, NULL, false);
	take_signer(items->qe_identity_issuer_chain, e, qe, tcb, same);
	if (check_signature(items->tcb_info, items->tcb_info_signature, &e->keys, tcb))
		e->tcbinfo = tcbinfo_parse(items->tcb_info, &tcb->format);
	else
		outcome_unknown(&tcb->format, "it is not read unless its signature holds");
	if (check_signature(items->qe_identity, items->qe_identity_signature, &e->keys, qe))
		e->qeid = qeid_parse(items->qe_identity, &qe->format);
	else
		outcome_unknown(&qe->format, "it is not read unless its signature holds");
}

static int take_root(struct endorsed *e, const struct ratls_endorsements_options *options,
	struct ratls_error *err)
{
	struct ratls_endorsements_options known;
	struct cur root = root_intel();
	int rc = options_copy(&known, sizeof(known), options, OPTIONS_FIRST_SIZE, err);

	if (rc != RATLS_OK)
		return rc;
	if (known.insecure_trust_root != NULL)
		root = cur_of(known.insecure_trust_root, known.insecure_trust_root_len);
	e->development = !root_is_intel(root);
	return root_load(root, &e->keys, &e->root, err);
}

static int check_sizes(const struct endorsement_items *items, struct ratls_error *err)
{
	for (const struct endorsement_member *m = endorsement_members; m->name != NULL; m++) {
		struct cur item = endorsement_item_of(items, m);

		if (item.left > ENDORSEMENTS_ITEM_MAX)
			return err_set(err, RATLS_E_FORMAT,
				"could not read endorsements: an item of %zu bytes is larger than any",
				item.left);
	}
	return RATLS_OK;
}

static int keep_items(struct endorsed *e, const struct endorsement_items *items, struct ratls_error *err)
{
	struct endorsement_items kept = *items;
	const struct endorsement_member *m;
	struct cur rest;

	kept.source = NULL;
	kept.pck_certificate_chain = cur_of(NULL, 0);
	for (m = endorsement_members; m->name != NULL; m++) {
		struct cur item = endorsement_item_of(&kept, m);

		buf_bytes(&e->raw, item.p, item.left);
	}
	if (e->raw.bad)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	rest = cur_of(e->raw.p, e->raw.len);
	for (m = endorsement_members; m->name != NULL; m++)
		*endorsement_item(&e->items, m) = cur_take(&rest, endorsement_item_of(&kept, m).left);
	return RATLS_OK;
}

static void endorsed_unref(struct endorsed *e)
{
	if (e == NULL || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1)
		return;
	pck_memo_done(&e->memo); /* what it holds points to the rest */
	ecdsa_keys_done(&e->keys);
	cert_done(&e->root);
	cert_done(&e->pck_ca);
	crl_done(&e->root_crl.list);
	crl_done(&e->pck_crl.list);
	cert_done(&e->tcbinfo_document.signer);
	cert_done(&e->qeid_document.signer);
	tcbinfo_free(e->tcbinfo);
	qeid_free(e->qeid);
	buf_done(&e->raw);
	free(e);
}

/* With these items, of which nothing is looked at yet. NULL if *ret_rc is no success. */
static struct endorsed *begin(const struct endorsement_items *items,
	const struct ratls_endorsements_options *options, int *ret_rc, struct ratls_error *err)
{
	struct endorsed *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		*ret_rc = err_set(err, RATLS_E_NOMEM, "out of memory");
		return NULL;
	}
	atomic_init(&e->refs, 1);
	*ret_rc = take_root(e, options, err);
	if (*ret_rc == RATLS_OK)
		*ret_rc = keep_items(e, items, err);
	if (*ret_rc == RATLS_OK)
		return e;
	endorsed_unref(e);
	return NULL;
}

/* ---- labels --------------------------------------------------------------------------------------------- */

static int label(struct endorsed *endorsed, const char *source, const char *remark, int64_t remark_since,
	struct cur pck_chain, struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct ratls_endorsements *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	atomic_init(&e->refs, 1);
	atomic_fetch_add_explicit(&endorsed->refs, 1, memory_order_relaxed);
	e->endorsed = endorsed;
	e->source = strdup(source != NULL ? source : "");
	e->remark = remark != NULL ? strdup(remark) : NULL;
	e->remark_since = remark_since;
	buf_bytes(&e->pck_chain, pck_chain.p, pck_chain.left);
	if (e->source == NULL || (e->remark == NULL && remark != NULL) || e->pck_chain.bad) {
		ratls_endorsements_free(e);
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	}
	*ret = e;
	return RATLS_OK;
}

int endorsements_new(const struct endorsement_items *items, const struct ratls_endorsements_options *options,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct endorsed *e = NULL;
	int rc = check_sizes(items, err);

	if (rc != RATLS_OK)
		return rc;
	ERR_set_mark();
	e = begin(items, options, &rc, err);
	if (e != NULL) {
		take_crls(e, items);
		take_documents(e, items);
		rc = label(e, items->source, NULL, 0, items->pck_certificate_chain, ret, err);
	}
	endorsed_unref(e);
	ERR_pop_to_mark();
	return rc;
}

int endorsements_of_root(const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct ratls_error *err)
{
	const struct endorsement_items nothing = {.source = NULL};
	struct endorsed *e = NULL;
	int rc;

	ERR_set_mark();
	e = begin(&nothing, options, &rc, err);
	ERR_pop_to_mark();
	if (e != NULL) {
		e->empty = true;
		rc = label(e, NULL, NULL, 0, cur_of(NULL, 0), ret, err);
	}
	endorsed_unref(e);
	return rc;
}

struct ratls_endorsements *endorsements_ref(struct ratls_endorsements *e)
{
	atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
	return e;
}

void ratls_endorsements_free(struct ratls_endorsements *e)
{
	if (e == NULL || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1)
		return;
	endorsed_unref(e->endorsed);
	free(e->source);
	free(e->remark);
	buf_done(&e->pck_chain);
	free(e);
}

const char *endorsements_source(const struct ratls_endorsements *e)
{
	return e->source;
}

int endorsements_with_pck(const struct ratls_endorsements *e, struct cur chain, struct ratls_endorsements **ret,
	struct ratls_error *err)
{
	return label(e->endorsed, e->source, e->remark, e->remark_since, chain, ret, err);
}

struct cur endorsements_pck_chain(const struct ratls_endorsements *e)
{
	return e != NULL ? cur_of(e->pck_chain.p, e->pck_chain.len) : cur_of(NULL, 0);
}

bool endorsements_recovery(const struct ratls_endorsements *e, int64_t *ret_number, int64_t *ret_date)
{
	const struct tcbinfo *t = e->endorsed->tcbinfo;

	if (t == NULL || t->n_levels == 0)
		return false;
	*ret_number = t->evaluation_data_number;
	*ret_date = t->levels[0].facts.date;
	return true;
}

int endorsements_remark(const struct ratls_endorsements *e, int64_t since, const char *why,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	char remark[RATLS_ERROR_MESSAGE_SIZE];

	/* Services and their certificates have a say in it, and reports are UTF-8. */
	snprintf(remark, sizeof(remark), "%s", why);
	utf8_make_plain(remark, strlen(remark));
	return label(e->endorsed, e->source, remark, since, endorsements_pck_chain(e), ret, err);
}

int64_t endorsements_valid_until(const struct ratls_endorsements *labelled)
{
	const struct endorsed *e = labelled->endorsed;
	int64_t ends[] = {
		e->root.not_after,
		cert_there(&e->pck_ca) ? e->pck_ca.not_after : 0,
		cert_there(&e->tcbinfo_document.signer) ? e->tcbinfo_document.signer.not_after : 0,
		cert_there(&e->qeid_document.signer) ? e->qeid_document.signer.not_after : 0,
		e->root_crl.list.x509 != NULL ? e->root_crl.list.next_update : 0,
		e->pck_crl.list.x509 != NULL ? e->pck_crl.list.next_update : 0,
		e->tcbinfo != NULL ? e->tcbinfo->next_update : 0,
		e->qeid != NULL ? e->qeid->next_update : 0,
	};
	int64_t earliest = ends[0];

	for (size_t i = 1; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i] < earliest)
			earliest = ends[i];
	return earliest;
}
