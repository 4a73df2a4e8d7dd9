/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about the quote: PCK key -> QE report -> attestation key -> quote, and whose quoting enclave and TDX
 * module they are.
 */
#include "appraisal/appraise.h"

#include "base/hash.h"

static void judge_signature(struct check *c, enum ecdsa_answer answer, const char *otherwise)
{
	if (answer == ECDSA_YES)
		check_pass(c);
	else if (answer == ECDSA_NO)
		check_fail(c, "%s", otherwise);
	else
		check_unknown(c, ECDSA_UNDECIDED_TEXT);
}

void rule_qe_signature(struct appraisal *a, struct check *c)
{
	if (!outcome_passed(&a->pck->chain))
		check_unknown(c, "the PCK certificate is not known");
	else
		judge_signature(c, pck_signed_report(a->pck, a->quote, a->keys),
			"the PCK key did not sign this report of the quoting enclave");
}

/* SHA-256(attestation key || authentication data), then zeros: "TDX DCAP Quoting Library API", A.3.11 */
void rule_qe_binding(struct appraisal *a, struct check *c)
{
	const struct quote *q = a->quote;
	struct cur parts[] = {q->attestation_key, q->qe_auth};
	uint8_t expected[64] = {0};

	if (!hash_parts(HASH_SHA256, parts, 2, expected))
		check_unknown(c, "the digest could not be computed");
	else
		check_equal(c, cur_of(expected, sizeof(expected)), q->qe.report_data,
			"the quoting enclave vouches for another attestation key");
	if (c->status == CHECK_PASS && appraisal_passed(a, RULE_QE_SIGNATURE))
		pck_vouch(a->pck, q);
}

/* The document's value is compared as it is: a bit that it sets outside its own mask matches nothing. */
static bool equal_masked(const struct cur *is, const uint8_t *mask, const uint8_t *golden, size_t len)
{
	bool equal = is->left == len;

	for (size_t i = 0; equal && i < len; i++)
		equal = (is->p[i] & mask[i]) == golden[i];
	return equal;
}

#define ATTRIBUTE_DEBUG 0x02 /* SGX: ATTRIBUTES.FLAGS bit 1 */

void rule_qe_identity(struct appraisal *a, struct check *c)
{
	const struct qeid *id = a->endorsed->qeid;
	const struct quote_qe_report *qe = &a->quote->qe;

	if (id == NULL)
		check_unknown(c, "there is no QE identity to compare with");
	else if ((qe->attributes.p[0] & ATTRIBUTE_DEBUG) != 0)
		check_fail(c, "the quoting enclave runs in debug mode");
	else if (!cur_is(&qe->mrsigner, id->mrsigner, sizeof(id->mrsigner)))
		check_equal(c, cur_of(id->mrsigner, sizeof(id->mrsigner)), qe->mrsigner,
			"the quoting enclave was signed by another (MRSIGNER)");
	else if (qe->isvprodid != id->isvprodid)
		check_fail(c, "the quoting enclave is product %u, not %u", qe->isvprodid, id->isvprodid);
	else if (!equal_masked(&qe->miscselect, id->miscselect_mask, id->miscselect, sizeof(id->miscselect)))
		check_fail(c, "the quoting enclave has another MISCSELECT");
	else if (!equal_masked(&qe->attributes, id->attributes_mask, id->attributes, sizeof(id->attributes)))
		check_fail(c, "the quoting enclave has other ATTRIBUTES");
	else
		check_pass(c);
}

void rule_quote_signature(struct appraisal *a, struct check *c)
{
	const struct quote *q = a->quote;
	enum ecdsa_answer answer = ecdsa_verify(a->keys, &q->attestation_key, &q->signature, &q->signed_part);

	judge_signature(c, answer,
		answer == ECDSA_NO && ecdsa_is_point(a->keys, &q->attestation_key) == ECDSA_NO
			? "the attestation key is not a point on P-256"
			: "the attestation key did not sign this quote");
}

/* Like Intel's own library: SEAMATTRIBUTES are zero, whatever mask the document gives. */
void rule_module_identity(struct appraisal *a, struct check *c)
{
	const struct quote_td *td = &a->quote->td;
	const struct tdx_module *m = a->tcb.module;

	if (!a->tcb_judged)
		check_unknown(c, "there is no TCB info to compare with");
	else if (m == NULL)
		check_fail(c, "TCB info does not know TDX modules of version %u", td->tee_tcb_svn.p[1]);
	else if (!cur_is(&td->mrsignerseam, m->mrsigner, sizeof(m->mrsigner)))
		check_equal(c, cur_of(m->mrsigner, sizeof(m->mrsigner)), td->mrsignerseam,
			"the TDX module was signed by another (MRSIGNERSEAM)");
	else if (!cur_all_zero(&td->seam_attributes))
		check_fail(c, "the TDX module has SEAMATTRIBUTES");
	else
		check_equal(c, cur_of(m->attributes, sizeof(m->attributes)), td->seam_attributes,
			"the TDX module has other SEAMATTRIBUTES than TCB info says");
}

void rule_module_running(struct appraisal *a, struct check *c)
{
	if (a->tcb.running_unknown)
		check_fail(c, "TCB info does not know TDX modules of version %u, which runs now",
			a->quote->td.tee_tcb_svn2.p[1]);
	else
		check_skip(c, "nothing rests on the TDX module that runs now");
}
