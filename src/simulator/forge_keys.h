/* SPDX-License-Identifier: Apache-2.0
 *
 * P-256 keys and signatures that follow from a seed, so that simulators started with the same seed share
 * their roots and a forged certificate is the same every time.
 */
#ifndef SIMULATOR_FORGE_KEYS_H
#define SIMULATOR_FORGE_KEYS_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/cur.h"
#include "ratls.h"

#define FORGE_SEED_SIZE 32
#define FORGE_SCALAR_SIZE 32
#define FORGE_POINT_SIZE 64     /* X and Y, big-endian */
#define FORGE_SIGNATURE_SIZE 64 /* r and s, big-endian */

/* The scalar of a label: SHA-256(tag, seed, label, counter) for the first counter that gives one in
 * [1, n-1]. */
bool forge_scalar(const uint8_t seed[static FORGE_SEED_SIZE], const char *label,
	uint8_t ret[static FORGE_SCALAR_SIZE]);

/* The key of a label, or of a scalar; free with EVP_PKEY_free. NULL if the library fails or the scalar is
 * not in [1, n-1]. */
EVP_PKEY *forge_key(const uint8_t seed[static FORGE_SEED_SIZE], const char *label);
EVP_PKEY *forge_key_of_scalar(const uint8_t scalar[static FORGE_SCALAR_SIZE]);

/* Public point, and SubjectPublicKeyInfo (91 bytes of DER, appended to ret). */
bool forge_key_point(EVP_PKEY *key, uint8_t ret[static FORGE_POINT_SIZE]);
bool forge_key_spki(EVP_PKEY *key, struct buf *ret);

/* The private key as PKCS#8 PEM, appended to ret, which is a secret then. */
bool forge_key_pem(EVP_PKEY *key, struct buf *ret);

/* HKDF-SHA256 with dstack's salt "RATLS"; info is the parts, one after another. */
bool forge_hkdf(const uint8_t ikm[static FORGE_SCALAR_SIZE], const struct cur *info, size_t n,
	uint8_t ret[static FORGE_SCALAR_SIZE]);

/* ECDSA with SHA-256 and the nonce of RFC 6979: the same message always gets the same signature. */
bool forge_sign(EVP_PKEY *key, struct cur message, uint8_t ret[static FORGE_SIGNATURE_SIZE]);

#endif
