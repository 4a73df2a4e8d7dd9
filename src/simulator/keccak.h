/* SPDX-License-Identifier: Apache-2.0
 *
 * Keccak as Ethereum uses it: the sponge before FIPS 202 added its suffix. OpenSSL 3.0 has SHA-3 only.
 */
#ifndef SIMULATOR_KECCAK_H
#define SIMULATOR_KECCAK_H

#include <stddef.h>
#include <stdint.h>

#include "base/cur.h"

#define KECCAK256_SIZE 32

/* The digest of the parts, one after another: of 32, 48 or 64 bytes. */
void keccak(size_t size, const struct cur *parts, size_t n, uint8_t *ret);
void keccak256(const struct cur *parts, size_t n, uint8_t ret[static KECCAK256_SIZE]);

#endif
