/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens as Intel Trust Authority makes them, with keys of our own: a PKI of three certificates, its
 * revocation lists, a key set and a signed token, with one thing wrong (or none).
 */
#ifndef TEST_APPRAISAL_MINT_H
#define TEST_APPRAISAL_MINT_H

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/cur.h"
#include "evidence/quote.h"

#define MINT_KID      "key-1"
#define MINT_PORTAL   "https://portal.example"
#define MINT_KEYS_URL MINT_PORTAL "/certs"

enum mint_certificate { MINT_ROOT, MINT_CA, MINT_LEAF, MINT_CERTIFICATES };
enum mint_signature { MINT_PS384, MINT_RS256, MINT_PS384_LONG_SALT, MINT_PS256, MINT_HS256, MINT_UNSIGNED };

struct mint_certificate_options {
	int64_t not_before, not_after;
	bool ca, key_usage_sign_only;
	int path_length;     /* -1: none */
	const char *crl_url; /* NULL: none */
	EVP_PKEY *key, *signer;
};

struct mint_crl_options {
	bool absent, without_end, garbage;
	int64_t this_update, next_update;
	bool revokes; /* the certificate below its issuer */
	EVP_PKEY *signer;
};

/* Keys live as long as the program; of 2048 bits, but for the small one. */
enum mint_key { MINT_KEY_ROOT, MINT_KEY_CA, MINT_KEY_LEAF, MINT_KEY_OTHER, MINT_KEY_SMALL, MINT_KEYS };
EVP_PKEY *mint_key(enum mint_key which);
void mint_keys_done(void);

struct mint {
	/* What is made */
	struct mint_certificate_options certificate[MINT_CERTIFICATES];
	struct mint_crl_options crl[2]; /* of the root (about the CA), of the CA (about the leaf) */
	json_t *header, *claims, *nonce;
	const char *header_text; /* in place of header, if not NULL */
	const char *payload_text;
	enum mint_signature signature;
	EVP_PKEY *signer;
	EVP_PKEY *published; /* the key that the key set shows */
	bool without_root, reversed;
	/* Once it is made */
	X509 *made[MINT_CERTIFICATES];
	json_t *jwks;
	char *token;
	struct buf lists[2]; /* DER; empty where absent */
};

/* A good one, about this TD, at this time. */
void mint_init(struct mint *m, const struct quote_td *td, int64_t now);
/* Certificates, lists and the key set; then the token (which may be made again). */
void mint_make_keys(struct mint *m);
void mint_sign(struct mint *m);
void mint_done(struct mint *m);

/* Put all claims about the machine below "tdx". */
void mint_nest(struct mint *m);

char *mint_base64url(const void *bytes, size_t len); /* the caller frees it */

#endif
