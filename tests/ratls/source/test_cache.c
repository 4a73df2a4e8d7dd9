/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "appraisal/endorsed.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/reason.h"
#include "simulator/forge.h"
#include "source/cache.h"
#include "source/pause.h"

#define NOW 1790000000

static const uint8_t seed[FORGE_SEED_SIZE] = {7};

/* Two sets of endorsements of one machine: the second is what was issued ten days later. */
static struct ratls_endorsements *early, *late;

static struct ratls_endorsements *issued_at(int64_t now)
{
	struct ratls_endorsements_options options = {.size = sizeof(options)};
	struct ratls_endorsements *e = NULL;
	struct forge_options o;
	struct forge_machine m;
	struct buf json = {0};

	forge_defaults(&o, seed, now);
	assert_int_equal(forge_machine_make(&o, &m, NULL), RATLS_OK);
	assert_int_equal(forge_machine_collateral(&m, &json, NULL), RATLS_OK);
	options.insecure_trust_root = m.pki.cert[FORGE_ROOT].p;
	options.insecure_trust_root_len = m.pki.cert[FORGE_ROOT].len;
	assert_int_equal(
		ratls_endorsements_from_json((const char *)json.p, json.len, &options, &e, NULL), RATLS_OK);
	buf_done(&json);
	forge_machine_done(&m);
	return e;
}

static int make_endorsements(void **state)
{
	(void)state;
	early = issued_at(NOW);
	late = issued_at(NOW + 10 * 86400);
	return endorsements_valid_until(early) < endorsements_valid_until(late) ? 0 : -1;
}

static int free_endorsements(void **state)
{
	(void)state;
	ratls_endorsements_free(early);
	ratls_endorsements_free(late);
	return 0;
}

/* Where the cache searches: it gives these endorsements, or says no. */
struct place {
	struct ratls_endorsements *gives; /* NULL: says no */
	int64_t age_ms;                   /* of what it gives to who has nothing */
	atomic_int asked;
	bool last_was_cold;
};

static int ask(void *self, const struct platform_id *platform, int64_t at, bool cold, struct cache_found *ret,
	struct ratls_error *err)
{
	struct place *p = self;

	(void)platform, (void)at;
	p->asked++;
	p->last_was_cold = cold;
	if (p->gives == NULL)
		return err_reason(err, RATLS_E_UNAVAILABLE, 4711, "nobody is at home");
	*ret = (struct cache_found){endorsements_ref(p->gives), cold ? p->age_ms : 0};
	return RATLS_OK;
}

static struct platform_id platform_number(uint8_t n)
{
	struct platform_id id = {.ca = PLATFORM_CA_PLATFORM};

	memcpy(id.fmspc, forge_fmspc_default, sizeof(id.fmspc));
	id.fmspc[5] = n;
	return id;
}

static struct cache *new_cache(struct place *p)
{
	struct cache *c = NULL;

	assert_int_equal(cache_new(&(struct cache_options){.fill = ask, .self = p}, &c, NULL), RATLS_OK);
	return c;
}

/* All that the cache's thread would do now. */
static void work(struct cache *c, int64_t at, int64_t now_ms)
{
	int64_t next_ms;

	while (cache_work(c, at, now_ms, &next_ms)) {
	}
}

static int64_t next_search(struct cache *c, int64_t at, int64_t now_ms)
{
	int64_t next_ms = 0;

	assert_false(cache_work(c, at, now_ms, &next_ms));
	return next_ms;
}

/* What the cache gives this platform then, once what was asked for is done. */
static int get_of(struct cache *c, uint8_t n, int64_t at, int64_t now_ms, struct ratls_endorsements **ret,
	struct ratls_error *err)
{
	struct platform_id platform = platform_number(n);
	bool asked = false;
	int rc = cache_ask(c, &platform, at, now_ms, &asked, ret, err);

	if (!asked)
		return rc;
	work(c, at, now_ms);
	rc = cache_ask(c, &platform, at, now_ms, &asked, ret, err);
	assert_false(asked);
	return rc;
}

/* NULL if it fails. The reference is dropped: the test holds one, or the cache does. */
static struct ratls_endorsements *get(struct cache *c, int64_t at, int64_t now_ms)
{
	struct ratls_endorsements *e = NULL;

