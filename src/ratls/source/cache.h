/* SPDX-License-Identifier: Apache-2.0
 *
 * Endorsements in memory, by platform (FMSPC and CA), and their life: fresh; then refreshed by a thread of
 * the cache's own, early and at a moment that nobody shares; used while they hold, with a remark once that
 * fails; then given for what they are. Where there are none, callers wait for that thread, a bounded time,
 * and what failed is not tried again at once. Thread-safe.
 *
 * One thread searches, so that nothing is ever asked for twice at the same time.
 */
#ifndef SOURCE_CACHE_H
#define SOURCE_CACHE_H

#include "appraisal/platform_id.h"
#include "ratls.h"

#define CACHE_PLATFORMS_MAX 64                   /* those without endorsements go first */
#define CACHE_IDLE_MS       ((int64_t)7 * 24 * 3600 * 1000) /* what nobody asked for so long is not refreshed */

struct cache_found {
	struct ratls_endorsements *endorsements;
	int64_t age_ms; /* since they were obtained; negative if that is yet to come */
};

/* Search for endorsements that hold at this time (blocking; called in the cache's thread). cold: there are
 * none yet, so that old ones are better than a long search. */
typedef int (*cache_fill_fn)(void *self, const struct platform_id *platform, int64_t at, bool cold,
	struct cache_found *ret, struct ratls_error *err);

struct cache_options {
	cache_fill_fn fill;
	void *self;
	bool refresh_first; /* for a program that ends soon: callers wait for a refresh that is due */
	bool local; /* a search troubles nobody else: it is tried again soon, however often it failed */
};

struct cache;

int cache_new(const struct cache_options *options, struct cache **ret, struct ratls_error *err);

/* Nobody waits any more: who does is told so, and a search that is under way should end soon, since
 * cache_is_stopping says so. Any thread. */
void cache_stop(struct cache *c);
bool cache_is_stopping(const struct cache *c);

/* Stops it and ends the thread. No thread may be in cache_get. */
void cache_free(struct cache *c);

/* A reference to the platform's endorsements. That they do not hold at this time, or not at all, is for
 * appraisal to say. now_ms is the monotonic clock, on which deadline_ms is when the caller waits no longer.
 * RATLS_E_UNAVAILABLE, the search's error, if none were found; also at the deadline, or if CACHE_PLATFORMS_MAX
 * platforms are being searched for. */
int cache_get(struct cache *c, const struct platform_id *platform, int64_t at, int64_t now_ms,
	int64_t deadline_ms, struct ratls_endorsements **ret, struct ratls_error *err);

/* Are endorsements for the platform there, or is it known that they cannot be had now? */
bool cache_knows(struct cache *c, const struct platform_id *platform, int64_t at, int64_t now_ms);

/* A cache_get that does not wait: RATLS_E_UNAVAILABLE with *ret_asked set if it would have to, for a search
 * that the next cache_get will have made. */
int cache_ask(struct cache *c, const struct platform_id *platform, int64_t at, int64_t now_ms,
	bool *ret_asked, struct ratls_endorsements **ret, struct ratls_error *err);

/* What the thread does, for tests that have clocks of their own: one search, if one is asked for or due; else
 * it returns false, and *ret_next_ms is when one will be. */
bool cache_work(struct cache *c, int64_t at, int64_t now_ms, int64_t *ret_next_ms);

#endif
