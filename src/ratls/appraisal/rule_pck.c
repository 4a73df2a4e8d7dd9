/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about the certificate of the platform's provisioning key (PCK).
 */
#include "appraisal/appraise.h"

#include "appraisal/chain.h"
#include "evidence/pck_name.h"

/* Nobody gave the certificate: could somebody? */
static void judge_absent(const struct appraisal *a, const struct pck_name *name, struct check *c)
{
	unsigned type = a->quote->certification_type;

	if (name == NULL)
		check_fail(c, "certification data of type %u neither carry the certificate's chain nor name it", type);
	else if (!pck_name_can_be_asked(name))
		check_fail(c, "certification data of type %u name the certificate in a form by which nobody can be "
			      "asked for it", type);
	else if (a->verifiers == APPRAISED_ITA)
		check_unknown(c, "the quote names its certificate, and Intel Trust Authority alone does not give it: "
				 "dcap+ita obtains it");
	else if (!a->has_endorsements || a->endorsed->empty)
		check_unknown(c, "the quote names its certificate, which could not be had");
	else
		check_fail(c, "certification data of type %u name the certificate without carrying it", type);
}

void rule_pck_present(struct appraisal *a, struct check *c)
{
	struct pck_name name;
	bool named = pck_name_read(a->quote, &name);

	if (quote_names_pck(a->quote) && !named)
		check_fail(c, "certification data of type %u have the wrong size", a->quote->certification_type);
	else if (a->quote->certification_type == QUOTE_CERTIFICATION_PCK_CHAIN ||
		 endorsements_pck_chain(a->endorsements).left > 0)
		check_pass(c);
	else
		judge_absent(a, named ? &name : NULL, c);
}

static bool is_the_named(const struct sgx_extension *sgx, const struct pck_name *name)
{
	struct cur pcesvn = name->pcesvn;

	return cur_is(&name->cpusvn, sgx->svn, sizeof(sgx->svn)) && cur_u16le(&pcesvn) == sgx->pcesvn &&
	       cur_is(&name->pceid, sgx->pceid, sizeof(sgx->pceid)) &&
	       (name->encrypted || cur_is(&name->ppid, sgx->ppid, sizeof(sgx->ppid)));
}

/* Certification data that are the leaf without its chain. */
static void judge_carried_leaf(const struct appraisal *a, struct check *c)
{
	struct chain_text text = {0};
	struct outcome o = {0};

	if (!chain_split(a->quote->certification, 1, &text, &o))
		check_outcome(c, &o);
	else if (!cert_there(&a->pck->leaf))
		check_unknown(c, "the PCK certificate is not known");
	else if (!cert_is(&a->pck->leaf, chain_der(&text, 0)))
		check_fail(c, "the quote carries another one");
	else
		check_pass(c);
	chain_done(&text);
}

/* A platform has a PCK for each of its states, and the quote says in which it was made. */
static void judge_name(const struct appraisal *a, struct check *c)
{
	struct pck_name name;

	if (!pck_name_read(a->quote, &name))
		check_unknown(c, "how the quote names its certificate could not be read");
	else if (!outcome_passed(&a->pck->extension))
		check_unknown(c, "the PCK certificate is not known");
	else if (!is_the_named(&a->pck->sgx, &name))
		check_fail(c, "its CPUSVN, PCESVN, PCEID or PPID differ");
	else
		check_pass(c);
}

void rule_pck_named(struct appraisal *a, struct check *c)
{
	if (a->quote->certification_type == QUOTE_CERTIFICATION_PCK_CHAIN)
		check_skip(c, "the quote carries its certificate");
	else if (a->quote->certification_type == QUOTE_CERTIFICATION_PCK_LEAF)
		judge_carried_leaf(a, c);
	else if (quote_names_pck(a->quote))
		judge_name(a, c);
	else
		check_fail(c, "certification data of type %u name none", a->quote->certification_type);
}

void rule_pck_time(struct appraisal *a, struct check *c)
{
	const struct pck *p = a->pck;
	const struct cert *root = a->has_endorsements ? &a->endorsed->root : &p->own_root;

	if (!cert_there(&p->leaf) || p->ca == NULL)
		check_unknown(c, "there is no chain that could be read");
	else if (appraisal_within(a, c, "the PCK certificate", p->leaf.not_before, p->leaf.not_after) &&
		 appraisal_within(
			 a, c, "the certificate of the PCK CA", p->ca->not_before, p->ca->not_after) &&
		 appraisal_within(a, c, "the root certificate", root->not_before, root->not_after))
		check_pass(c);
}

/* The leaf on the list of its CA; CA and root on the list of the root. The CA may have another certificate of its
 * key in the collateral: where that is revoked, so is what the key signed. */
void rule_pck_revoked(struct appraisal *a, struct check *c)
{
	const struct endorsed *e = a->endorsed;
	const struct pck *p = a->pck;

	if (!appraisal_passed(a, RULE_CRL_ROOT) || !appraisal_passed(a, RULE_CRL_PCK) || !cert_there(&p->leaf))
		check_unknown(c, "there are no revocation lists for this chain");
	else if (crl_lists(&e->pck_crl.list, &p->leaf))
		check_fail(c, "the PCK certificate of this machine is revoked");
	else if (crl_lists(&e->root_crl.list, p->ca))
		check_fail(c, "\"%s\" is revoked", p->ca->name);
	else if (crl_lists(&e->root_crl.list, &e->pck_ca))
		check_fail(c, "\"%s\" is revoked in another certificate of its key", e->pck_ca.name);
	else if (crl_lists(&e->root_crl.list, &e->root))
		check_fail(c, "\"%s\" is revoked", e->root.name);
	else
		check_pass(c);
}
