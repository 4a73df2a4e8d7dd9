/* SPDX-License-Identifier: Apache-2.0 */
#include "source/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/reason.h"

struct entry {
	bool used; /* it stands for a platform */
	struct platform_id platform;
	struct ratls_endorsements *endorsements; /* NULL until a fetch has succeeded */
	int64_t refresh_ms;                      /* from then on, one caller asks anew */
	uint64_t last_use;
	bool fetching;
	unsigned waiters; /* threads that wait for the fetch, or for its outcome to be theirs */
	uint64_t fetches; /* that have ended */
	int rc;           /* of the last */
	struct ratls_error err;
};

struct cache {
	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t fetched;
	cache_fill_fn fill;
	void *fill_self;
	uint64_t uses;
	struct entry entries[CACHE_PLATFORMS_MAX];
};

int cache_new(cache_fill_fn fill, void *fill_self, struct cache **ret, struct ratls_error *err)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->fetched, NULL);
	c->fill = fill;
	c->fill_self = fill_self;
	*ret = c;
	return RATLS_OK;
}

void cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < CACHE_PLATFORMS_MAX; i++)
		ratls_endorsements_free(c->entries[i].endorsements);
	pthread_cond_destroy(&c->fetched);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static bool is_for(const struct entry *e, const struct platform_id *platform)
{
	return e->used && memcmp(e->platform.fmspc, platform->fmspc, sizeof(platform->fmspc)) == 0 &&
	       strcmp(e->platform.ca, platform->ca) == 0;
}

static bool is_idle(const struct entry *e)
{
	return !e->fetching && e->waiters == 0;
}

static void clear(struct entry *e)
{
	ratls_endorsements_free(e->endorsements);
	*e = (struct entry){0};
}

/* The platform's entry, made in place of the one longest out of use where there is none yet. NULL if all
 * are busy. */
static struct entry *entry_of(struct cache *c, const struct platform_id *platform)
{
	struct entry *oldest = NULL;

	for (size_t i = 0; i < CACHE_PLATFORMS_MAX; i++) {
		struct entry *e = &c->entries[i];

		if (is_for(e, platform))
			return e;
		if (is_idle(e) && (oldest == NULL || e->last_use < oldest->last_use))
			oldest = e; /* a free entry was never used: 0 */
	}
	if (oldest != NULL) {
		clear(oldest);
		oldest->used = true;
		oldest->platform = *platform;
	}
	return oldest;
}

static bool holds(const struct ratls_endorsements *endorsements, int64_t at)
{
	return endorsements != NULL && at <= endorsements_valid_until(endorsements);
}

static int give(struct entry *e, struct ratls_endorsements **ret)
{
	*ret = endorsements_ref(e->endorsements);
	return RATLS_OK;
}

/* What the fetch that has just ended brought; the last one to look clears what it brought in vain. */
static int outcome(struct entry *e, struct ratls_endorsements **ret, struct ratls_error *err)
{
	int rc = e->rc;

	if (rc == RATLS_OK)
		return give(e, ret);
	if (err != NULL)
		*err = e->err;
	if (e->endorsements == NULL && is_idle(e))
		clear(e);
	return rc;
}

static int wait_for_fetch(
	struct cache *c, struct entry *e, struct ratls_endorsements **ret, struct ratls_error *err)
{
	uint64_t fetches = e->fetches;

	e->waiters++;
	while (e->fetches == fetches)
		pthread_cond_wait(&c->fetched, &c->lock);
	e->waiters--;
	return outcome(e, ret, err);
}

static void keep(struct entry *e, struct ratls_endorsements *fresh, int64_t at)
{
	/* A mirror that lags must not take away what still holds. */
	if (holds(e->endorsements, at) && !holds(fresh, at)) {
		ratls_endorsements_free(fresh);
		return;
	}
	ratls_endorsements_free(e->endorsements);
	e->endorsements = fresh;
}

static int fetch(struct cache *c, struct entry *e, int64_t at, int64_t now_ms,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct ratls_endorsements *fresh = NULL;
	struct platform_id platform = e->platform;
	struct ratls_error why = {0};
	int rc;

	e->fetching = true;
	pthread_mutex_unlock(&c->lock);
	rc = c->fill(c->fill_self, &platform, at, &fresh, &why);
	pthread_mutex_lock(&c->lock);
	e->fetching = false;
	e->fetches++;
	e->rc = rc;
	e->err = why;
	e->refresh_ms = now_ms + (rc == RATLS_OK ? CACHE_REFRESH_MS : CACHE_RETRY_MS);
	if (rc == RATLS_OK)
		keep(e, fresh, at);
	pthread_cond_broadcast(&c->fetched);
	return holds(e->endorsements, at) ? give(e, ret) : outcome(e, ret, err);
}

int cache_get(struct cache *c, const struct platform_id *platform, int64_t at, int64_t now_ms,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct entry *e;
	int rc;

	pthread_mutex_lock(&c->lock);
	e = entry_of(c, platform);
	if (e == NULL) {
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"collateral of %d platforms is being fetched already", CACHE_PLATFORMS_MAX);
		goto out;
	}
	e->last_use = ++c->uses;
	if (holds(e->endorsements, at) && (now_ms < e->refresh_ms || e->fetching))
		rc = give(e, ret);
	else if (e->fetching)
		rc = wait_for_fetch(c, e, ret, err);
	else
		rc = fetch(c, e, at, now_ms, ret, err);
out:
	pthread_mutex_unlock(&c->lock);
	return rc;
}
