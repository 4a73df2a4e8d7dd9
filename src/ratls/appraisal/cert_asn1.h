/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of an X.509 certificate of Intel's attestation PKI: RFC 5280 section 4.1, without the unique
 * identifiers that Intel's do not have, and stricter. Names are printable ASCII, one attribute to a step;
 * everything is DER.
 *
 * This is our own code and not OpenSSL's because a quote's certificate is evidence, read at every appraisal
 * of a machine that is new: OpenSSL's decoders took an eighth of the time of such an appraisal.
 */
#ifndef APPRAISAL_CERT_ASN1_H
#define APPRAISAL_CERT_ASN1_H

#include "base/cur.h"

/* The extensions that are looked at; others are read over, unless they are critical. */
enum cert_extension {
	CERT_AUTHORITY_KEY,
	CERT_DISTRIBUTION_POINTS,
	CERT_SUBJECT_KEY,
	CERT_KEY_USAGE,
	CERT_CONSTRAINTS,
	CERT_SGX,
	CERT_EXTENSIONS
};

/* All of it points into the bytes that were read. What is named whole comes with its header. */
struct cert_asn1 {
	struct cur tbs; /* whole: what is signed */
	struct cur inner_algorithm, outer_algorithm;
	struct cur signature;
	bool v3;
	struct cur serial;          /* whole */
	struct cur issuer, subject; /* whole */
	struct cur common_name;     /* of the subject; bad unless there is exactly one */
	struct cur validity;
	struct cur key; /* whole */
	struct {
		struct cur value; /* of the last that was read */
		unsigned times;
	} extensions[CERT_EXTENSIONS];
	bool critical_unknown; /* one is critical that must not be */
};

/* Exactly one certificate. */
bool cert_asn1_read(struct cur der, struct cert_asn1 *ret);

/* X || Y of its key; bad if the key is not a point on P-256 in its uncompressed form. */
struct cur cert_asn1_point(const struct cert_asn1 *c);

/* Are both algorithms of its signature ECDSA with SHA-256? */
bool cert_asn1_is_ecdsa_sha256(const struct cert_asn1 *c);

/* The value of an extension that occurs exactly once. False if it does not. */
static inline bool cert_asn1_extension(const struct cert_asn1 *c, enum cert_extension kind, struct cur *ret)
{
	*ret = c->extensions[kind].value;
	return c->extensions[kind].times == 1;
}

#endif
