/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL 3.0 signs with random nonces only, so the nonce of RFC 6979 is derived here. Nothing in this
 * file is constant-time: the keys are development keys, known to whoever knows the seed.
 */
#include "simulator/forge_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/hash.h"

#define TAG             "teesql-simulator-p256-v1"
#define NONCE_TRIES_MAX 64 /* one candidate in 2^32 is refused: more means that the library fails */

static bool scalar_in_range(const uint8_t *scalar)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	BIGNUM *k = BN_bin2bn(scalar, FORGE_SCALAR_SIZE, NULL);
	bool ok = group != NULL && k != NULL && !BN_is_zero(k) &&
		BN_cmp(k, EC_GROUP_get0_order(group)) < 0;

	BN_free(k);
	EC_GROUP_free(group);
	return ok;
}

bool forge_scalar(const uint8_t seed[static FORGE_SEED_SIZE], const char *label,
	uint8_t ret[static FORGE_SCALAR_SIZE])
{
	uint8_t scalar[FORGE_SCALAR_SIZE];

	for (uint8_t counter = 0; counter < UINT8_MAX; counter++) {
		const uint8_t be[4] = {0, 0, 0, counter};
		struct cur parts[] = {cur_of(TAG, strlen(TAG)), cur_of(seed, FORGE_SEED_SIZE),
			cur_of(label, strlen(label)), cur_of(be, sizeof(be))};

		if (!hash_parts(HASH_SHA256, parts, 4, scalar))
			return false;
		if (scalar_in_range(scalar)) {
			memcpy(ret, scalar, sizeof(scalar));
			return true;
		}
	}
	return false;
}

static EVP_PKEY *key_of_params(const OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, (OSSL_PARAM *)params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

EVP_PKEY *forge_key_of_scalar(const uint8_t scalar[static FORGE_SCALAR_SIZE])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
	BIGNUM *d = BN_bin2bn(scalar, FORGE_SCALAR_SIZE, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;
	uint8_t pub[1 + FORGE_POINT_SIZE];

	if (point == NULL || d == NULL || build == NULL || !scalar_in_range(scalar))
		goto out;
	if (EC_POINT_mul(group, point, d, NULL, NULL, NULL) != 1 ||
		EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, pub, sizeof(pub), NULL) !=
			sizeof(pub))
		goto out;
	if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
		OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, pub, sizeof(pub)) != 1 ||
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1)
		goto out;
	if ((params = OSSL_PARAM_BLD_to_param(build)) != NULL)
		key = key_of_params(params);
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_clear_free(d);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return key;
}

EVP_PKEY *forge_key(const uint8_t seed[static FORGE_SEED_SIZE], const char *label)
{
	uint8_t scalar[FORGE_SCALAR_SIZE];

	return forge_scalar(seed, label, scalar) ? forge_key_of_scalar(scalar) : NULL;
}

bool forge_key_point(EVP_PKEY *key, uint8_t ret[static FORGE_POINT_SIZE])
{
	uint8_t pub[1 + FORGE_POINT_SIZE];
	size_t n = 0;

	if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, pub, sizeof(pub), &n) != 1 ||
		n != sizeof(pub) || pub[0] != 0x04)
		return false;
	memcpy(ret, pub + 1, FORGE_POINT_SIZE);
	return true;
}

bool forge_key_spki(EVP_PKEY *key, struct buf *ret)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	if (n <= 0)
		return false;
	buf_bytes(ret, der, (size_t)n);
	OPENSSL_free(der);
	return !ret->bad;
}

bool forge_key_pem(EVP_PKEY *key, struct buf *ret)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	long n = 0;

	if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
		n = BIO_get_mem_data(bio, &text);
	if (n > 0)
		buf_bytes(ret, text, (size_t)n);
	BIO_free(bio);
	return n > 0 && !ret->bad;
}

bool forge_hkdf(const uint8_t ikm[static FORGE_SCALAR_SIZE], const struct cur *info, size_t n,
	uint8_t ret[static FORGE_SCALAR_SIZE])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	struct buf all = {0};
	OSSL_PARAM params[5];
	bool ok;

	buf_reserve(&all, 1); /* an empty info needs an address too */
	for (size_t i = 0; i < n; i++)
		buf_bytes(&all, info[i].p, info[i].left);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)"RATLS", 5);
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)ikm, FORGE_SCALAR_SIZE);
	params[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, all.p, all.len);
	params[4] = OSSL_PARAM_construct_end();
	ok = ctx != NULL && !all.bad && EVP_KDF_derive(ctx, ret, FORGE_SCALAR_SIZE, params) == 1;
	buf_done(&all);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

