/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/app_keys.h"

#include <openssl/evp.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/hex.h"
#include "simulator/forge_keys.h"
#include "simulator/keccak.h"

#define COMPRESSED_SIZE 33
#define ED25519_SIZE    32
#define SIGNATURE_SIZE  64

bool app_algorithm_of(const char *name, enum app_algorithm *ret)
{
	static const struct {
		const char *name;
		enum app_algorithm algorithm;
	} rows[] = {{"", APP_SECP256K1}, {"k256", APP_SECP256K1}, {"secp256k1", APP_SECP256K1},
		{"secp256k1_prehashed", APP_SECP256K1_PREHASHED}, {"ed25519", APP_ED25519}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(name, rows[i].name) == 0) {
			*ret = rows[i].algorithm;
			return true;
		}
	}
	return false;
}

/* r, s and recovery id; low s and the nonce of RFC 6979, which is what libsecp256k1 does by itself. */
static bool sign_recoverable(
	const uint8_t *key, const uint8_t *digest, uint8_t ret[static APP_RECOVERABLE_SIZE])
{
	secp256k1_context *ctx = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
	secp256k1_ecdsa_recoverable_signature sig;
	int recovery = 0;
	bool ok = secp256k1_ecdsa_sign_recoverable(ctx, &sig, digest, key, NULL, NULL) == 1;

	if (ok)
		secp256k1_ecdsa_recoverable_signature_serialize_compact(ctx, ret, &recovery, &sig);
	ret[64] = (uint8_t)recovery;
	secp256k1_context_destroy(ctx);
	return ok;
}

static bool compressed_point(const uint8_t *key, uint8_t ret[static COMPRESSED_SIZE])
{
	secp256k1_context *ctx = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
	secp256k1_pubkey point;
	size_t n = COMPRESSED_SIZE;
	bool ok = secp256k1_ec_pubkey_create(ctx, &point, key) == 1 &&
		secp256k1_ec_pubkey_serialize(ctx, ret, &n, &point, SECP256K1_EC_COMPRESSED) == 1;

	secp256k1_context_destroy(ctx);
	return ok;
}

bool app_keys_issue(const uint8_t k256[static APP_KEY_SIZE], const uint8_t kms_k256[static APP_KEY_SIZE],
	struct cur app_id, struct app_keys *ret)
{
	static const char tag[] = "dstack-kms-issued:";
	uint8_t point[COMPRESSED_SIZE], digest[KECCAK256_SIZE];
	struct cur parts[] = {cur_of(tag, strlen(tag)), app_id, cur_of(point, sizeof(point))};

	if (!compressed_point(k256, point))
		return false;
	keccak256(parts, 3, digest);
	memcpy(ret->k256, k256, APP_KEY_SIZE);
	return sign_recoverable(kms_k256, digest, ret->k256_signature);
}

bool app_key_derive(const struct app_keys *keys, const char *path, uint8_t ret[static APP_KEY_SIZE])
{
	struct cur info = cur_of(path, strlen(path));

	return forge_hkdf(keys->k256, &info, 1, ret);
}

static bool ed25519_public(const uint8_t *key, uint8_t ret[static ED25519_SIZE])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, APP_KEY_SIZE);
	size_t n = ED25519_SIZE;
	bool ok = pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, ret, &n) == 1;

	EVP_PKEY_free(pkey);
	return ok;
}

bool app_key_public(enum app_algorithm algorithm, const uint8_t key[static APP_KEY_SIZE], struct buf *ret)
{
	uint8_t bytes[COMPRESSED_SIZE];
	bool ed25519 = algorithm == APP_ED25519;

	if (!(ed25519 ? ed25519_public(key, bytes) : compressed_point(key, bytes)))
		return false;
	buf_bytes(ret, bytes, ed25519 ? ED25519_SIZE : COMPRESSED_SIZE);
	return !ret->bad;
}

bool app_key_vouch(const struct app_keys *keys, const char *purpose, struct cur public_key,
	uint8_t ret[static APP_RECOVERABLE_SIZE])
{
	char text[2 * COMPRESSED_SIZE + 1];
	uint8_t digest[KECCAK256_SIZE];

	if (public_key.left > COMPRESSED_SIZE)
		return false;
	hex_encode(public_key.p, public_key.left, text);
	struct cur parts[] = {cur_of(purpose, strlen(purpose)), cur_of(":", 1), cur_of(text, strlen(text))};

	keccak256(parts, 3, digest);
	return sign_recoverable(keys->k256, digest, ret);
}

