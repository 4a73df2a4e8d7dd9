/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "simulator/forge.h"
#include "source/cache.h"

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

/* A place that gives these endorsements, or says no. */
struct place {
	struct ratls_endorsements *gives; /* NULL: says no */
	atomic_int asked;
};

static int ask(void *self, const struct platform_id *platform, int64_t at, struct ratls_endorsements **ret,
	struct ratls_error *err)
{
	struct place *p = self;

	(void)platform, (void)at;
	p->asked++;
	if (p->gives == NULL)
		return err_reason(err, RATLS_E_UNAVAILABLE, 4711, "nobody is at home");
	*ret = endorsements_ref(p->gives);
	return RATLS_OK;
}

static struct platform_id platform_number(uint8_t n)
{
	return (struct platform_id){.fmspc = {n}, .ca = "platform"};
}

/* What the cache gives platform 1 then; NULL if it fails. The reference is dropped: the places hold one. */
static struct ratls_endorsements *get(struct cache *c, int64_t at, int64_t now_ms)
{
	struct platform_id platform = platform_number(1);
	struct ratls_endorsements *e = NULL;

	if (cache_get(c, &platform, at, now_ms, &e, NULL) != RATLS_OK)
		assert_null(e);
	ratls_endorsements_free(e);
	return e;
}

static struct cache *new_cache(struct place *p)
{
	struct cache *c = NULL;

	assert_int_equal(cache_new(ask, p, &c, NULL), RATLS_OK);
	return c;
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
	cache_free(c);
}

static void platforms_are_told_apart(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);
	struct platform_id platform = platform_number(1);
	struct ratls_endorsements *e = NULL;

	(void)state;
	get(c, NOW, 0);
	platform.ca = "processor";
	assert_int_equal(cache_get(c, &platform, NOW, 0, &e, NULL), RATLS_OK);
	ratls_endorsements_free(e);
	assert_int_equal(p.asked, 2);
	/* What else the certificate says does not make another platform. */
	platform = platform_number(1);
	platform.ppid[0] = 9;
	assert_int_equal(cache_get(c, &platform, NOW, 0, &e, NULL), RATLS_OK);
	ratls_endorsements_free(e);
	assert_int_equal(p.asked, 2);
	cache_free(c);
}

static void after_a_day_it_is_asked_for_anew(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);

	(void)state;
	get(c, NOW, 0);
	p.gives = late;
	assert_ptr_equal(get(c, NOW, CACHE_REFRESH_MS - 1), early);
	assert_ptr_equal(get(c, NOW, CACHE_REFRESH_MS), late);
	assert_int_equal(p.asked, 2);
	cache_free(c);
}

static void a_failing_refresh_keeps_what_holds(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);
	int64_t end = endorsements_valid_until(early);

	(void)state;
	get(c, NOW, 0);
	p.gives = NULL;
	assert_ptr_equal(get(c, NOW, CACHE_REFRESH_MS), early);
	assert_ptr_equal(get(c, NOW, CACHE_REFRESH_MS + CACHE_RETRY_MS - 1), early);
	assert_int_equal(p.asked, 2);
	assert_ptr_equal(get(c, NOW, CACHE_REFRESH_MS + CACHE_RETRY_MS), early);
	assert_int_equal(p.asked, 3);
	/* But not past its end. */
	assert_null(get(c, end + 1, CACHE_REFRESH_MS + CACHE_RETRY_MS + 1));
	cache_free(c);
}

static void a_place_that_lags_takes_nothing_away(void **state)
{
	struct place p = {.gives = late};
	struct cache *c = new_cache(&p);
	int64_t after_early = endorsements_valid_until(early) + 1;

	(void)state;
	get(c, after_early, 0);
	p.gives = early;
	assert_ptr_equal(get(c, after_early, CACHE_REFRESH_MS), late);
	cache_free(c);
}

/* What is wrong with outdated endorsements is for appraisal to say; they are asked for anew each time. */
static void what_has_ended_is_given_but_not_kept(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);
	int64_t after = endorsements_valid_until(early) + 1;

	(void)state;
	assert_ptr_equal(get(c, after, 0), early);
	assert_ptr_equal(get(c, after, 0), early);
	assert_int_equal(p.asked, 2);
	cache_free(c);
}

static void a_failure_is_passed_on_and_not_kept(void **state)
{
	struct place p = {.gives = NULL};
	struct cache *c = new_cache(&p);
	struct platform_id platform = platform_number(1);
	struct ratls_endorsements *e = NULL;
	struct ratls_error err = {0};

	(void)state;
	assert_int_equal(cache_get(c, &platform, NOW, 0, &e, &err), RATLS_E_UNAVAILABLE);
	assert_null(e);
	assert_string_equal(err.message, "nobody is at home");
	assert_int_equal(err.reason, 4711);
	p.gives = early;
	assert_ptr_equal(get(c, NOW, 0), early);
	cache_free(c);
}

