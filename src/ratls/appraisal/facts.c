/* SPDX-License-Identifier: Apache-2.0
 *
 * What endorsements say of themselves, item by item: for people who keep them in stock.
 */
#include "appraisal/endorsed.h"

static const char *name_of(const struct cert *issuer)
{
	return cert_there(issuer) ? issuer->name : NULL;
}

bool endorsements_facts(const struct ratls_endorsements *labelled, size_t i, struct endorsement_facts *ret)
{
	const struct endorsed *e = labelled->endorsed;
	const struct tcbinfo *t = e->tcbinfo;
	const struct qeid *q = e->qeid;
	const struct endorsement_facts facts[] = {
		{"tcb_info", name_of(&e->tcbinfo_document.signer), t != NULL ? t->issued : 0,
			t != NULL ? t->next_update : 0, t != NULL ? t->evaluation_data_number : -1},
		{"qe_identity", name_of(&e->qeid_document.signer), q != NULL ? q->issued : 0,
			q != NULL ? q->next_update : 0, q != NULL ? q->evaluation_data_number : -1},
		{"root_ca_crl", name_of(&e->root), e->root_crl.list.this_update, e->root_crl.list.next_update,
			-1},
		{"pck_crl", name_of(&e->pck_ca), e->pck_crl.list.this_update, e->pck_crl.list.next_update,
			-1},
	};

	if (e->empty || i >= sizeof(facts) / sizeof(facts[0]))
		return false;
	*ret = facts[i];
	return true;
}

bool endorsements_fmspc(const struct ratls_endorsements *e, uint8_t ret[static 6])
{
	const struct tcbinfo *t = e->endorsed->tcbinfo;

	if (t != NULL)
		memcpy(ret, t->fmspc, sizeof(t->fmspc));
	return t != NULL;
}
