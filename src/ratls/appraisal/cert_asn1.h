/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 certificates as OpenSSL's ASN.1 decodes them: RFC 5280 section 4.1, without the unique identifiers
 * that Intel's do not have. OpenSSL's own X509 object finds a decoder for the public key each time, which
 * takes longer than two verifications of a signature; ours are always points on P-256.
 */
#ifndef APPRAISAL_CERT_ASN1_H
#define APPRAISAL_CERT_ASN1_H

#include <openssl/asn1t.h>
#include <openssl/x509.h>

#include "base/cur.h"

/* Named in OpenSSL's way, for its templates. */
typedef struct {
	ASN1_TIME *not_before, *not_after;
} CERT_VALIDITY;

typedef struct {
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *bits;
} CERT_SPKI;

typedef struct {
	ASN1_ENCODING enc; /* the bytes received: what is signed */
	ASN1_INTEGER *version, *serial;
	X509_ALGOR *algorithm;
	X509_NAME *issuer;
	CERT_VALIDITY *validity;
	X509_NAME *subject;
	CERT_SPKI *spki;
	STACK_OF(X509_EXTENSION) * extensions;
} CERT_TBS;

typedef struct {
	CERT_TBS *tbs;
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *signature;
} CERT_ASN1;

/* Exactly one certificate; NULL if it is none. */
CERT_ASN1 *cert_asn1_decode(struct cur der);
void cert_asn1_free(CERT_ASN1 *c); /* NULL is fine */

/* X || Y of its key; bad if the key is not a point on P-256 in its uncompressed form. */
struct cur cert_asn1_point(const CERT_ASN1 *c);

/* Did this key sign it? */
bool cert_asn1_verify(const CERT_ASN1 *c, EVP_PKEY *key);

#endif
