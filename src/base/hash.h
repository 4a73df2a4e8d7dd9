/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cur.h"

enum hash_alg { HASH_SHA256, HASH_SHA384, HASH_SHA512 };

#define HASH_SHA256_SIZE 32
#define HASH_SHA384_SIZE 48
#define HASH_SHA512_SIZE 64

/* The digest of the parts, one after another. False only if the cryptographic library fails; out then
 * holds nothing of use. */
bool hash_parts(enum hash_alg alg, const struct cur *parts, size_t n, uint8_t *out);
bool hash_bytes(enum hash_alg alg, const void *p, size_t len, uint8_t *out);

#endif
