/* SPDX-License-Identifier: Apache-2.0
 *
 * The PCK certificate chain that a quote carries: everything that can be said of it without a clock.
 */
#ifndef APPRAISAL_PCK_H
#define APPRAISAL_PCK_H

#include <stdatomic.h>

#include "appraisal/cert.h"
#include "appraisal/sgx.h"
#include "base/hash.h"

/* What the endorsements already know: spares decoding and verifying again what is byte for byte the same. */
struct pck_known {
	const struct cert *anchor;        /* the configured root; NULL if there are no endorsements */
	const struct cert *ca;            /* a PCK CA, or NULL */
	const struct outcome *ca_outcome; /* whether it is one of the anchor's */
};

struct pck {
	atomic_uint refs;
	uint8_t digest[HASH_SHA256_SIZE]; /* of the text; set by the memo alone */
	struct cert leaf;                 /* not there if the chain could not be decoded */
	struct cert own_ca, own_root;     /* set only where they differ from the known ones */
	const struct cert *ca;            /* own_ca or the known one; NULL if there is none */
	struct sgx_extension sgx;         /* if extension passed */
	struct outcome chain;     /* three certificates in order, in their roles, each naming the next */
	struct outcome root;      /* the third is the configured root */
	struct outcome signature; /* root -> CA -> leaf */
	struct outcome extension;
	_Atomic(struct attestation_key *)
		attestation_key; /* NULL until one was seen, then the same for good */
};

/* Immutable once made. pem.p is NULL where there is no chain: then nothing is known. known's members must outlive
 * it. NULL if memory ran out. */
struct pck *pck_new(struct cur pem, const struct pck_known *known);
/* The attestation key of this point (X || Y). A platform has one for long: the first that is vouched for is
 * remembered. The caller frees its reference; NULL if it is no point. */
EVP_PKEY *pck_attestation_key(struct pck *p, const struct cur *point, bool vouched_for);

struct pck *pck_ref(struct pck *p);
void pck_unref(struct pck *p); /* NULL is fine */

#endif
