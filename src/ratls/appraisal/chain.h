/* SPDX-License-Identifier: Apache-2.0
 *
 * PEM chains of Intel's attestation PKI: a fixed number of certificates, leaf first, the trust anchor last
 * and byte for byte.
 */
#ifndef APPRAISAL_CHAIN_H
#define APPRAISAL_CHAIN_H

#include "appraisal/cert.h"

#define CHAIN_MAX 3

struct chain_text {
	struct buf der[CHAIN_MAX];
	size_t n;
};

/* The DER of exactly n certificates (at most CHAIN_MAX); ret is zeroed. */
bool chain_split(struct cur pem, size_t n, struct chain_text *ret, struct outcome *o);
void chain_done(struct chain_text *c);

static inline struct cur chain_der(const struct chain_text *c, size_t i)
{
	return cur_of(c->der[i].p, c->der[i].len);
}

/* A chain of two: a certificate of this role, issued and signed by the trust anchor, and the anchor. ret is
 * a zeroed cert; it is set as soon as it could be decoded, even if the chain does not hold. */
bool chain_check_pair(struct cur pem, enum cert_role role, const struct cert *anchor, struct ecdsa_keys *keys,
	struct cert *ret, struct outcome *o);

#endif
