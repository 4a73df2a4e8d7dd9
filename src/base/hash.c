/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <openssl/evp.h>

static const EVP_MD *algorithm(enum hash_alg alg)
{
	switch (alg) {
	case HASH_SHA256:
		return EVP_sha256();
	case HASH_SHA384:
		return EVP_sha384();
	case HASH_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

bool hash_parts(enum hash_alg alg, const struct cur *parts, size_t n, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, algorithm(alg), NULL) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = !parts[i].bad && EVP_DigestUpdate(ctx, parts[i].p, parts[i].left) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

bool hash_bytes(enum hash_alg alg, const void *p, size_t len, uint8_t *out)
{
	struct cur part = cur_of(p, len);

	return hash_parts(alg, &part, 1, out);
}
