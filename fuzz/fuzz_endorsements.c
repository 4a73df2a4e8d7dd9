/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "appraisal/endorsed.h"
#include "fuzz.h"

/* The whole file: what is not signed by Intel is not read, and nothing stays in OpenSSL's error queue. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ratls_endorsements *e = NULL;

	if (ratls_endorsements_from_json((const char *)data, len, NULL, &e, NULL) == RATLS_OK) {
		assert(!e->endorsed->development);
		assert((e->endorsed->tcbinfo != NULL) == outcome_passed(&e->endorsed->tcbinfo_document.format));
		assert(e->endorsed->tcbinfo == NULL || outcome_passed(&e->endorsed->tcbinfo_document.signature));
		assert(e->endorsed->qeid == NULL || outcome_passed(&e->endorsed->qeid_document.signature));
	}
	ratls_endorsements_free(e);
	assert(ERR_peek_error() == 0);
	return 0;
}
