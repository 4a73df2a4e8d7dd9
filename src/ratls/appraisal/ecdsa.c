/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/ecdsa.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include "appraisal/asn1.h"
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

bool ecdsa_verify_der(EVP_PKEY *key, const struct cur *signature, const struct cur *message)
{
	uint8_t digest[HASH_SHA256_SIZE];
	EVP_PKEY_CTX *ctx;
	bool ok;

	if (key == NULL || signature->bad || message->bad ||
		!hash_bytes(HASH_SHA256, message->p, message->left, digest))
		return false;
	ctx = EVP_PKEY_CTX_new(key, NULL);
	ok = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
	     EVP_PKEY_verify(ctx, signature->p, signature->left, digest, sizeof(digest)) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

#define NUMBER_SIZE ((size_t)32)

/* Ecdsa-Sig-Value: a SEQUENCE of r and s (SEC 1, section C.5) */
struct der {
	uint8_t bytes[2 + 2 * (3 + NUMBER_SIZE)];
	size_t len;
};

/* A number of 32 bytes as a DER INTEGER: without its leading zeros, and with one if it would be negative. */
static void put_number(struct der *der, const uint8_t *n)
{
	size_t len = NUMBER_SIZE;

	while (len > 1 && n[NUMBER_SIZE - len] == 0)
		len--;
	n += NUMBER_SIZE - len;
	der->bytes[der->len++] = ASN1_TAG_INTEGER;
	der->bytes[der->len++] = (uint8_t)(len + (n[0] >> 7));
	if ((n[0] & 0x80) != 0)
		der->bytes[der->len++] = 0;
	memcpy(der->bytes + der->len, n, len);
	der->len += len;
}

bool ecdsa_verify(EVP_PKEY *key, const struct cur *signature, const struct cur *message)
{
	struct der der = {.bytes = {ASN1_TAG_SEQUENCE}, .len = 2};
	struct cur encoded;

	if (signature->bad || signature->left != ECDSA_SIGNATURE_SIZE)
		return false;
	put_number(&der, signature->p);
	put_number(&der, signature->p + NUMBER_SIZE);
	der.bytes[1] = (uint8_t)(der.len - 2);
	encoded = cur_of(der.bytes, der.len);
	return ecdsa_verify_der(key, &encoded, message);
}
