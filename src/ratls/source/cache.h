/* SPDX-License-Identifier: Apache-2.0
 *
 * Endorsements in memory, by platform (FMSPC and CA), and the rule that however many threads ask for what
 * is not there, one of them fetches it and the others wait for its outcome. Thread-safe.
 */
#ifndef SOURCE_CACHE_H
#define SOURCE_CACHE_H

#include "appraisal/endorsements.h"
#include "ratls.h"

#define CACHE_PLATFORMS_MAX 64                          /* the one longest out of use goes first */
#define CACHE_REFRESH_MS    ((int64_t)24 * 3600 * 1000) /* the oldest that is used without asking anew */
#define CACHE_RETRY_MS      ((int64_t)60 * 1000)        /* pause after a refresh that failed */

/* Obtain endorsements that should hold at this time (blocking). Called without a lock held. */
typedef int (*cache_fill_fn)(void *self, const struct platform_id *platform, int64_t at,
	struct ratls_endorsements **ret, struct ratls_error *err);

struct cache;

int cache_new(cache_fill_fn fill, void *fill_self, struct cache **ret, struct ratls_error *err);

/* No thread may be in cache_get. */
void cache_free(struct cache *c);

/* A reference to the platform's endorsements. What is held is used while `at` lies before its end; after
 * CACHE_REFRESH_MS one caller asks anew while the others go on with it, and if that fails everybody does.
 * now_ms is the monotonic clock. Errors are those of fill; RATLS_E_UNAVAILABLE if CACHE_PLATFORMS_MAX
 * platforms are being fetched at this moment. */
int cache_get(struct cache *c, const struct platform_id *platform, int64_t at, int64_t now_ms,
	struct ratls_endorsements **ret, struct ratls_error *err);

#endif
