/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/chain.h"

#include "appraisal/pem.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/reason.h"

int chain_last(const struct buf *chain, struct chain_last *ret, struct ratls_error *err)
{
	struct cur text = cur_of(chain->p, chain->len);
	struct chain_last last = {.n = 0};

	for (;;) {
		const char *pem = (const char *)text.p;
		uint8_t digest[HASH_SHA256_SIZE];
		struct buf der = {0};
		bool good = pem_next(&text, "CERTIFICATE", &der) &&
			    hash_bytes(HASH_SHA256, der.p, der.len, digest);

		buf_done(&der);
		if (!good)
			break;
		last.pem = pem;
		last.n++;
		hex_encode(digest, sizeof(digest), last.sha256);
	}
	if (last.n == 0 || text.bad || text.left > 0)
		return err_reason(
			err, RATLS_E_FORMAT, REASON_CERTIFICATE_FORMAT, "there is no certificate in it");
	while (last.pem[0] == '\r' || last.pem[0] == '\n')
		last.pem++; /* what ended the line before it */
	last.pem_len = (size_t)((const char *)chain->p + chain->len - last.pem);
	*ret = last;
	return RATLS_OK;
}
