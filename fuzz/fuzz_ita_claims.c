/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/ita_claims.h"
#include "fuzz.h"

/* A payload: what is read of it is known words and numbers in their range. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ita_claims c = {0};
	struct outcome o = {0};

	if (ita_claims_read(cur_of(data, len), &c, &o)) {
		assert(outcome_passed(&o) && c.issuer[0] != '\0');
		assert(c.status > TCB_UNKNOWN && c.status < TCB_NOT_SUPPORTED);
		assert(c.issued >= 0 && c.expires >= 0 && c.not_before >= 0);
		for (size_t i = 0; i < ITA_MEASUREMENTS; i++)
			(void)ita_claim(&c, ita_measurements[i].claim);
	} else {
		assert(c.payload == NULL && o.detail[0] != '\0');
	}
	ita_claims_done(&c);
	return 0;
}
