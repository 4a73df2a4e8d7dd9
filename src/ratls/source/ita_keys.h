/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of Intel Trust Authority and their revocation lists, kept as long as they hold. One thread fetches
 * each; the others use what still serves, and where nothing does they wait for what it brings, each as long
 * as it has time. Thread-safe.
 */
#ifndef SOURCE_ITA_KEYS_H
#define SOURCE_ITA_KEYS_H

#include "appraisal/ita_token.h"
#include "source/ita_http.h"

#define ITA_KEYS_FRESH_MS   ((int64_t)3600 * 1000)      /* then they are asked for anew */
#define ITA_KEYS_MAX_MS     ((int64_t)24 * 3600 * 1000) /* used so long while the portal does not answer */
#define ITA_REFETCH_MS      ((int64_t)10 * 1000)        /* between two fetches because of an unknown key */
#define ITA_PAUSE_MS        ((int64_t)5 * 1000)         /* after a fetch that failed */
#define ITA_LISTS_FRESH_MS  ((int64_t)24 * 3600 * 1000)
#define ITA_LISTS_KEPT      16 /* revocation lists; the oldest goes first */
#define ITA_KEYS_TIMEOUT_MS 10000

struct ita_keys;

/* url is where the key set is, clock the monotonic one in milliseconds. What transport points to must outlive it.
 * NULL if memory ran out. */
struct ita_keys *ita_keys_new(const struct transport *transport, const char *url, int64_t (*clock)(void));
void ita_keys_free(struct ita_keys *k); /* NULL is fine */

/* A reference to a set that has this key, or to the newest there is if none has. Blocking. */
int ita_keys_get(
	struct ita_keys *k, const char *kid, int64_t deadline_ms, struct jwks **ret, struct ratls_error *err);

/* The revocation lists for a key's certificates; free with ita_lists_done. */
struct ita_lists {
	struct buf list[ITA_CRLS_MAX];
	size_t n;
	char missing[RATLS_ERROR_MESSAGE_SIZE]; /* why one could not be had; "" if all could */
};
/* Blocking. RATLS_E_NOMEM; what could not be had is no error, but said. */
int ita_keys_lists(struct ita_keys *k, const struct jwk *key, int64_t at, int64_t deadline_ms,
	struct ita_lists *ret, struct ratls_error *err);
void ita_lists_done(struct ita_lists *l);

#endif
