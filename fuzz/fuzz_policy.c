/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "appraisal/policy.h"
#include "fuzz.h"

/* What is refused is refused with a line; what is accepted never accepts a revoked platform. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ratls_policy *p = NULL;
	struct ratls_error err = {0};

	if (ratls_policy_from_json((const char *)data, len, &p, &err) != RATLS_OK) {
		assert(p == NULL && err.code == RATLS_E_ARG);
		assert(strstr(err.message, "line ") != NULL || len > POLICY_JSON_MAX);
		return 0;
	}
	assert(!policy_accepts_status(p, TCB_REVOKED, 0, NULL));
	assert(!policy_accepts_status(p, TCB_NOT_SUPPORTED, 0, NULL));
	assert(!policy_accepts_status(p, TCB_UNKNOWN, 0, NULL));
	ratls_policy_free(p);
	return 0;
}
