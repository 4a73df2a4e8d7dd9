/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "evidence/evidence.h"
#include "fuzz.h"

/* From a certificate to evidence: the key is remembered, and nothing is left in OpenSSL's error queue. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ratls_evidence *e = NULL;
	size_t n;

	if (ratls_evidence_from_certificate(data, len, &e, NULL) == RATLS_OK) {
		assert(e->oid != NULL && e->spki.left > 0 && cur_is(&e->leaf, data, len));
		assert(ratls_evidence_measurement(e, RATLS_MRTD, &n) != NULL && n == 48);
		ratls_evidence_free(e);
	}
	assert(ERR_peek_error() == 0);
	return 0;
}
