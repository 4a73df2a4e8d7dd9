/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificate revocation lists of Intel's root CA and PCK CAs.
 */
#ifndef APPRAISAL_CRL_H
#define APPRAISAL_CRL_H

#include <openssl/x509.h>

#include "appraisal/cert.h"

struct crl {
	X509_CRL *x509;
	struct buf der;
	struct cur tbs, signature; /* which point into it: what is signed, and how */
	int64_t this_update, next_update;
};

/* Decode a list and all of its entries: DER, PEM, or hex digits of DER (services deliver all three). ret is a
 * zeroed crl and stays so on failure. */
bool crl_parse(struct cur text, struct crl *ret, struct outcome *o);
void crl_done(struct crl *c);

/* Is it of this issuer, complete, and signed by it? */
bool crl_check(const struct crl *c, const struct cert *issuer, struct ecdsa_keys *keys, struct outcome *o);

/* Is the certificate on the list? Serial numbers are unique to the issuer: ask only about its own. */
bool crl_lists(const struct crl *c, const struct cert *cert);

#endif
