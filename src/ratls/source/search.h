/* SPDX-License-Identifier: Apache-2.0
 *
 * One question, to all places in their order, until one has what holds.
 */
#ifndef SOURCE_SEARCH_H
#define SOURCE_SEARCH_H

#include "source/cache.h"
#include "source/place.h"
#include "source/shelf.h"

#define SEARCH_PLACES_MAX 8

struct search_places {
	char *directory;     /* NULL: none */
	struct shelf *shelf; /* what was kept on disk; NULL: none */
	struct place *place[SEARCH_PLACES_MAX]; /* the services */
	size_t n;
	struct ratls_endorsements_options options; /* for the root */
};

/* The platform's endorsements from the directory, the shelf (cold: there are none yet) or a service. Blocking; one
 * thread searches. Errors as cache_fill_fn: RATLS_E_UNAVAILABLE names every place and why. */
int search_platform(const struct search_places *places, const struct platform_id *platform, int64_t at, bool cold,
	struct cache_found *ret, struct ratls_error *err);

/* The PCK chain of that name from a service, as named_ask_fn. Any thread. */
int search_pck(const struct search_places *places, const struct pck_name *name, const struct cur *qeid,
	int64_t deadline_ms, struct buf *ret_chain, struct ratls_error *err);

/* The platform's endorsements as they will be, from a service, without regard to pauses. Any thread. */
int search_early(const struct search_places *places, const struct platform_id *platform,
	struct ratls_endorsements **ret, struct ratls_error *err);

#endif
