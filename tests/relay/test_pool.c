/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs that wait for others, and jobs that do not, at the threads of one pool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <semaphore.h>

#include "relay/loop.h"
#include "relay/pool.h"

#define THREADS 2
#define QUEUE   3
#define JOBS    (2 * (THREADS + QUEUE))

static struct loop *loop;
static struct pool *pool;
static sem_t begun, go_on, ran;
static struct pool_job jobs[JOBS + 1];
static unsigned home, expected;

static void waits(struct pool_job *j)
{
	(void)j;
	sem_post(&begun);
	sem_wait(&go_on);
}

static void runs(struct pool_job *j)
{
	(void)j;
	sem_post(&ran);
}

static void comes_home(struct pool_job *j)
{
	(void)j;
	if (++home == expected)
		loop_stop(loop);
}

static bool submit(unsigned i, void (*run)(struct pool_job *j), bool job_waits)
{
	jobs[i] = (struct pool_job){.run = run, .done = comes_home, .home = loop, .waits = job_waits};
	return pool_submit(pool, &jobs[i]);
}

static int setup(void **state)
{
	char choice[160];

	(void)state;
	sem_init(&begun, 0, 0);
	sem_init(&go_on, 0, 0);
	sem_init(&ran, 0, 0);
	home = expected = 0;
	if (loop_new(LOOP_IO_EPOLL, &loop, choice, NULL) != RATLS_OK)
		return -1;
	return pool_new(THREADS, QUEUE, &pool, NULL);
}

static int teardown(void **state)
{
	(void)state;
	loop_free(loop);
	sem_destroy(&begun);
	sem_destroy(&go_on);
	sem_destroy(&ran);
	return 0;
}

static void finish(unsigned n)
{
	expected = n;
	if (home < n)
		loop_run(loop);
	assert_int_equal(home, n);
	pool_free(pool);
}

/* All threads for those that wait are taken, and more are queued: who does not wait runs. */
static void those_that_wait_hold_up_no_others(void **state)
{
	unsigned n = 0;

	(void)state;
	for (; n < THREADS + QUEUE; n++) {
		assert_true(submit(n, waits, true));
		if (n < THREADS)
			sem_wait(&begun);
	}
	assert_false(submit(JOBS, waits, true)); /* invariant bounded_by_configuration */
	for (; n < JOBS; n++) {
		assert_true(submit(n, runs, false));
		sem_wait(&ran);
	}
	for (unsigned i = 0; i < THREADS + QUEUE; i++)
		sem_post(&go_on);
	finish(JOBS);
}

/* Nor the other way round; and each queue has its own end. */
static void those_that_do_not_wait_have_their_own_bound(void **state)
{
	unsigned n = 0;

	(void)state;
	for (; n < THREADS + QUEUE; n++) {
		assert_true(submit(n, waits, false));
		if (n < THREADS)
			sem_wait(&begun);
	}
	assert_false(submit(JOBS, runs, false));
	assert_true(submit(n++, runs, true));
	sem_wait(&ran);
	for (unsigned i = 0; i < THREADS + QUEUE; i++)
		sem_post(&go_on);
	finish(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(those_that_wait_hold_up_no_others, setup, teardown),
		cmocka_unit_test_setup_teardown(those_that_do_not_wait_have_their_own_bound, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
