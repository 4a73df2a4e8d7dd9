/* SPDX-License-Identifier: Apache-2.0
 *
 * ECDSA on P-256 with SHA-256 as Intel's attestation structures carry it: signatures as r || s, keys as
 * X || Y, each number 32 bytes, big-endian. Certificates have DER.
 */
#ifndef APPRAISAL_ECDSA_H
#define APPRAISAL_ECDSA_H

#include <openssl/evp.h>

#include "base/cur.h"

#define ECDSA_SIGNATURE_SIZE     64
#define ECDSA_POINT_SIZE         64
#define ECDSA_POINT_UNCOMPRESSED 0x04 /* stands before X || Y: SEC 1, section 2.3.3 */

/* The key of a point; NULL if it is not on the curve. The caller frees it. like is any key on P-256, whose
 * copy is made faster than a new one; or NULL. */
EVP_PKEY *ecdsa_key(const struct cur *point, EVP_PKEY *like);

/* True only if the signature over the message holds: r || s, or as DER. */
bool ecdsa_verify(EVP_PKEY *key, const struct cur *signature, const struct cur *message);
bool ecdsa_verify_der(EVP_PKEY *key, const struct cur *signature, const struct cur *message);

#endif
