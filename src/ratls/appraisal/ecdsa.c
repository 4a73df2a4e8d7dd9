/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/ecdsa.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include "base/hash.h"

static EVP_PKEY *new_key(uint8_t *uncompressed, size_t len)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){"prime256v1"}, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, uncompressed, len),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

EVP_PKEY *ecdsa_key(const struct cur *point, EVP_PKEY *like)
{
	uint8_t uncompressed[1 + ECDSA_POINT_SIZE] = {ECDSA_POINT_UNCOMPRESSED};
	EVP_PKEY *key;

	if (point->bad || point->left != ECDSA_POINT_SIZE)
		return NULL;
	memcpy(uncompressed + 1, point->p, ECDSA_POINT_SIZE);
	if (like == NULL)
		return new_key(uncompressed, sizeof(uncompressed));
	key = EVP_PKEY_dup(like);
	if (key != NULL && EVP_PKEY_set1_encoded_public_key(key, uncompressed, sizeof(uncompressed)) == 1)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

/* r || s as the DER that OpenSSL verifies; the length, or 0. */
static int signature_der(const struct cur *raw, unsigned char **ret)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r, *s;
	int len = 0;

	if (sig == NULL)
		return 0;
	r = BN_bin2bn(raw->p, 32, NULL);
	s = BN_bin2bn(raw->p + 32, 32, NULL);
	if (r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else {
		len = i2d_ECDSA_SIG(sig, ret);
	}
	ECDSA_SIG_free(sig);
	return len > 0 ? len : 0;
}

bool ecdsa_verify(EVP_PKEY *key, const struct cur *signature, const struct cur *message)
{
	uint8_t digest[HASH_SHA256_SIZE];
	unsigned char *der = NULL;
	EVP_PKEY_CTX *ctx;
	bool ok = false;
	int len;

	if (key == NULL || signature->bad || signature->left != ECDSA_SIGNATURE_SIZE || message->bad ||
		!hash_bytes(HASH_SHA256, message->p, message->left, digest))
		return false;
	len = signature_der(signature, &der);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	if (len > 0 && ctx != NULL && EVP_PKEY_verify_init(ctx) == 1)
		ok = EVP_PKEY_verify(ctx, der, (size_t)len, digest, sizeof(digest)) == 1;
	EVP_PKEY_CTX_free(ctx);
	OPENSSL_free(der);
	return ok;
}
