/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/ecdsa.h"

#include <openssl/core_names.h>

#include "appraisal/asn1.h"
#include "base/hash.h"

/* ---- keys ---------------------------------------------------------------------------------------------- */

static EVP_PKEY *without_point(void)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){"prime256v1"}, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEY_PARAMETERS, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY_CTX *take(struct ecdsa_keys *keys)
{
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key;

	for (size_t i = 0; i < ECDSA_KEYS; i++) {
		ctx = atomic_exchange(&keys->idle[i], NULL);
		if (ctx != NULL)
			return ctx;
	}
	key = without_point();
	ctx = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	EVP_PKEY_free(key);
	return ctx;
}

static void give_back(struct ecdsa_keys *keys, EVP_PKEY_CTX *ctx)
{
	for (size_t i = 0; i < ECDSA_KEYS; i++) {
		EVP_PKEY_CTX *nothing = NULL;

		if (atomic_compare_exchange_strong(&keys->idle[i], &nothing, ctx))
			return;
	}
	EVP_PKEY_CTX_free(ctx);
}

/* A key with this point. One that refused a point is not used again. */
static enum ecdsa_answer take_for(struct ecdsa_keys *keys, const struct cur *point, EVP_PKEY_CTX **ret)
{
	uint8_t encoded[1 + ECDSA_POINT_SIZE] = {ECDSA_POINT_UNCOMPRESSED};
	EVP_PKEY_CTX *ctx;

	if (point->bad || point->left != ECDSA_POINT_SIZE)
		return ECDSA_NO;
	memcpy(encoded + 1, point->p, ECDSA_POINT_SIZE);
	ctx = take(keys);
	if (ctx == NULL)
		return ECDSA_UNDECIDED;
	if (EVP_PKEY_set1_encoded_public_key(EVP_PKEY_CTX_get0_pkey(ctx), encoded, sizeof(encoded)) != 1) {
		EVP_PKEY_CTX_free(ctx);
		return ECDSA_NO;
	}
	*ret = ctx;
	return ECDSA_YES;
}

void ecdsa_keys_done(struct ecdsa_keys *keys)
{
	for (size_t i = 0; i < ECDSA_KEYS; i++)
		EVP_PKEY_CTX_free(atomic_exchange(&keys->idle[i], NULL));
}

enum ecdsa_answer ecdsa_is_point(struct ecdsa_keys *keys, const struct cur *point)
{
	EVP_PKEY_CTX *ctx;
	enum ecdsa_answer answer = take_for(keys, point, &ctx);

	if (answer == ECDSA_YES)
		give_back(keys, ctx);
	return answer;
}

/* ---- signatures ---------------------------------------------------------------------------------------- */

/* Did the key's own provider verify? Where another did, or an engine, OpenSSL copied the key for it, and may find the
 * copy again when the point is another. */
static bool verified_itself(EVP_PKEY_CTX *ctx)
{
	const OSSL_PROVIDER *provider = EVP_PKEY_CTX_get0_provider(ctx);

	return provider != NULL && provider == EVP_PKEY_get0_provider(EVP_PKEY_CTX_get0_pkey(ctx));
}

enum ecdsa_answer ecdsa_verify_der(
	struct ecdsa_keys *keys, const struct cur *point, const struct cur *signature, const struct cur *message)
{
	uint8_t digest[HASH_SHA256_SIZE];
	enum ecdsa_answer answer;
	EVP_PKEY_CTX *ctx;

	if (signature->bad || message->bad)
		return ECDSA_NO;
	if (!hash_bytes(HASH_SHA256, message->p, message->left, digest))
		return ECDSA_UNDECIDED;
	answer = take_for(keys, point, &ctx);
	if (answer != ECDSA_YES)
		return answer;
	if (EVP_PKEY_verify_init(ctx) != 1)
		answer = ECDSA_UNDECIDED;
	else if (EVP_PKEY_verify(ctx, signature->p, signature->left, digest, sizeof(digest)) != 1)
		answer = ECDSA_NO;
	if (verified_itself(ctx))
		give_back(keys, ctx);
	else
		EVP_PKEY_CTX_free(ctx);
	return answer;
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

enum ecdsa_answer ecdsa_verify(
	struct ecdsa_keys *keys, const struct cur *point, const struct cur *signature, const struct cur *message)
{
	struct der der = {.bytes = {ASN1_TAG_SEQUENCE}, .len = 2};
	struct cur encoded;

	if (signature->bad || signature->left != ECDSA_SIGNATURE_SIZE)
		return ECDSA_NO;
	put_number(&der, signature->p);
	put_number(&der, signature->p + NUMBER_SIZE);
	der.bytes[1] = (uint8_t)(der.len - 2);
	encoded = cur_of(der.bytes, der.len);
	return ecdsa_verify_der(keys, point, &encoded, message);
}
