/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepting verdicts by the SHA-256 of the certificate that they are about, at most RELYING_PARTY_CACHE_MAX,
 * the oldest going first. Not thread-safe: the relying party locks.
 */
#ifndef TLS_VERDICT_CACHE_H
#define TLS_VERDICT_CACHE_H

#include "base/hash.h"
#include "tls/relying_party.h"

struct verdict_cache;

struct verdict_cache *verdict_cache_new(void); /* NULL if memory ran out */
void verdict_cache_free(struct verdict_cache *c);

/* Keep an accepting verdict formed at this time; one about the same certificate is replaced. What memory
 * does not allow is not kept. */
void verdict_cache_put(struct verdict_cache *c, const uint8_t key[static HASH_SHA256_SIZE], int64_t formed_at,
	const struct verdict *verdict);

/* True, and *ret, only between the time when it was formed and valid_until, exclusive: a clock that was set
 * back prolongs nothing. */
bool verdict_cache_get(struct verdict_cache *c, const uint8_t key[static HASH_SHA256_SIZE], int64_t now,
	struct verdict *ret);

void verdict_cache_clear(struct verdict_cache *c);

#endif