	if (get_of(c, 0, at, now_ms, &e, NULL) != RATLS_OK)
		assert_null(e);
	ratls_endorsements_free(e);
	return e;
}

static void what_was_fetched_is_used_until_it_ends(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);
	int64_t end = endorsements_valid_until(early);

	(void)state;
	assert_ptr_equal(get(c, NOW, 0), early);
	assert_ptr_equal(get(c, end, 1), early);
	assert_int_equal(p.asked, 1);
	p.gives = late;
	assert_ptr_equal(get(c, end + 1, 2), late);
	assert_int_equal(p.asked, 2);
	/* A clock that goes back asks for nothing. */
	assert_ptr_equal(get(c, NOW, 3), late);
	assert_int_equal(p.asked, 2);
	cache_free(c);
}

static void platforms_are_told_apart(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);
	struct platform_id platform = platform_number(0);
	struct ratls_endorsements *e = NULL;
	bool asked;

	(void)state;
	get(c, NOW, 0);
	platform.ca = PLATFORM_CA_PROCESSOR;
	cache_ask(c, &platform, NOW, 0, &asked, &e, NULL);
	assert_true(asked);
	/* What else the certificate says does not make another platform. */
	platform = platform_number(0);
	platform.ppid[0] = 9;
	assert_int_equal(cache_ask(c, &platform, NOW, 0, &asked, &e, NULL), RATLS_OK);
	assert_false(asked);
	ratls_endorsements_free(e);
	cache_free(c);
}

/* Within a day, and no two at the same moment. */
static void it_is_refreshed_early_and_in_the_background(void **state)
{
	struct place p = {.gives = early};
	int64_t first = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct cache *c = new_cache(&p);
		int64_t due;

		p.gives = early;
		assert_ptr_equal(get(c, NOW, 0), early);
		due = next_search(c, NOW, 1);
		assert_in_range(due, PAUSE_REFRESH_MS / 2, PAUSE_REFRESH_MS);
		assert_int_not_equal(due, first);
		first = due;
		/* Who comes then waits for nothing. */
		p.gives = late;
		assert_ptr_equal(get(c, NOW, due), early);
		work(c, NOW, due);
		assert_false(p.last_was_cold);
		assert_ptr_equal(get(c, NOW, due), late);
		assert_int_equal(p.asked, 2 * (i + 1));
		cache_free(c);
	}
}

static void what_ends_soon_is_refreshed_sooner(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);
	int64_t end = endorsements_valid_until(early);

	(void)state;
	get(c, end - 3600, 0);
	assert_in_range(next_search(c, end - 3600, 1), 900 * 1000, 1800 * 1000);
	cache_free(c);
	/* But not without pause, even if the services have nothing better. */
	c = new_cache(&p);
	get(c, end, 0);
	assert_int_equal(next_search(c, end, 1) / 1000, PAUSE_SOON_MS / 1000);
	cache_free(c);
}

/* What comes from disk is given at once, and refreshed at once if it is old, or of a time to come. */
static void what_is_old_is_given_and_refreshed_at_once(void **state)
{
	static const int64_t ages_ms[] = {PAUSE_REFRESH_MS, 100 * PAUSE_REFRESH_MS, -1};

	(void)state;
	for (size_t i = 0; i < sizeof(ages_ms) / sizeof(ages_ms[0]); i++) {
		struct place p = {.gives = early, .age_ms = ages_ms[i]};
		struct cache *c = new_cache(&p);
		struct platform_id platform = platform_number(0);
		struct ratls_endorsements *e = NULL;
		bool asked;
		int64_t next_ms;

		cache_ask(c, &platform, NOW, 0, &asked, &e, NULL);
		assert_true(cache_work(c, NOW, 0, &next_ms));
		assert_true(p.last_was_cold);
		assert_int_equal(cache_ask(c, &platform, NOW, 1, &asked, &e, NULL), RATLS_OK);
		assert_ptr_equal(e, early);
		ratls_endorsements_free(e);
		p.gives = late;
		assert_true(cache_work(c, NOW, 1, &next_ms));
		assert_false(p.last_was_cold);
		assert_ptr_equal(get(c, NOW, 2), late);
		cache_free(c);
	}
}

