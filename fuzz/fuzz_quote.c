/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/pck_name.h"
#include "fuzz.h"

/* What was accepted lies within the input, in order, and what follows it is zero. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct quote q;
	struct pck_name name;
	struct cur rest;

	if (quote_parse(cur_of(data, len), &q, NULL) != RATLS_OK)
		return 0;
	assert(q.tee == QUOTE_TEE_TDX && q.body != QUOTE_BODY_SGX);
	assert(q.whole.left <= len && q.signed_part.left < q.whole.left);
	assert(q.td.report_data.left == 64 && q.qe.whole.left == 384 && q.attestation_key.left == 64);
	assert(q.certification.p + q.certification.left <= data + q.whole.left);
	if (pck_name_read(&q, &name))
		assert(name.ppid.p == q.certification.p && name.pceid.p + 2 == q.certification.p + q.certification.left);
	rest = cur_of(data + q.whole.left, len - q.whole.left);
	assert(cur_all_zero(&rest));
	return 0;
}
