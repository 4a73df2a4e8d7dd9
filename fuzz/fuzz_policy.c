/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "appraisal/policy.h"
#include "fuzz.h"

/* What was read can be written, and read again as the same. */
static void assert_exports(const struct ratls_policy *p)
{
	json_t *object = policy_json(p), *again;
	char *text = json_dumps(object, JSON_COMPACT);
	struct ratls_policy *read = NULL;

	assert(text != NULL);
	if (ratls_policy_from_json(text, strlen(text), &read, NULL) == RATLS_OK) {
		again = policy_json(read);
		assert(json_equal(object, again));
		json_decref(again);
	} else {
		assert(strlen(text) > POLICY_JSON_MAX);
	}
	ratls_policy_free(read);
	free(text);
	json_decref(object);
}

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
	assert_exports(p);
	ratls_policy_free(p);
	return 0;
}