/* ---- failures ---- */

/* The status of collateral.refresh in what is given. */
static const char *remark_of(struct cache *c, int64_t at, int64_t now_ms)
{
	static char text[RATLS_ERROR_MESSAGE_SIZE];
	struct ratls_endorsements *e = NULL;

	text[0] = '\0';
	assert_int_equal(get_of(c, 0, at, now_ms, &e, NULL), RATLS_OK);
	if (e->remark != NULL)
		snprintf(text, sizeof(text), "%lld %s", (long long)e->remark_since, e->remark);
	ratls_endorsements_free(e);
	return text;
}

static void a_failing_refresh_keeps_what_holds_and_says_so(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);
	int64_t end = endorsements_valid_until(early), due;
	struct ratls_endorsements *e = NULL;
	struct ratls_error err = {0};

	(void)state;
	assert_string_equal(remark_of(c, NOW, 0), "");
	due = next_search(c, NOW, 1);
	p.gives = NULL;
	work(c, NOW + 100, due);
	assert_string_equal(remark_of(c, NOW + 101, due), "1790000100 nobody is at home");
	assert_int_equal(p.asked, 2);
	/* It is tried again soon, then ever more seldom, and nobody waits for that. */
	assert_in_range(next_search(c, NOW, due), due + PAUSE_FIRST_MS / 2, due + PAUSE_FIRST_MS + 1000);
	due += PAUSE_FIRST_MS + 1000;
	work(c, NOW + 200, due);
	assert_int_equal(p.asked, 3);
	assert_string_equal(remark_of(c, NOW + 201, due), "1790000100 nobody is at home");
	/* Not past its end: then the reason is told. */
	due += PAUSE_MAX_MS;
	assert_int_equal(get_of(c, 0, end + 1, due, &e, &err), RATLS_E_UNAVAILABLE);
	assert_non_null(strstr(err.message, "nobody is at home"));
	assert_int_equal(err.reason, 4711);
	/* And when the clock was wrong, it holds again. */
	assert_string_equal(remark_of(c, NOW + 300, due), "1790000100 nobody is at home");
	/* Once there is something newer, there is nothing to remark. */
	p.gives = late;
	work(c, NOW + 400, due + PAUSE_MAX_MS);
	assert_string_equal(remark_of(c, NOW + 401, due + PAUSE_MAX_MS), "");
	cache_free(c);
}

static void a_place_that_lags_takes_nothing_away(void **state)
{
	struct place p = {.gives = late};
	struct cache *c = new_cache(&p);
	int64_t after_early = endorsements_valid_until(early) + 1, due;

	(void)state;
	get(c, after_early, 0);
	due = next_search(c, after_early, 1);
	p.gives = early;
	work(c, after_early, due);
	assert_int_equal(p.asked, 2);
	assert_non_null(strstr(remark_of(c, after_early, due), "not ended"));
	cache_free(c);
}

/* What is wrong with outdated endorsements is for appraisal to say; but they are not asked for each time. */
static void what_has_ended_is_given_and_soon_asked_for_again(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);
	int64_t after = endorsements_valid_until(early) + 1;

	(void)state;
	assert_ptr_equal(get(c, after, 0), early);
	assert_ptr_equal(get(c, after, PAUSE_FIRST_MS / 2 - 1), early);
	assert_int_equal(p.asked, 1);
	assert_ptr_equal(get(c, after, PAUSE_FIRST_MS + 1000), early);
	assert_int_equal(p.asked, 2);
	cache_free(c);
}

static void a_failure_is_passed_on_and_not_repeated_at_once(void **state)
{
	struct place p = {.gives = NULL};
	struct cache *c = new_cache(&p);
	struct ratls_endorsements *e = NULL;
	struct ratls_error err = {0};

	(void)state;
	for (int64_t now_ms = 0; now_ms < PAUSE_FIRST_MS / 2; now_ms += 100) {
		assert_int_equal(get_of(c, 0, NOW, now_ms, &e, &err), RATLS_E_UNAVAILABLE);
		assert_null(e);
		assert_ptr_equal(strstr(err.message, "nobody is at home (not tried again for "), err.message);
		assert_int_equal(err.reason, 4711);
	}
	assert_int_equal(p.asked, 1);
	p.gives = early;
	assert_ptr_equal(get(c, NOW, PAUSE_FIRST_MS + 1000), early);
	cache_free(c);
}

