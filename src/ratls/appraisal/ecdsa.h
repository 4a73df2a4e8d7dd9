/* SPDX-License-Identifier: Apache-2.0
 *
 * ECDSA on P-256 with SHA-256 as Intel's attestation structures carry it: signatures as r || s, keys as
 * X || Y, each number 32 bytes, big-endian. Certificates have DER.
 */
#ifndef APPRAISAL_ECDSA_H
#define APPRAISAL_ECDSA_H

#include <stdatomic.h>
#include <openssl/evp.h>

#include "base/cur.h"

#define ECDSA_SIGNATURE_SIZE     64
#define ECDSA_POINT_SIZE         64
#define ECDSA_POINT_UNCOMPRESSED 0x04 /* stands before X || Y: SEC 1, section 2.3.3 */

/* OpenSSL keys at hand, which take the point of each verification in turn: to make one anew for each costs a
 * tenth of the verification. Zeroed is empty. Thread-safe: who finds none at hand makes one. */
#define ECDSA_KEYS 4

struct ecdsa_keys {
	_Atomic(EVP_PKEY_CTX *) idle[ECDSA_KEYS]; /* each of a key of its own */
};

void ecdsa_keys_done(struct ecdsa_keys *keys);

/* Undecided: OpenSSL or memory failed here, which says nothing of whoever signed. */
enum ecdsa_answer { ECDSA_NO, ECDSA_YES, ECDSA_UNDECIDED };

#define ECDSA_UNDECIDED_TEXT "a signature could not be verified: OpenSSL failed, or memory ran out"

/* Is it a point on the curve? */
enum ecdsa_answer ecdsa_is_point(struct ecdsa_keys *keys, const struct cur *point);

/* Is the point one, and does the signature over the message hold under it: r || s, or as DER? */
enum ecdsa_answer ecdsa_verify(struct ecdsa_keys *keys, const struct cur *point, const struct cur *signature,
	const struct cur *message);
enum ecdsa_answer ecdsa_verify_der(struct ecdsa_keys *keys, const struct cur *point, const struct cur *signature,
	const struct cur *message);

#endif