/* The state of RFC 6979 section 3.2. */
struct nonce {
	uint8_t k[32], v[32];
};

static bool nonce_mac(struct nonce *s, uint8_t separator, const uint8_t *x, const uint8_t *h)
{
	uint8_t message[32 + 1 + 32 + 32];
	size_t n = 33;

	memcpy(message, s->v, 32);
	message[32] = separator;
	if (x != NULL) {
		memcpy(message + 33, x, 32);
		memcpy(message + 65, h, 32);
		n = sizeof(message);
	}
	return HMAC(EVP_sha256(), s->k, 32, message, n, s->k, NULL) != NULL &&
		HMAC(EVP_sha256(), s->k, 32, s->v, 32, s->v, NULL) != NULL;
}

/* Steps b to g: x is the private scalar, h the digest reduced modulo the order. */
static bool nonce_begin(struct nonce *s, const uint8_t *x, const uint8_t *h)
{
	memset(s->k, 0x00, sizeof(s->k));
	memset(s->v, 0x01, sizeof(s->v));
	return nonce_mac(s, 0x00, x, h) && nonce_mac(s, 0x01, x, h);
}

/* Step h: the next candidate. */
static bool nonce_next(struct nonce *s, BIGNUM *k)
{
	return HMAC(EVP_sha256(), s->k, 32, s->v, 32, s->v, NULL) != NULL && BN_bin2bn(s->v, 32, k) != NULL;
}

/* s = (z + r d) / k mod n; false if r or s is zero or the library fails. */
static bool sign_with(const EC_GROUP *group, BIGNUM *k, const BIGNUM *d, const BIGNUM *z, uint8_t *ret)
{
	const BIGNUM *n = EC_GROUP_get0_order(group);
	EC_POINT *point = EC_POINT_new(group);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *r = BN_new(), *s = BN_new();
	bool ok = point != NULL && ctx != NULL && r != NULL && s != NULL &&
		EC_POINT_mul(group, point, k, NULL, NULL, ctx) == 1 &&
		EC_POINT_get_affine_coordinates(group, point, r, NULL, ctx) == 1 &&
		BN_nnmod(r, r, n, ctx) == 1 && BN_mod_mul(s, r, d, n, ctx) == 1 &&
		BN_mod_add(s, s, z, n, ctx) == 1 && BN_mod_inverse(k, k, n, ctx) != NULL &&
		BN_mod_mul(s, s, k, n, ctx) == 1 && !BN_is_zero(r) && !BN_is_zero(s) &&
		BN_bn2binpad(r, ret, 32) == 32 && BN_bn2binpad(s, ret + 32, 32) == 32;

	BN_free(r);
	BN_free(s);
	BN_CTX_free(ctx);
	EC_POINT_free(point);
	return ok;
}

bool forge_sign(EVP_PKEY *key, struct cur message, uint8_t ret[static FORGE_SIGNATURE_SIZE])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	BIGNUM *d = NULL, *z = NULL, *k = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	uint8_t digest[HASH_SHA256_SIZE], x[32], h[32], signature[FORGE_SIGNATURE_SIZE];
	struct nonce state;
	bool ok = false;

	if (group == NULL || k == NULL || ctx == NULL || !hash_parts(HASH_SHA256, &message, 1, digest))
		goto out;
	z = BN_bin2bn(digest, sizeof(digest), NULL);
	if (z == NULL || EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &d) != 1 ||
		BN_nnmod(z, z, EC_GROUP_get0_order(group), ctx) != 1 || BN_bn2binpad(d, x, 32) != 32 ||
		BN_bn2binpad(z, h, 32) != 32 || !nonce_begin(&state, x, h))
		goto out;
	for (int tries = 0; !ok && tries < NONCE_TRIES_MAX; tries++) {
		if (!nonce_next(&state, k))
			goto out;
		ok = !BN_is_zero(k) && BN_cmp(k, EC_GROUP_get0_order(group)) < 0 &&
			sign_with(group, k, d, z, signature);
		if (!ok && !nonce_mac(&state, 0x00, NULL, NULL))
			goto out;
	}
	if (ok)
		memcpy(ret, signature, sizeof(signature));
out:
	BN_clear_free(d);
	BN_free(z);
	BN_clear_free(k);
	BN_CTX_free(ctx);
	EC_GROUP_free(group);
	return ok;
}
