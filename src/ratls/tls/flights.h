/* SPDX-License-Identifier: Apache-2.0
 *
 * Decisions that are being made, so that connections of one peer that come together have one made for all of
 * them: whoever verifies may count our questions. Thread-safe.
 */
#ifndef TLS_FLIGHTS_H
#define TLS_FLIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "tls/relying_party.h"

struct flights;

struct flights *flights_new(void);    /* NULL if memory ran out */
void flights_free(struct flights *f); /* nobody may be in it; NULL is fine */

/* Is a decision about this peer (the hash of its certificate), under this policy, being made? True: it has
 * been waited for, and *ret is what it was. False: the caller makes it, and calls flights_land with it. */
bool flights_join(struct flights *f, const uint8_t peer[static HASH_SHA256_SIZE], uint64_t generation,
	struct verdict *ret);
void flights_land(struct flights *f, const uint8_t peer[static HASH_SHA256_SIZE], uint64_t generation,
	const struct verdict *verdict);

#endif
