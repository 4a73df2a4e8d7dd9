/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of an application: derived from its app key as dstack derives them, and signed for by a chain
 * derived key <- app key <- KMS root key (secp256k1 over Keccak-256).
 */
#ifndef SIMULATOR_APP_KEYS_H
#define SIMULATOR_APP_KEYS_H

#include "base/buf.h"
#include "base/cur.h"
#include "ratls.h"

#define APP_KEY_SIZE        32
#define APP_RECOVERABLE_SIZE 65 /* r, s, recovery id */

struct app_keys {
	uint8_t k256[APP_KEY_SIZE];                      /* the app key */
	uint8_t k256_signature[APP_RECOVERABLE_SIZE];    /* the KMS root key's, over app id and app key */
};

enum app_algorithm { APP_SECP256K1, APP_SECP256K1_PREHASHED, APP_ED25519 };

/* "" and "k256" are secp256k1. False: there is no such algorithm. */
bool app_algorithm_of(const char *name, enum app_algorithm *ret);

/* The app key's chain end: signed by the KMS root key (a scalar). */
bool app_keys_issue(const uint8_t k256[static APP_KEY_SIZE], const uint8_t kms_k256[static APP_KEY_SIZE],
	struct cur app_id, struct app_keys *ret);

/* GetKey: HKDF of the app key with info = path. The same 32 bytes for every purpose and algorithm. */
bool app_key_derive(const struct app_keys *keys, const char *path, uint8_t ret[static APP_KEY_SIZE]);

/* Append the public key: 33 bytes compressed, or 32 of ed25519. */
bool app_key_public(enum app_algorithm algorithm, const uint8_t key[static APP_KEY_SIZE], struct buf *ret);

/* The app key's signature over Keccak-256(purpose ":" hex of the public key). */
bool app_key_vouch(const struct app_keys *keys, const char *purpose, struct cur public_key,
	uint8_t ret[static APP_RECOVERABLE_SIZE]);

/* Sign: 64 bytes; secp256k1 over SHA-256 of the data, prehashed over the data itself (32 bytes). */
int app_key_sign(enum app_algorithm algorithm, const uint8_t key[static APP_KEY_SIZE], struct cur data,
	uint8_t ret[static 64], struct ratls_error *err);

/* Verify: a malformed key or signature is RATLS_E_ARG, a wrong signature is *ret_valid == false. */
int app_key_verify(enum app_algorithm algorithm, struct cur public_key, struct cur data, struct cur signature,
	bool *ret_valid, struct ratls_error *err);

#endif
