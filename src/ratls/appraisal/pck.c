/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/pck.h"

#include <stdlib.h>
#include <string.h>

#include "appraisal/chain.h"

/* The certificate of these bytes: the known one if it is the same, else decoded into own. */
static const struct cert *same_or_parse(
	struct cur der, const struct cert *known, struct ecdsa_keys *keys, struct cert *own, struct outcome *o)
{
	if (known != NULL && cert_is(known, der))
		return known;
	return cert_parse(der, keys, own, o) ? own : NULL;
}

static bool check_chain(const struct pck *p, const struct cert *root, struct outcome *o)
{
	return cert_check_role(&p->leaf, CERT_PCK, o) && cert_check_role(p->ca, CERT_PCK_CA, o) &&
	       cert_check_role(root, CERT_ROOT, o) && cert_check_issued(&p->leaf, p->ca, o) &&
	       cert_check_issued(p->ca, root, o) && cert_check_issued(root, root, o) && outcome_pass(o);
}

static void check_signature(
	const struct pck *p, const struct cert *root, struct ecdsa_keys *keys, struct outcome *o)
{
	bool is_known = p->ca != &p->own_ca;

	if ((is_known || cert_check_signature(p->ca, root, keys, o)) &&
		cert_check_signature(&p->leaf, p->ca, keys, o))
		outcome_pass(o);
}

static void check_extension(struct pck *p, const struct cert *ca)
{
	bool platform = strstr(ca->name, "Platform") != NULL;
	struct cur value;

	if (!cert_asn1_extension(&p->leaf.asn1, CERT_SGX, &value))
		outcome_fail(&p->extension, "the SGX extension does not occur exactly once");
	else if (!sgx_read(value, &p->sgx, &p->extension))
		return;
	else if (p->sgx.platform != platform)
		outcome_fail(&p->extension, "its entries are not those of a certificate of \"%s\"", ca->name);
	else
		outcome_pass(&p->extension);
}

static void read_chain(struct cur pem, const struct pck_known *known, struct pck *ret)
{
	struct chain_text text = {0};
	const struct cert *root;

	if (pem.p == NULL) {
		outcome_unknown(&ret->chain, "the chain could not be had");
		return;
	}
	if (!chain_split(pem, 3, &text, &ret->chain))
		return;
	root = same_or_parse(chain_der(&text, 2), known->anchor, known->keys, &ret->own_root, &ret->chain);
	ret->ca = same_or_parse(chain_der(&text, 1), known->ca, known->keys, &ret->own_ca, &ret->chain);
	if (root == NULL || ret->ca == NULL ||
		!cert_parse(chain_der(&text, 0), known->keys, &ret->leaf, &ret->chain))
		goto out;
	if (known->anchor == NULL)
		outcome_unknown(&ret->root, "without endorsements there is no root to compare with");
	else if (root != known->anchor)
		outcome_fail(&ret->root, "the chain ends in another root than the configured one");
	else
		outcome_pass(&ret->root);
	check_chain(ret, root, &ret->chain);
	check_signature(ret, root, known->keys, &ret->signature);
	check_extension(ret, ret->ca);
out:
	chain_done(&text);
}

struct pck *pck_new(struct cur pem, const struct pck_known *known)
{
	struct pck *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	atomic_init(&p->refs, 1);
	read_chain(pem, known, p);
	return p;
}

struct vouched {
	uint8_t report[QUOTE_QE_REPORT_SIZE], signature[ECDSA_SIGNATURE_SIZE];
};

/* Every byte of both: beside a report that was signed once, no other signature may pass. */
enum ecdsa_answer pck_signed_report(const struct pck *p, const struct quote *q, struct ecdsa_keys *keys)
{
	const struct vouched *v = atomic_load(&p->vouched);

	if (v != NULL && cur_is(&q->qe.whole, v->report, sizeof(v->report)) &&
		cur_is(&q->qe_signature, v->signature, sizeof(v->signature)))
		return ECDSA_YES;
	return ecdsa_verify(keys, &p->leaf.point, &q->qe_signature, &q->qe.whole);
}

void pck_vouch(struct pck *p, const struct quote *q)
{
	struct vouched *v, *nothing = NULL;

	if (atomic_load(&p->vouched) != NULL)
		return;
	v = malloc(sizeof(*v));
	if (v == NULL)
		return;
	memcpy(v->report, q->qe.whole.p, sizeof(v->report));
	memcpy(v->signature, q->qe_signature.p, sizeof(v->signature));
	if (!atomic_compare_exchange_strong(&p->vouched, &nothing, v))
		free(v);
}

struct pck *pck_ref(struct pck *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void pck_unref(struct pck *p)
{
	if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(atomic_load(&p->vouched));
	buf_done(&p->text);
	cert_done(&p->leaf);
	cert_done(&p->own_ca);
	cert_done(&p->own_root);
	free(p);
}
