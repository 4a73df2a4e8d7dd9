/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/jwks.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "appraisal/cert.h"
#include "appraisal/fields.h"
#include "base/hex.h"
#include "base/utf8.h"

#define EXPONENT_MAX 8 /* bytes: verification takes time in proportion to it */

struct jwks {
	atomic_uint refs;
	size_t n;
	struct jwk keys[JWKS_KEYS_MAX];
};

/* A member of base64url text as a number; NULL after f went bad. The caller frees it. */
static BIGNUM *read_number(struct fields *f, const char *name, size_t max)
{
	const char *text = fields_text(f, name, (max * 4 + 2) / 3);
	struct buf bytes = {0};
	BIGNUM *n = NULL;

	if (!f->bad && !base64url_decode(text, strlen(text), &bytes))
		bytes.bad ? fields_nomem(f) : fields_fail(f, name, "is not base64url");
	if (!f->bad)
		n = BN_bin2bn(bytes.p, (int)bytes.len, NULL);
	buf_done(&bytes);
	return n;
}

static EVP_PKEY *rsa_key(const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (build != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static bool read_key(struct fields *f, struct jwk *k)
{
	BIGNUM *n = read_number(f, "n", JWK_BITS_MAX / 8 + 1);
	BIGNUM *e = read_number(f, "e", EXPONENT_MAX);

	if (!f->bad && n != NULL && (BN_num_bits(n) < JWK_BITS_MIN || BN_num_bits(n) > JWK_BITS_MAX))
		fields_fail(f, "n", "is not of 2048 to 8192 bits");
	if (!f->bad && e != NULL && (!BN_is_odd(e) || BN_is_one(e)))
		fields_fail(f, "e", "is no exponent");
	if (!f->bad && n != NULL && e != NULL)
		k->key = rsa_key(n, e);
	BN_free(n);
	BN_free(e);
	if (!f->bad && k->key == NULL)
		fields_fail(f, "n", "is no RSA key");
	return !f->bad;
}

static X509 *read_certificate(struct fields *f, const json_t *text)
{
	struct buf der = {0};
	const unsigned char *p;
	X509 *x = NULL;

	if (json_is_string(text) && base64_decode(json_string_value(text), json_string_length(text), &der) &&
		der.len <= CERT_DER_MAX) {
		p = der.p;
		x = d2i_X509(NULL, &p, (long)der.len);
		if (x != NULL && p != der.p + der.len) {
			X509_free(x);
			x = NULL;
		}
	}
	if (der.bad)
		fields_nomem(f);
	buf_done(&der);
	return x;
}

/* RFC 7517 section 4.7. A leaf alone would vouch for itself. */
static bool read_chain(struct fields *f, struct jwk *k)
{
	const json_t *list = fields_array(f, "x5c", 2, JWK_CHAIN_MAX);

	k->chain = sk_X509_new_null();
	for (size_t i = 0; list != NULL && i < json_array_size(list) && !f->bad; i++) {
		X509 *x = read_certificate(f, json_array_get(list, i));

		if (x == NULL || k->chain == NULL || sk_X509_push(k->chain, x) == 0) {
			X509_free(x);
			fields_fail(f, "x5c", "holds something that is no certificate");
		}
	}
	return !f->bad;
}

static bool read_purpose(struct fields *f, const json_t *object, struct jwk *k)
{
	if (strcmp(fields_text(f, "kty", 16), "RSA") != 0)
		fields_fail(f, "kty", "is not RSA");
	if (json_object_get(object, "use") != NULL && strcmp(fields_text(f, "use", 16), "sig") != 0)
		fields_fail(f, "use", "is not for signatures");
	if (!f->bad && json_object_get(object, "alg") != NULL) {
		k->alg = jws_alg_of(fields_text(f, "alg", 32));
		if (k->alg == JWS_UNKNOWN)
			fields_fail(f, "alg", "is neither PS384 nor RS256");
	}
	return !f->bad;
}

/* The key that signs must be the one that the certificates vouch for. */
static bool compare_leaf(struct fields *f, const struct jwk *k)
{
	EVP_PKEY *leaf = X509_get0_pubkey(sk_X509_value(k->chain, 0));

	if (leaf == NULL || EVP_PKEY_eq(leaf, k->key) != 1)
		return fields_fail(f, "x5c", "is of another key than n and e");
	return true;
}

static void read_jwk(const json_t *object, struct jwk *k)
{
	struct fields f = fields_of(object, "jwk", &k->outcome);

	if (read_purpose(&f, object, k) && read_key(&f, k) && read_chain(&f, k) && compare_leaf(&f, k))
		outcome_pass(&k->outcome);
}

/* RFC 7517 section 5: a set may hold keys of other kinds, and such as nobody can name. They are none of ours. */
static bool is_ours(const json_t *object)
{
	const json_t *kid = json_object_get(object, "kid"), *kind = json_object_get(object, "kty");
	size_t len = json_string_length(kid);

	if (len == 0 || len > JWS_KID_MAX || !utf8_is_plain(json_string_value(kid)))
		return false;
	return !json_is_string(kind) || strcmp(json_string_value(kind), "RSA") == 0;
}

static bool add_key(struct jwks *s, const json_t *object, struct outcome *o)
{
	const char *kid = json_string_value(json_object_get(object, "kid"));
	struct jwk *k = &s->keys[s->n];

	if (jwks_find(s, kid) != NULL)
		return outcome_fail(o, "two keys of the set are called \"%.100s\"", kid);
	memcpy(k->kid, kid, strlen(kid) + 1);
	s->n++;
	read_jwk(object, k);
	return true;
}

static bool read_set(const json_t *object, struct jwks *s, struct outcome *o)
{
	struct fields f = fields_of(object, "jwks", o);
	const json_t *list = fields_array(&f, "keys", 1, JWKS_KEYS_MAX);

	for (size_t i = 0; list != NULL && i < json_array_size(list); i++)
		if (is_ours(json_array_get(list, i)) && !add_key(s, json_array_get(list, i), o))
			return false;
	return list != NULL;
}

bool jwks_new(struct cur text, struct jwks **ret, struct outcome *o)
{
	struct jwks *s;
	json_t *object;
	bool ok;

	if (text.bad || text.left > JWKS_TEXT_MAX)
		return outcome_fail(o, "the key set is larger than any");
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return outcome_unknown(o, "out of memory");
	atomic_init(&s->refs, 1);
	object = json_loadb((const char *)text.p, text.left, JSON_REJECT_DUPLICATES, NULL);
	ERR_set_mark();
	ok = object != NULL ? read_set(object, s, o) : outcome_fail(o, "the key set is not a JSON object");
	ERR_pop_to_mark();
	json_decref(object);
	if (ok)
		*ret = s;
	else
		jwks_free(s);
	return ok;
}

struct jwks *jwks_ref(struct jwks *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void jwks_free(struct jwks *s)
{
	if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < s->n; i++) {
		EVP_PKEY_free(s->keys[i].key);
		sk_X509_pop_free(s->keys[i].chain, X509_free);
	}
	free(s);
}

const struct jwk *jwks_find(const struct jwks *s, const char *kid)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->keys[i].kid, kid) == 0)
			return &s->keys[i];
	return NULL;
}