static void the_platform_longest_out_of_use_makes_room(void **state)
{
	struct place p = {.gives = early};
	struct cache *c = new_cache(&p);
	struct ratls_endorsements *e = NULL;

	(void)state;
	for (int i = 1; i <= CACHE_PLATFORMS_MAX; i++) {
		struct platform_id platform = platform_number((uint8_t)i);

		assert_int_equal(cache_get(c, &platform, NOW, 0, &e, NULL), RATLS_OK);
		ratls_endorsements_free(e);
	}
	get(c, NOW, 0);
	assert_int_equal(p.asked, CACHE_PLATFORMS_MAX);
	for (int i = 0; i < 2; i++) { /* a new one takes the place of platform 2, not of 1 */
		struct platform_id platform = platform_number(200);

		assert_int_equal(cache_get(c, &platform, NOW, 0, &e, NULL), RATLS_OK);
		ratls_endorsements_free(e);
	}
	get(c, NOW, 0);
	assert_int_equal(p.asked, CACHE_PLATFORMS_MAX + 1);
	cache_free(c);
}

/* ---- between threads ---- */

#define THREADS 8

struct race {
	struct cache *cache;
	struct ratls_endorsements *gives;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int started, in_fill, fills, good, failed;
	bool may_end;
};

static void race_init(struct race *r, cache_fill_fn fill)
{
	memset(r, 0, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	assert_int_equal(cache_new(fill, r, &r->cache, NULL), RATLS_OK);
}

static void race_done(struct race *r)
{
	cache_free(r->cache);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
}

/* Ends once every thread has set out to ask. */
static int fill_when_all_started(void *self, const struct platform_id *platform, int64_t at,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct race *r = self;

	(void)platform, (void)at;
	pthread_mutex_lock(&r->lock);
	r->fills++;
	while (r->started < THREADS)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
	if (r->gives == NULL)
		return err_set(err, RATLS_E_UNAVAILABLE, "nobody is at home");
	*ret = endorsements_ref(r->gives);
	return RATLS_OK;
}

static void *ask_once(void *arg)
{
	struct race *r = arg;
	struct platform_id platform = platform_number(1);
	struct ratls_endorsements *e = NULL;
	struct ratls_error err = {0};
	int rc;

	pthread_mutex_lock(&r->lock);
	r->started++;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	rc = cache_get(r->cache, &platform, NOW, 0, &e, &err);
	pthread_mutex_lock(&r->lock);
	if (rc == RATLS_OK && e == r->gives)
		r->good++;
	else if (rc == RATLS_E_UNAVAILABLE && e == NULL && strcmp(err.message, "nobody is at home") == 0)
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

static void many_threads_cause_one_fetch(void **state)
{
	struct race r;

	(void)state;
	race_init(&r, fill_when_all_started);
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
	race_init(&r, fill_when_all_started);
	run_threads(&r);
	assert_int_equal(r.failed, THREADS);
	/* Nothing of it stays behind. */
	r.gives = early;
	run_threads(&r);
	assert_int_equal(r.good, THREADS);
	race_done(&r);
}

/* The first time at once; then only after the test has been served meanwhile. */
static int fill_slowly_later(void *self, const struct platform_id *platform, int64_t at,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct race *r = self;

	(void)platform, (void)at, (void)err;
	pthread_mutex_lock(&r->lock);
	r->fills++;
	r->in_fill++;
	pthread_cond_broadcast(&r->changed);
	while (r->fills > 1 && !r->may_end)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
	*ret = endorsements_ref(late);
	return RATLS_OK;
}

static void *ask_after_a_day(void *arg)
{
	struct race *r = arg;

	return get(r->cache, NOW, CACHE_REFRESH_MS);
}

static void a_slow_refresh_holds_nobody_up(void **state)
{
	struct race r;
	pthread_t thread;
	void *got;

	(void)state;
	race_init(&r, fill_slowly_later);
	assert_ptr_equal(get(r.cache, NOW, 0), late);
	assert_int_equal(pthread_create(&thread, NULL, ask_after_a_day, &r), 0);
	pthread_mutex_lock(&r.lock);
	while (r.in_fill < 2)
		pthread_cond_wait(&r.changed, &r.lock);
	pthread_mutex_unlock(&r.lock);
	assert_ptr_equal(get(r.cache, NOW, CACHE_REFRESH_MS), late); /* would wait for ever */
	pthread_mutex_lock(&r.lock);
	r.may_end = true;
	pthread_cond_broadcast(&r.changed);
	pthread_mutex_unlock(&r.lock);
	pthread_join(thread, &got);
	assert_ptr_equal(got, late);
	assert_int_equal(r.fills, 2);
	race_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_fetched_is_used_until_it_ends),
		cmocka_unit_test(platforms_are_told_apart),
		cmocka_unit_test(after_a_day_it_is_asked_for_anew),
		cmocka_unit_test(a_failing_refresh_keeps_what_holds),
		cmocka_unit_test(a_place_that_lags_takes_nothing_away),
		cmocka_unit_test(what_has_ended_is_given_but_not_kept),
		cmocka_unit_test(a_failure_is_passed_on_and_not_kept),
		cmocka_unit_test(the_platform_longest_out_of_use_makes_room),
		cmocka_unit_test(many_threads_cause_one_fetch),
		cmocka_unit_test(all_who_wait_learn_of_a_failure),
		cmocka_unit_test(a_slow_refresh_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, make_endorsements, free_endorsements);
}
