/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of Intel Trust Authority: a JSON Web Key Set (RFC 7517) whose keys carry their certificates (x5c).
 * Immutable once made, shareable between threads.
 */
#ifndef APPRAISAL_JWKS_H
#define APPRAISAL_JWKS_H

#include <openssl/x509.h>

#include "appraisal/jws.h"

#define JWKS_TEXT_MAX ((size_t)256 << 10)
#define JWKS_KEYS_MAX 32
#define JWK_CHAIN_MAX 10 /* certificates: what Intel's own clients accept */
#define JWK_BITS_MIN  2048
#define JWK_BITS_MAX  8192
#define JWK_URL_MAX   512
#define JWK_CRL_MAX   ((size_t)256 << 10) /* one revocation list, DER or PEM */

struct jwk {
	char kid[JWS_KID_MAX + 1];
	struct outcome outcome; /* whether the rest can be used */
	enum jws_alg alg;       /* what it is for; JWS_UNKNOWN: it does not say */
	EVP_PKEY *key;          /* RSA; of modulus, exponent and of the leaf, which are the same */
	STACK_OF(X509) * chain; /* leaf first, as sent; at least two */
};

struct jwks;

/* On failure o says why. Keys that are not RSA or have no name (kid) that could be in a token are left out; those
 * that cannot be used for another reason are in it, with an outcome that failed; two of one name are no set. */
bool jwks_new(struct cur text, struct jwks **ret, struct outcome *o);
struct jwks *jwks_ref(struct jwks *s);
void jwks_free(struct jwks *s); /* drops a reference; NULL is fine */

/* The key of exactly this name, NULL if there is none. The set's. */
const struct jwk *jwks_find(const struct jwks *s, const char *kid);

/* Where the revocation list for the i-th certificate of the chain is: the first http or https URL among its
 * distribution points. False if it names none. Roots have no such list. */
bool jwk_crl_url(const struct jwk *k, size_t i, char ret[static JWK_URL_MAX + 1]);

/* Decode a revocation list, DER or PEM. NULL if it is none; the caller frees it. */
X509_CRL *jwk_crl_read(struct cur text);

/* When a revocation list ends, without believing it. False if it is none or does not say. */
bool jwk_crl_next_update(struct cur text, int64_t *ret);

/* How many of the chain's certificates need a revocation list: all but the root. */
size_t jwk_n_revocable(const struct jwk *k);

/* What can be said of a chain at a moment. */
struct jwk_trust {
	struct outcome chain;   /* signature by signature to a root that signs itself, CA flags, path */
	struct outcome crl;     /* a list that holds for each but the root; unknown unless chain passed */
	struct outcome revoked; /* unknown unless crl passed */
	int64_t begin, end;     /* when all certificates hold; only if chain passed */
	int64_t crl_end;        /* the earliest nextUpdate; only if crl passed */
};

/* crls may be NULL. Pure. */
void jwk_judge(const struct jwk *k, STACK_OF(X509_CRL) * crls, int64_t at, struct jwk_trust *ret);

#endif
