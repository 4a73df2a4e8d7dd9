/* SPDX-License-Identifier: Apache-2.0
 *
 * What Intel Trust Authority says of a quote: a signed token, the keys that may have signed it, and what was
 * asked for. Everything that can be said of it without a clock and without the quote is said here.
 */
#ifndef APPRAISAL_ITA_TOKEN_H
#define APPRAISAL_ITA_TOKEN_H

#include <jansson.h>
#include <stdatomic.h>

#include "appraisal/ita_claims.h"
#include "appraisal/jwks.h"

#define ITA_LEEWAY       60          /* seconds by which two clocks may differ */
#define ITA_LIFETIME_MAX (24 * 3600) /* seconds from iat to exp; Intel's tokens hold half an hour */
#define ITA_AGE_MAX      (5 * 60)    /* seconds since iat: each token is asked for when it is needed */
#define ITA_CRLS_MAX     (JWK_CHAIN_MAX - 1)

/* What a token is made of; the bytes are borrowed, references are taken to the rest. */
struct ita_items {
	struct cur text;        /* the token */
	struct jwks *keys;      /* NULL: there are none */
	const char *keys_url;   /* https; the only host that a token may name for its keys */
	const struct buf *crls; /* DER or PEM, of the key that the token names */
	size_t n_crls;
	const char *crl_missing; /* why there are fewer than there should be, or NULL */
	const json_t *nonce;     /* as the service gave it; NULL: none was asked for */
};

struct ita_token {
	atomic_uint refs;
	struct jws jws;
	struct outcome location;  /* the header names no other host for keys than the configured one */
	struct outcome known;     /* the key that it names is in the set */
	struct outcome signature; /* by that key */
	struct outcome claims;    /* there and well formed; unknown unless signature passed */
	struct jwks *keys;
	const struct jwk *key; /* NULL unless known passed */
	STACK_OF(X509_CRL) * crls;
	struct outcome crls_read; /* each could be had and decoded */
	json_t *nonce;            /* that was asked for, or NULL */
	struct ita_claims said;   /* zeroed unless claims passed */
};

/* NULL if memory ran out. Immutable once made. */
struct ita_token *ita_token_new(const struct ita_items *items);
struct ita_token *ita_token_ref(struct ita_token *t);
void ita_token_free(struct ita_token *t); /* drops a reference; NULL is fine */

#endif