/* What an ECDSA signature is over. */
static int message_digest(enum app_algorithm algorithm, struct cur data, uint8_t ret[static HASH_SHA256_SIZE],
	struct ratls_error *err)
{
	if (algorithm == APP_SECP256K1)
		return hash_parts(HASH_SHA256, &data, 1, ret)
			       ? RATLS_OK
			       : err_set(err, RATLS_E_CRYPTO, "could not hash the data");
	if (data.left != HASH_SHA256_SIZE)
		return err_set(err, RATLS_E_ARG,
			"Pre-hashed signing requires a 32-byte digest, but received %zu bytes", data.left);
	memcpy(ret, data.p, HASH_SHA256_SIZE);
	return RATLS_OK;
}

static bool ed25519_sign(const uint8_t *key, struct cur data, uint8_t ret[static SIGNATURE_SIZE])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, APP_KEY_SIZE);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = SIGNATURE_SIZE;
	bool ok = pkey != NULL && ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		EVP_DigestSign(ctx, ret, &n, data.p, data.left) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok;
}

int app_key_sign(enum app_algorithm algorithm, const uint8_t key[static APP_KEY_SIZE], struct cur data,
	uint8_t ret[static 64], struct ratls_error *err)
{
	uint8_t digest[HASH_SHA256_SIZE], signature[APP_RECOVERABLE_SIZE];
	bool ok;
	int rc = RATLS_OK;

	if (algorithm == APP_ED25519) {
		ok = ed25519_sign(key, data, signature);
	} else {
		rc = message_digest(algorithm, data, digest, err);
		if (rc != RATLS_OK)
			return rc;
		ok = sign_recoverable(key, digest, signature);
	}
	if (!ok)
		return err_set(err, RATLS_E_CRYPTO, "could not sign");
	memcpy(ret, signature, SIGNATURE_SIZE);
	return RATLS_OK;
}

static int ed25519_verify(struct cur public_key, struct cur data, struct cur signature, bool *ret_valid,
	struct ratls_error *err)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key.p, public_key.left);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = RATLS_OK;

	if (pkey == NULL)
		rc = err_set(err, RATLS_E_ARG, "invalid public key");
	else if (ctx == NULL || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) != 1)
		rc = err_set(err, RATLS_E_CRYPTO, "could not verify");
	else
		*ret_valid = EVP_DigestVerify(ctx, signature.p, signature.left, data.p, data.left) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return rc;
}

static int k256_verify(struct cur public_key, const uint8_t *digest, struct cur signature, bool *ret_valid,
	struct ratls_error *err)
{
	secp256k1_context *ctx = secp256k1_context_create(SECP256K1_CONTEXT_VERIFY);
	secp256k1_ecdsa_signature sig;
	secp256k1_pubkey point;
	int rc = RATLS_OK;

	if (secp256k1_ec_pubkey_parse(ctx, &point, public_key.p, public_key.left) != 1)
		rc = err_set(err, RATLS_E_ARG, "invalid public key");
	else if (secp256k1_ecdsa_signature_parse_compact(ctx, &sig, signature.p) != 1)
		rc = err_set(err, RATLS_E_ARG, "invalid signature");
	else
		*ret_valid = secp256k1_ecdsa_verify(ctx, &sig, digest, &point) == 1;
	secp256k1_context_destroy(ctx);
	return rc;
}

int app_key_verify(enum app_algorithm algorithm, struct cur public_key, struct cur data, struct cur signature,
	bool *ret_valid, struct ratls_error *err)
{
	uint8_t digest[HASH_SHA256_SIZE];
	int rc;

	if (signature.left != SIGNATURE_SIZE)
		return err_set(err, RATLS_E_ARG, "invalid signature");
	if (algorithm == APP_ED25519)
		return ed25519_verify(public_key, data, signature, ret_valid, err);
	rc = message_digest(algorithm, data, digest, err);
	return rc == RATLS_OK ? k256_verify(public_key, digest, signature, ret_valid, err) : rc;
}
