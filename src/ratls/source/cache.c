/* SPDX-License-Identifier: Apache-2.0 */
#include "source/cache.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "appraisal/endorsements.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/reason.h"
#include "base/thread.h"
#include "source/pause.h"

struct entry {
	bool used; /* it stands for a platform */
	struct platform_id platform;
	struct ratls_endorsements *endorsements; /* NULL until a search found some */
	bool sound;                              /* they hold whatever the time, and are this platform's */
	int64_t refresh_ms;                      /* of those that are sound: newer ones are due */
	int64_t retry_ms;                        /* the last search failed: none before then */
	unsigned failures;                       /* in a row */
	int64_t failing_since;                   /* of the first of these, as the callers' time */
	uint64_t last_use;
	int64_t used_ms;
	uint64_t wanted;   /* when a caller asked for a search, as a number that grows; 0: nobody does */
	int64_t wanted_at; /* the time at which the endorsements should hold */
	bool busy;         /* the thread searches for it */
	unsigned waiters;
	int rc; /* of the last search */
	struct ratls_error err;
};

struct cache {
	struct cache_options options;
	atomic_bool stopping;
	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t wanted, searched;
	bool started;
	pthread_t thread;
	uint64_t uses, wishes;
	struct entry entries[CACHE_PLATFORMS_MAX];
};

/* ---- making and ending --------------------------------------------------------------------------------- */

int cache_new(const struct cache_options *options, struct cache **ret, struct ratls_error *err)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	c->options = *options;
	atomic_init(&c->stopping, false);
	pthread_mutex_init(&c->lock, NULL);
	thread_cond_init(&c->wanted);
	thread_cond_init(&c->searched);
	*ret = c;
	return RATLS_OK;
}

bool cache_is_stopping(const struct cache *c)
{
	return atomic_load(&c->stopping);
}

void cache_stop(struct cache *c)
{
	pthread_mutex_lock(&c->lock);
	atomic_store(&c->stopping, true);
	pthread_cond_broadcast(&c->wanted);
	pthread_cond_broadcast(&c->searched);
	pthread_mutex_unlock(&c->lock);
}

void cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	cache_stop(c);
	if (c->started)
		pthread_join(c->thread, NULL);
	for (size_t i = 0; i < CACHE_PLATFORMS_MAX; i++)
		ratls_endorsements_free(c->entries[i].endorsements);
	pthread_cond_destroy(&c->searched);
	pthread_cond_destroy(&c->wanted);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- entries ------------------------------------------------------------------------------------------- */

static bool is_for(const struct entry *e, const struct platform_id *platform)
{
	return e->used && memcmp(e->platform.fmspc, platform->fmspc, sizeof(platform->fmspc)) == 0 &&
	       e->platform.ca == platform->ca;
}

static struct entry *find(struct cache *c, const struct platform_id *platform)
{
	for (size_t i = 0; i < CACHE_PLATFORMS_MAX; i++)
		if (is_for(&c->entries[i], platform))
			return &c->entries[i];
	return NULL;
}

/* May a be given up rather than b? What is sound stays as long as there is anything else, so that those who
 * come with platforms that nobody knows do not drive out those that are in use. */
static bool is_worth_less(const struct entry *a, const struct entry *b)
{
	return a->sound != b->sound ? b->sound : a->last_use < b->last_use;
}

/* NULL if all are busy. */
static struct entry *make(struct cache *c, const struct platform_id *platform)
{
	struct entry *worst = NULL;

	for (size_t i = 0; i < CACHE_PLATFORMS_MAX; i++) {
		struct entry *e = &c->entries[i];

		if (!e->busy && e->waiters == 0 && e->wanted == 0 &&
			(worst == NULL || is_worth_less(e, worst)))
			worst = e;
	}
	if (worst != NULL) {
		ratls_endorsements_free(worst->endorsements);
		*worst = (struct entry){.used = true, .platform = *platform};
	}
	return worst;
}

static bool holds(const struct entry *e, int64_t at)
{
	return e->sound && at <= endorsements_valid_until(e->endorsements);
}

/* ---- searching: in the cache's thread ------------------------------------------------------------------ */

static int64_t due_ms(const struct entry *e)
{
	return e->refresh_ms > e->retry_ms ? e->refresh_ms : e->retry_ms;
}

/* Whom somebody waits for goes before what is merely due, and who came first before who came later. */
static struct entry *next_search(struct cache *c, int64_t now_ms, int64_t *ret_next_ms)
{
	struct entry *wanted = NULL, *due = NULL;
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < CACHE_PLATFORMS_MAX; i++) {
		struct entry *e = &c->entries[i];

		if (e->wanted != 0 && (wanted == NULL || e->wanted < wanted->wanted))
			wanted = e;
		if (!e->sound || c->options.refresh_first || now_ms - e->used_ms >= CACHE_IDLE_MS)
			continue;
		if (due_ms(e) < next_ms) {
			next_ms = due_ms(e);
			due = e;
		}
	}
	*ret_next_ms = next_ms;
	if (wanted != NULL)
		return wanted;
	return due != NULL && next_ms <= now_ms ? due : NULL;
}