/* However many come with it, a platform that nobody knows is asked for a few times in an hour, and on demand.
 */
static void strangers_are_asked_for_ever_more_seldom(void **state)
{
	struct place p = {.gives = NULL};
	struct cache *c = new_cache(&p);
	int64_t hour_ms = (int64_t)3600 * 1000;

	(void)state;
	for (int64_t now_ms = 0; now_ms < hour_ms; now_ms += 250)
		get(c, NOW, now_ms);
	assert_in_range(p.asked, 12, 40);
	assert_int_equal(next_search(c, NOW, hour_ms), INT64_MAX);
	cache_free(c);
}

static void strangers_drive_nobody_out(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);
	struct ratls_endorsements *e = NULL;

	(void)state;
	get(c, NOW, 0);
	p.gives = NULL;
	for (int i = 1; i < 256; i++)
		assert_int_equal(get_of(c, (uint8_t)i, NOW, 0, &e, NULL), RATLS_E_UNAVAILABLE);
	assert_ptr_equal(get(c, NOW, 0), early);
	assert_int_equal(p.asked, 256);
	/* Among themselves, who came back last stays longest. */
	get_of(c, 256 - CACHE_PLATFORMS_MAX + 1, NOW, 0, &e, NULL);
	get_of(c, 1, NOW, 0, &e, NULL);
	assert_int_equal(p.asked, 257);
	get_of(c, 256 - CACHE_PLATFORMS_MAX + 1, NOW, 0, &e, NULL);
	assert_int_equal(p.asked, 257);
	get_of(c, 256 - CACHE_PLATFORMS_MAX + 2, NOW, 0, &e, NULL);
	assert_int_equal(p.asked, 258);
	cache_free(c);
}

static void what_waits_is_bounded(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);
	struct ratls_endorsements *e = NULL;
	struct ratls_error err = {0};
	bool asked;

	(void)state;
	for (int i = 0; i <= CACHE_PLATFORMS_MAX; i++) {
		struct platform_id platform = platform_number((uint8_t)i);

		assert_int_equal(cache_ask(c, &platform, NOW, 0, &asked, &e, &err), RATLS_E_UNAVAILABLE);
		assert_int_equal(asked, i < CACHE_PLATFORMS_MAX);
	}
	assert_int_equal(err.reason, REASON_COLLATERAL_UNAVAILABLE);
	work(c, NOW, 0);
	assert_int_equal(p.asked, CACHE_PLATFORMS_MAX);
	cache_free(c);
}

/* ---- between threads ---- */

#define THREADS 8

struct race {
	struct cache *cache;
	struct ratls_endorsements *gives;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int started, fills, good, failed;
	bool may_end;
};

static void race_init(struct race *r, const struct cache_options *options)
{
	struct cache_options o = *options;

	memset(r, 0, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	o.self = r;
	assert_int_equal(cache_new(&o, &r->cache, NULL), RATLS_OK);
}

static void race_done(struct race *r)
{
	cache_free(r->cache);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
}

/* Ends once every thread has set out to ask. */
static int fill_when_all_started(void *self, const struct platform_id *platform, int64_t at, bool cold,
	struct cache_found *ret, struct ratls_error *err)
{
	struct race *r = self;

	(void)platform, (void)at, (void)cold;
	pthread_mutex_lock(&r->lock);
	r->fills++;
	while (r->started < THREADS)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
	if (r->gives == NULL)
		return err_set(err, RATLS_E_UNAVAILABLE, "nobody is at home");
	ret->endorsements = endorsements_ref(r->gives);
	return RATLS_OK;
}

static void *ask_once(void *arg)
{
	struct race *r = arg;
	struct platform_id platform = platform_number(0);
	struct ratls_endorsements *e = NULL;
	struct ratls_error err = {0};
	int rc;

	pthread_mutex_lock(&r->lock);
	r->started++;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	rc = cache_get(r->cache, &platform, NOW, clock_monotonic_ms(), INT64_MAX, &e, &err);
	pthread_mutex_lock(&r->lock);
	if (rc == RATLS_OK && e == r->gives)
		r->good++;
	else if (rc == RATLS_E_UNAVAILABLE && e == NULL && strstr(err.message, "nobody is at home") != NULL)
		r->failed++;
	pthread_mutex_unlock(&r->lock);
	ratls_endorsements_free(e);
	return NULL;
}

static void run_threads(struct race *r)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_once, r), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void many_threads_cause_one_search(void **state)
{
	struct race r;

	(void)state;
	race_init(&r, &(struct cache_options){.fill = fill_when_all_started});
	r.gives = early;
	run_threads(&r);
	assert_int_equal(r.fills, 1);
	assert_int_equal(r.good, THREADS);
	race_done(&r);
}

