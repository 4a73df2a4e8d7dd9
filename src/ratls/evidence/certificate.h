/* SPDX-License-Identifier: Apache-2.0
 *
 * What a certificate has of evidence: the attestation extensions, the key, the validity. Signatures, names
 * and usages are not looked at: trust comes from the quote.
 */
#ifndef EVIDENCE_CERTIFICATE_H
#define EVIDENCE_CERTIFICATE_H

#include <openssl/x509.h>

#include "base/cur.h"
#include "ratls.h"

#define CERTIFICATE_OID_QUOTE       "1.3.6.1.4.1.62397.1.1"
#define CERTIFICATE_OID_ATTESTATION "1.3.6.1.4.1.62397.1.8"

struct certificate {
	X509 *x509;                              /* owned */
	uint8_t *spki_der;                       /* owned */
	struct cur spki;                         /* SubjectPublicKeyInfo, DER */
	struct cur attestation, quote, eventlog; /* what the extensions hold; left == 0 where there is none */
	int64_t not_before, not_after;
};

/* Parse exactly one certificate in DER. RATLS_E_NO_EVIDENCE if it has none of the extensions. The cursors
 * of the result point into what it owns, until certificate_done. */
int certificate_open(struct cur der, struct certificate *ret, struct ratls_error *err);
void certificate_done(struct certificate *c);

/* Unix seconds. False if there is no time, or none that is well-formed. */
bool certificate_time(const ASN1_TIME *time, int64_t *ret);

#endif