/* What a search brought, judged. */
struct result {
	int rc;
	struct ratls_error err;
	struct cache_found found;
	bool sound, good; /* good: sound, and it holds at the time that was asked for */
};

static void search(
	struct cache *c, const struct platform_id *platform, int64_t at, bool cold, struct result *ret)
{
	bool any = platform->ca == PLATFORM_CA_ANY;

	*ret = (struct result){.rc = RATLS_OK};
	ret->rc = c->options.fill(c->options.self, platform, at, cold, &ret->found, &ret->err);
	if (ret->rc != RATLS_OK)
		return;
	ret->sound =
		endorsements_check(ret->found.endorsements, any ? NULL : platform, &ret->err) == RATLS_OK;
	ret->good = ret->sound && at <= endorsements_valid_until(ret->found.endorsements);
	if (ret->sound && !ret->good)
		err_set(&ret->err, RATLS_E_UNAVAILABLE, "nothing was found that has not ended");
}

/* What holds although nothing newer could be had: it says so itself. Without memory it says nothing. */
static void remark(struct entry *e, int64_t at, const struct result *r, struct result *ret)
{
	struct ratls_endorsements *remarked = NULL;

	*ret = *r;
	if (r->good || !holds(e, at))
		return;
	if (endorsements_remark(e->endorsements, e->failures > 0 ? e->failing_since : at, r->err.message,
		    &remarked, NULL) != RATLS_OK)
		remarked = endorsements_ref(e->endorsements);
	ratls_endorsements_free(r->found.endorsements);
	ret->found.endorsements = remarked;
	ret->sound = true;
}

static void settle(struct cache *c, struct entry *e, int64_t at, int64_t now_ms, struct result *r)
{
	if (r->good) {
		int64_t ends_s = endorsements_valid_until(r->found.endorsements) - at;
		int64_t wait_ms = pause_before_refresh(r->found.age_ms, ends_s, pause_random());

		e->failures = 0;
		e->retry_ms = 0;
		e->refresh_ms = wait_ms > 0 ? now_ms + wait_ms : 0; /* due, even as callers see the clock */
	} else {
		if (e->failures++ == 0)
			e->failing_since = at;
		e->retry_ms =
			now_ms + pause_after_failures(c->options.local ? 1 : e->failures, pause_random());
	}
	if (r->found.endorsements != NULL) {
		ratls_endorsements_free(e->endorsements);
		e->endorsements = r->found.endorsements;
		e->sound = r->sound;
	}
	e->rc = r->rc;
	e->err = r->err;
}

/* The lock is held, except while it is searched. Nobody else changes the endorsements of an entry that is
 * busy. */
static void search_for(struct cache *c, struct entry *e, int64_t at, int64_t now_ms)
{
	int64_t began_ms = clock_monotonic_ms();
	struct result found, r;

	at = e->wanted != 0 ? e->wanted_at : at;
	e->busy = true;
	e->wanted = 0;
	pthread_mutex_unlock(&c->lock);
	search(c, &e->platform, at, e->endorsements == NULL, &found);
	remark(e, at, &found, &r);
	pthread_mutex_lock(&c->lock);
	e->busy = false;
	settle(c, e, at, now_ms + clock_monotonic_ms() - began_ms, &r);
	pthread_cond_broadcast(&c->searched);
}

/* One search whose turn it is; false if there is none, and *ret_next_ms says when there will be. */
static bool step(struct cache *c, int64_t at, int64_t now_ms, int64_t *ret_next_ms)
{
	struct entry *e = next_search(c, now_ms, ret_next_ms);

	if (e != NULL)
		search_for(c, e, at, now_ms);
	return e != NULL;
}

bool cache_work(struct cache *c, int64_t at, int64_t now_ms, int64_t *ret_next_ms)
{
	bool worked;

	pthread_mutex_lock(&c->lock);
	worked = step(c, at, now_ms, ret_next_ms);
	pthread_mutex_unlock(&c->lock);
	return worked;
}