static void all_who_wait_learn_of_a_failure(void **state)
{
	struct race r;

	(void)state;
	race_init(&r, &(struct cache_options){.fill = fill_when_all_started});
	run_threads(&r);
	assert_int_equal(r.failed, THREADS);
	race_done(&r);
}

/* What is old for who has nothing; then nothing, until the test allows it. */
static int fill_slowly_later(void *self, const struct platform_id *platform, int64_t at, bool cold,
	struct cache_found *ret, struct ratls_error *err)
{
	struct race *r = self;

	(void)platform, (void)at, (void)err;
	pthread_mutex_lock(&r->lock);
	r->fills++;
	pthread_cond_broadcast(&r->changed);
	while (!cold && !r->may_end)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
	*ret = (struct cache_found){endorsements_ref(cold ? early : late), cold ? PAUSE_REFRESH_MS : 0};
	return RATLS_OK;
}

static void wait_for_fills(struct race *r, int n)
{
	pthread_mutex_lock(&r->lock);
	while (r->fills < n)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

static void allow_the_end(struct race *r)
{
	pthread_mutex_lock(&r->lock);
	r->may_end = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static struct ratls_endorsements *get_until(struct race *r, int64_t deadline_ms, struct ratls_error *err)
{
	struct platform_id platform = platform_number(0);
	struct ratls_endorsements *e = NULL;

	if (cache_get(r->cache, &platform, NOW, clock_monotonic_ms(), deadline_ms, &e, err) != RATLS_OK)
		assert_null(e);
	ratls_endorsements_free(e);
	return e;
}

static struct ratls_endorsements *get_now(struct race *r, struct ratls_error *err)
{
	return get_until(r, INT64_MAX, err);
}

static void a_slow_refresh_holds_nobody_up(void **state)
{
	struct race r;

	(void)state;
	race_init(&r, &(struct cache_options){.fill = fill_slowly_later});
	assert_ptr_equal(get_now(&r, NULL), early);
	wait_for_fills(&r, 2);
	assert_ptr_equal(get_now(&r, NULL), early); /* would wait for ever */
	allow_the_end(&r);
	race_done(&r);
}

static void a_program_that_ends_soon_waits_for_what_is_due(void **state)
{
	struct race r;

	(void)state;
	race_init(&r, &(struct cache_options){.fill = fill_slowly_later, .refresh_first = true});
	r.may_end = true;
	assert_ptr_equal(get_now(&r, NULL), late);
	assert_int_equal(r.fills, 2);
	race_done(&r);
}

/* Nothing at all until the test allows it, or nobody wants it any more. */
static int fill_never(void *self, const struct platform_id *platform, int64_t at, bool cold,
	struct cache_found *ret, struct ratls_error *err)
{
	struct race *r = self;

	(void)platform, (void)at, (void)cold, (void)ret;
	pthread_mutex_lock(&r->lock);
	r->fills++;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	while (!cache_is_stopping(r->cache))
		sched_yield();
	return err_set(err, RATLS_E_UNAVAILABLE, "nobody waits for it any more");
}

static void waiting_has_an_end_and_so_has_searching(void **state)
{
	struct race r;
	struct ratls_error err = {0};

	(void)state;
	race_init(&r, &(struct cache_options){.fill = fill_never});
	assert_null(get_until(&r, clock_monotonic_ms(), &err));
	assert_non_null(strstr(err.message, "still being searched for"));
	wait_for_fills(&r, 1);
	race_done(&r);
}

/* Like fill_never, but deaf. */
static int fill_deaf(void *self, const struct platform_id *platform, int64_t at, bool cold,
	struct cache_found *ret, struct ratls_error *err)
{
	struct race *r = self;

	(void)platform, (void)at, (void)cold, (void)ret;
	pthread_mutex_lock(&r->lock);
	r->fills++;
	pthread_cond_broadcast(&r->changed);
	while (!r->may_end)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
	return err_set(err, RATLS_E_UNAVAILABLE, "nobody is at home");
}

static void *stop_once_it_searches(void *arg)
{
	struct race *r = arg;

	wait_for_fills(r, 1);
	cache_stop(r->cache);
	return NULL;
}

/* Who waits would do so for ever. */
static void who_waits_is_told_that_the_program_ends(void **state)
{
	struct ratls_error err = {0};
	pthread_t stopper;
	struct race r;

	(void)state;
	race_init(&r, &(struct cache_options){.fill = fill_deaf});
	assert_int_equal(pthread_create(&stopper, NULL, stop_once_it_searches, &r), 0);
	assert_null(get_now(&r, &err));
	assert_non_null(strstr(err.message, "this program ends"));
	pthread_join(stopper, NULL);
	allow_the_end(&r);
	race_done(&r);
}

static void *get_in_a_thread(void *arg)
{
	get_now(arg, NULL);
	return NULL;
}

/* Who does not want to wait learns that there is a search, and adds none to it. */
static void a_look_adds_no_search_to_the_one_under_way(void **state)
{
	struct platform_id platform = platform_number(0);
	struct ratls_endorsements *e = NULL;
	pthread_t waiter;
	struct race r;
	bool asked;

	(void)state;
	race_init(&r, &(struct cache_options){.fill = fill_deaf});
	assert_int_equal(pthread_create(&waiter, NULL, get_in_a_thread, &r), 0);
	wait_for_fills(&r, 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(cache_ask(r.cache, &platform, NOW, clock_monotonic_ms(), &asked, &e, NULL),
			RATLS_E_UNAVAILABLE);
		assert_true(asked);
	}
	allow_the_end(&r);
	pthread_join(waiter, NULL);
	assert_int_equal(cache_ask(r.cache, &platform, NOW, clock_monotonic_ms(), &asked, &e, NULL),
		RATLS_E_UNAVAILABLE);
	assert_false(asked); /* it failed just now */
	race_done(&r);
	assert_int_equal(r.fills, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_fetched_is_used_until_it_ends),
		cmocka_unit_test(platforms_are_told_apart),
		cmocka_unit_test(it_is_refreshed_early_and_in_the_background),
		cmocka_unit_test(what_ends_soon_is_refreshed_sooner),
		cmocka_unit_test(what_is_old_is_given_and_refreshed_at_once),
		cmocka_unit_test(a_failing_refresh_keeps_what_holds_and_says_so),
		cmocka_unit_test(a_place_that_lags_takes_nothing_away),
		cmocka_unit_test(what_has_ended_is_given_and_soon_asked_for_again),
		cmocka_unit_test(a_failure_is_passed_on_and_not_repeated_at_once),
		cmocka_unit_test(strangers_are_asked_for_ever_more_seldom),
		cmocka_unit_test(strangers_drive_nobody_out),
		cmocka_unit_test(what_waits_is_bounded),
		cmocka_unit_test(many_threads_cause_one_search),
		cmocka_unit_test(all_who_wait_learn_of_a_failure),
		cmocka_unit_test(a_slow_refresh_holds_nobody_up),
		cmocka_unit_test(a_program_that_ends_soon_waits_for_what_is_due),
		cmocka_unit_test(waiting_has_an_end_and_so_has_searching),
		cmocka_unit_test(who_waits_is_told_that_the_program_ends),
		cmocka_unit_test(a_look_adds_no_search_to_the_one_under_way),
	};

	return cmocka_run_group_tests(tests, make_endorsements, free_endorsements);
}
