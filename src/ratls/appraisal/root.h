/* SPDX-License-Identifier: Apache-2.0
 *
 * The trust anchor. Invariant trust_is_configured: it is Intel's, or the one that the caller configured,
 * and never one that a peer presents.
 */
#ifndef APPRAISAL_ROOT_H
#define APPRAISAL_ROOT_H

#include "appraisal/cert.h"
#include "ratls.h"

/* Intel's SGX Root CA, DER; static. */
struct cur root_intel(void);
bool root_is_intel(struct cur der);

/* Decode a trust anchor; ret is a zeroed cert. One that is not Intel's must be signed by itself (a check
 * that Intel's, known byte by byte, does not need). RATLS_E_ARG says what is wrong with it. */
int root_load(struct cur der, struct ecdsa_keys *keys, struct cert *ret, struct ratls_error *err);

#endif
