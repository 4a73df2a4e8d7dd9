/* SPDX-License-Identifier: Apache-2.0
 *
 * One X.509 certificate of Intel's attestation PKI: decoded once, held to what its role allows. Intel, "PCK
 * Certificate and Certificate Revocation List Profile Specification", section 1.3.
 */
#ifndef APPRAISAL_CERT_H
#define APPRAISAL_CERT_H

#include <openssl/asn1.h>

#include "appraisal/cert_asn1.h"
#include "appraisal/ecdsa.h"
#include "appraisal/outcome.h"
#include "base/buf.h"
#include "base/cur.h"

#define CERT_DER_MAX ((size_t)8 << 10)

enum cert_role { CERT_ROOT, CERT_PCK_CA, CERT_PCK, CERT_TCB_SIGNING };

struct cert {
	struct buf der;        /* empty: there is no certificate */
	struct cert_asn1 asn1; /* points into der */
	struct cur point;      /* of its key, likewise */
	ASN1_INTEGER *serial; /* as revocation lists are asked */
	int64_t not_before, not_after;
	char name[65]; /* the subject's common name, at most 64 characters (RFC 5280 appendix A) */
};

/* Decode exactly one certificate; ret is a zeroed cert. On failure o says why, and ret stays zeroed. */
bool cert_parse(struct cur der, struct ecdsa_keys *keys, struct cert *ret, struct outcome *o);
void cert_done(struct cert *c);

static inline bool cert_there(const struct cert *c)
{
	return c->der.len > 0;
}

static inline bool cert_is(const struct cert *c, struct cur der)
{
	return cert_there(c) && cur_is(&der, c->der.p, c->der.len);
}

/* Version, algorithms, the five extensions, common name, CA flag, path length and key usage of the role. */
bool cert_check_role(const struct cert *c, enum cert_role role, struct outcome *o);

/* Does issuer's name stand in c, and may issuer sign certificates? Says nothing about the signature. */
bool cert_check_issued(const struct cert *c, const struct cert *issuer, struct outcome *o);
bool cert_check_signature(
	const struct cert *c, const struct cert *issuer, struct ecdsa_keys *keys, struct outcome *o);

/* Are they of the same subject and key? A CA's certificate may be issued anew. */
bool cert_same_ca(const struct cert *a, const struct cert *b);

/* The subject key identifier: p is NULL where there is none; bad if it is malformed. */
struct cur cert_key_id(const struct cert *c);

#endif
