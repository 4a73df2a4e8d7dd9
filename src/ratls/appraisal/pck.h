/* SPDX-License-Identifier: Apache-2.0
 *
 * The PCK certificate chain that a quote carries: everything that can be said of it without a clock.
 */
#ifndef APPRAISAL_PCK_H
#define APPRAISAL_PCK_H

#include <stdatomic.h>

#include "appraisal/cert.h"
#include "appraisal/sgx.h"
#include "base/buf.h"
#include "evidence/quote.h"

/* What the endorsements already know: spares decoding and verifying again what is byte for byte the same. */
struct pck_known {
	const struct cert *anchor; /* the configured root; NULL if there are no endorsements */
	const struct cert *ca;     /* a PCK CA that the anchor signed, or NULL */
	struct ecdsa_keys *keys;
};

struct pck {
	atomic_uint refs;
	struct buf text;              /* set by the memo alone */
	struct cert leaf;             /* not there if the chain could not be decoded */
	struct cert own_ca, own_root; /* set only where they differ from the known ones */
	const struct cert *ca;        /* own_ca or the known one; NULL if there is none */
	struct sgx_extension sgx;     /* if extension passed */
	struct outcome chain;     /* three certificates in order, in their roles, each naming the next */
	struct outcome root;      /* the third is the configured root */
	struct outcome signature; /* root -> CA -> leaf */
	struct outcome extension;
	_Atomic(struct vouched *) vouched; /* NULL until there was some, then the same for good */
};

/* Immutable once made, but for what it has vouched for. pem.p is NULL where there is no chain: then nothing is known.
 * known's members must outlive it. NULL if memory ran out. */
struct pck *pck_new(struct cur pem, const struct pck_known *known);

/* ---- what the PCK key has vouched for ------------------------------------------------------------------
 *
 * A platform's quoting enclave keeps its attestation key, and its report with the PCK's signature, until the
 * platform's TCB changes (Intel, DCAP, td_ql_logic.cpp: certify_key). So the first that held are remembered, and the
 * same bytes need not be verified again. Thread-safe. */

/* Did the PCK key sign the quote's report of its quoting enclave? */
enum ecdsa_answer pck_signed_report(const struct pck *p, const struct quote *q, struct ecdsa_keys *keys);

/* Report, signature and binding of this quote held. */
void pck_vouch(struct pck *p, const struct quote *q);

struct pck *pck_ref(struct pck *p);
void pck_unref(struct pck *p); /* NULL is fine */

#endif
