/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/slice.h"
#include "fuzz.h"

/* What was cut out lies within the text, begins and ends with its braces, and is not the signature. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cur object = {0}, signature = {0};

	if (slice_envelope(cur_of(data, len), "tcbInfo", &object, &signature, NULL) != RATLS_OK) {
		assert(object.p == NULL && signature.p == NULL);
		return 0;
	}
	assert(object.left >= 2 && object.p[0] == '{' && object.p[object.left - 1] == '}');
	assert(object.p > data && object.p + object.left < data + len);
	assert(signature.left == 0 || (signature.p > data && signature.p + signature.left < data + len));
	assert(signature.left == 0 || signature.p + signature.left < object.p ||
		signature.p > object.p + object.left - 1);
	return 0;
}
