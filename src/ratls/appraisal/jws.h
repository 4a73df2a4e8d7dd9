/* SPDX-License-Identifier: Apache-2.0
 *
 * A JSON Web Signature in its compact form (RFC 7515 section 7.1), as Intel Trust Authority signs its tokens.
 * Two algorithms exist here and no other: what else a token may name is refused before any key is looked at.
 */
#ifndef APPRAISAL_JWS_H
#define APPRAISAL_JWS_H

#include <openssl/evp.h>

#include "appraisal/outcome.h"
#include "base/buf.h"
#include "base/cur.h"

#define JWS_TEXT_MAX   ((size_t)64 << 10) /* what Intel's own clients accept */
#define JWS_HEADER_MAX ((size_t)4 << 10)  /* as text */
#define JWS_KID_MAX    256
#define JWS_JKU_MAX    512

/* RFC 7518 sections 3.3 and 3.5 */
enum jws_alg { JWS_UNKNOWN = 0, JWS_PS384, JWS_RS256 };

struct jws {
	struct outcome format;    /* three parts, and a header that says what it must */
	struct outcome algorithm; /* unknown if there is no header */
	enum jws_alg alg;         /* JWS_UNKNOWN unless algorithm passed */
	char kid[JWS_KID_MAX + 1];
	char jku[JWS_JKU_MAX + 1]; /* where the header says that keys are; "" if it does not */
	struct buf signed_part, signature, payload;
};

/* JWS_UNKNOWN if it is not one of the two. */
enum jws_alg jws_alg_of(const char *name);

/* Read a token into a zeroed jws; its outcomes say what is wrong with it. */
void jws_parse(struct cur text, struct jws *ret);
void jws_done(struct jws *t);

/* Did this RSA key sign it? Only if algorithm passed. */
bool jws_verify(const struct jws *t, EVP_PKEY *key, struct outcome *o);

#endif
