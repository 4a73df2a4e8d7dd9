/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "appraisal/jws.h"
#include "base/utf8.h"
#include "fuzz.h"

/* A token as text: only two algorithms ever get to a key, and names that are shown can be. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct jws t = {0};

	jws_parse(cur_of(data, len), &t);
	assert((t.alg != JWS_UNKNOWN) == outcome_passed(&t.algorithm));
	if (outcome_passed(&t.format)) {
		assert(t.kid[0] != '\0' && utf8_is_plain(t.kid) && utf8_is_plain(t.jku));
		assert(t.signed_part.len < len && t.payload.len > 0);
		assert(t.alg == JWS_UNKNOWN || t.signature.len > 0);
	}
	jws_done(&t);
	assert(ERR_peek_error() == 0);
	return 0;
}
