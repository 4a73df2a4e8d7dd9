/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/clock.h"
#include "base/thread.h"

static void *mask_of(void *arg)
{
	pthread_sigmask(SIG_SETMASK, NULL, arg);
	return NULL;
}

static void a_thread_is_told_no_signals(void **state)
{
	sigset_t ours, own;
	pthread_t thread;

	(void)state;
	assert_int_equal(thread_start(&thread, mask_of, &own, NULL), RATLS_OK);
	pthread_join(thread, NULL);
	assert_true(sigismember(&own, SIGTERM) == 1 && sigismember(&own, SIGHUP) == 1);
	pthread_sigmask(SIG_SETMASK, NULL, &ours);
	assert_true(sigismember(&ours, SIGTERM) == 0 && sigismember(&ours, SIGHUP) == 0);
}

struct door {
	pthread_mutex_t lock;
	pthread_cond_t news;
	bool open;
};

static void *open_door(void *arg)
{
	struct door *d = arg;

	pthread_mutex_lock(&d->lock);
	d->open = true;
	pthread_cond_signal(&d->news);
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

static void a_wait_ends_with_news_or_with_its_time(void **state)
{
	struct door d = {.lock = PTHREAD_MUTEX_INITIALIZER};
	int64_t until = clock_monotonic_ms() + 20;
	pthread_t thread;

	(void)state;
	thread_cond_init(&d.news);
	pthread_mutex_lock(&d.lock);
	while (thread_cond_wait(&d.news, &d.lock, until))
		;
	assert_true(clock_monotonic_ms() >= until);
	assert_false(thread_cond_wait(&d.news, &d.lock, until));
	assert_int_equal(thread_start(&thread, open_door, &d, NULL), RATLS_OK);
	while (!d.open)
		assert_true(thread_cond_wait(&d.news, &d.lock, INT64_MAX));
	pthread_mutex_unlock(&d.lock);
	pthread_join(thread, NULL);
	pthread_cond_destroy(&d.news);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_is_told_no_signals),
		cmocka_unit_test(a_wait_ends_with_news_or_with_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