static void *work(void *arg)
{
	struct cache *c = arg;
	int64_t next_ms;

	pthread_mutex_lock(&c->lock);
	while (!atomic_load(&c->stopping)) {
		if (!step(c, clock_now(), clock_monotonic_ms(), &next_ms))
			thread_cond_wait(&c->wanted, &c->lock, next_ms);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static int start(struct cache *c, struct ratls_error *err)
{
	int rc = c->started ? RATLS_OK : thread_start(&c->thread, work, c, err);

	c->started = rc == RATLS_OK;
	return rc;
}

/* ---- asking -------------------------------------------------------------------------------------------- */

enum look { GIVE, REFUSE, SEARCH };

static enum look look(const struct cache *c, const struct entry *e, int64_t at, int64_t now_ms)
{
	bool may_search = now_ms >= e->retry_ms;
	bool held = holds(e, at);

	if (held && !(c->options.refresh_first && may_search && now_ms >= e->refresh_ms))
		return GIVE;
	if (may_search)
		return SEARCH;
	return e->rc == RATLS_OK && e->endorsements != NULL ? GIVE : REFUSE;
}

static void want(struct cache *c, struct entry *e, int64_t at)
{
	if (e->wanted == 0)
		e->wanted = ++c->wishes;
	e->wanted_at = at;
	pthread_cond_signal(&c->wanted);
}

static int give(struct cache *c, struct entry *e, int64_t now_ms, struct ratls_endorsements **ret)
{
	if (now_ms >= e->refresh_ms) /* out of use for long, perhaps: then nobody has looked */
		pthread_cond_signal(&c->wanted);
	*ret = endorsements_ref(e->endorsements);
	return RATLS_OK;
}

static int refuse(const struct entry *e, int64_t now_ms, bool waited, struct ratls_error *err)
{
	if (waited)
		return err_reason(err, e->rc, e->err.reason, "%s", e->err.message);
	return err_reason(err, e->rc, e->err.reason, "%s (not tried again for %d s)", e->err.message,
		(int)((e->retry_ms - now_ms + 999) / 1000));
}

static struct entry *use(
	struct cache *c, const struct platform_id *platform, int64_t now_ms, struct ratls_error *err)
{
	struct entry *e = find(c, platform);

	if (e == NULL)
		e = make(c, platform);
	if (e == NULL) {
		err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"collateral of %d platforms is being searched for already", CACHE_PLATFORMS_MAX);
		return NULL;
	}
	e->last_use = ++c->uses;
	e->used_ms = now_ms;
	return e;
}

static int answer(struct cache *c, struct entry *e, enum look answer, int64_t now_ms, bool waited,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	return answer == GIVE ? give(c, e, now_ms, ret) : refuse(e, now_ms, waited, err);
}

/* The search that is under way may have been for another time, and one that brought what was due at once is
 * followed by another: so it is looked again until there is an answer, or the wait has an end. Who has no time
 * to wait has it searched for those who come later. */
static int wait_for(struct cache *c, struct entry *e, int64_t at, int64_t now_ms, int64_t deadline_ms,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	int64_t began_ms = clock_monotonic_ms();
	enum look l;
	int rc = start(c, err);

	if (rc != RATLS_OK)
		return rc;
	e->waiters++;
	while ((l = look(c, e, at, now_ms)) == SEARCH) {
		if (!e->busy)
			want(c, e, at);
		if (clock_monotonic_ms() >= deadline_ms || cache_is_stopping(c))
			break;
		thread_cond_wait(&c->searched, &c->lock, deadline_ms);
	}
	e->waiters--;
	if (l != SEARCH)
		return answer(c, e, l, now_ms, true, ret, err);
	if (cache_is_stopping(c))
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"collateral is not waited for any more: this program ends");
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
		"collateral is still being searched for after %d s", (int)((deadline_ms - began_ms + 999) / 1000));
}

int cache_get(struct cache *c, const struct platform_id *platform, int64_t at, int64_t now_ms,
	int64_t deadline_ms, struct ratls_endorsements **ret, struct ratls_error *err)
{
	int rc = RATLS_E_UNAVAILABLE;
	struct entry *e;
	enum look l;

	pthread_mutex_lock(&c->lock);
	e = use(c, platform, now_ms, err);
	l = e != NULL ? look(c, e, at, now_ms) : REFUSE;
	if (l == SEARCH)
		rc = wait_for(c, e, at, now_ms, deadline_ms, ret, err);
	else if (e != NULL)
		rc = answer(c, e, l, now_ms, false, ret, err);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

int cache_ask(struct cache *c, const struct platform_id *platform, int64_t at, int64_t now_ms,
	bool *ret_asked, struct ratls_endorsements **ret, struct ratls_error *err)
{
	int rc = RATLS_E_UNAVAILABLE;
	struct entry *e;
	enum look l;

	pthread_mutex_lock(&c->lock);
	e = use(c, platform, now_ms, err);
	l = e != NULL ? look(c, e, at, now_ms) : REFUSE;
	*ret_asked = l == SEARCH;
	if (l == SEARCH && !e->busy)
		want(c, e, at);
	else if (l != SEARCH && e != NULL)
		rc = answer(c, e, l, now_ms, false, ret, err);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

bool cache_knows(struct cache *c, const struct platform_id *platform, int64_t at, int64_t now_ms)
{
	const struct entry *e;
	bool knows;

	pthread_mutex_lock(&c->lock);
	e = find(c, platform);
	knows = e != NULL && look(c, e, at, now_ms) != SEARCH;
	pthread_mutex_unlock(&c->lock);
	return knows;
}
