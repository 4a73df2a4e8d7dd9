/* SPDX-License-Identifier: Apache-2.0
 *
 * However many names strangers make up, few questions are asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "base/err.h"
#include "base/reason.h"
#include "source/named.h"

#define CROWD       32
#define DEADLINE_MS INT64_MAX

static atomic_int asked;
static int result; /* of every question */
static sem_t begun, go_on;
static bool slow;

static int ask(void *self, const struct pck_name *name, const struct cur *qeid, int64_t deadline_ms,
	struct buf *ret_chain, struct ratls_error *err)
{
	(void)self;
	(void)qeid;
	assert_int_equal(deadline_ms, DEADLINE_MS);
	asked++;
	if (slow) {
		sem_post(&begun);
		sem_wait(&go_on);
	}
	if (result != RATLS_OK)
		return err_set(err, result, "nobody knows it");
	buf_bytes(ret_chain, name->ppid.p, name->ppid.left);
	return RATLS_OK;
}

static int setup(void **state)
{
	asked = 0;
	result = RATLS_OK;
	slow = false;
	sem_init(&begun, 0, 0);
	sem_init(&go_on, 0, 0);
	return named_new(ask, NULL, (struct named **)state, NULL);
}

static int teardown(void **state)
{
	named_free(*state);
	sem_destroy(&begun);
	sem_destroy(&go_on);
	return 0;
}

static const uint8_t zeros[16];

static struct pck_name name_of(const uint32_t *number)
{
	return (struct pck_name){.ppid = cur_of(number, sizeof(*number)),
		.encrypted = true,
		.cpusvn = cur_of(zeros, 16),
		.pcesvn = cur_of(zeros, 2),
		.pceid = cur_of(zeros, 2)};
}

static bool knows(struct named *n, uint32_t number, int64_t now_ms)
{
	struct pck_name name = name_of(&number);
	struct buf chain = {0};
	bool waits;
	int rc = named_recall(n, &name, now_ms, &waits, &chain, NULL);

	assert_true(!waits || rc == RATLS_E_UNAVAILABLE);
	assert_int_equal(rc == RATLS_OK, chain.len > 0);
	buf_done(&chain);
	return !waits;
}

static int get_until(
	struct named *n, uint32_t number, int64_t now_ms, int64_t deadline_ms, struct ratls_error *err)
{
	struct pck_name name = name_of(&number);
	struct cur qeid = cur_of(zeros, 16);
	struct buf chain = {0};
	int rc = named_get(n, &name, &qeid, now_ms, deadline_ms, &chain, err);

	if (rc == RATLS_OK) {
		assert_int_equal(chain.len, sizeof(number));
		assert_memory_equal(chain.p, &number, sizeof(number));
	}
	buf_done(&chain);
	return rc;
}

static int get(struct named *n, uint32_t number, int64_t now_ms, struct ratls_error *err)
{
	return get_until(n, number, now_ms, DEADLINE_MS, err);
}

static void a_name_is_asked_for_once_a_day(void **state)
{
	assert_false(knows(*state, 1, 0));
	for (int64_t now_ms = 0; now_ms < NAMED_KEEP_MS; now_ms += NAMED_KEEP_MS / 4)
		assert_int_equal(get(*state, 1, now_ms, NULL), RATLS_OK);
	assert_int_equal(asked, 1);
	assert_true(knows(*state, 1, NAMED_KEEP_MS - 1));
	assert_false(knows(*state, 1, NAMED_KEEP_MS));
	assert_false(knows(*state, 2, 0));
	assert_int_equal(get(*state, 1, NAMED_KEEP_MS, NULL), RATLS_OK);
	assert_int_equal(asked, 2);
}

static void what_nobody_knows_is_not_asked_again_at_once(void **state)
{
	struct ratls_error err = {0};

	result = RATLS_E_UNAVAILABLE;
	assert_int_equal(get(*state, 1, 0, &err), RATLS_E_UNAVAILABLE);
	assert_string_equal(err.message, "nobody knows it");
	assert_int_equal(get(*state, 1, NAMED_FAILED_MS - 1, &err), RATLS_E_UNAVAILABLE);
	assert_string_equal(err.message, "nobody knows it (not asked again for 1 s)");
	assert_int_equal(asked, 1);
	assert_true(knows(*state, 1, NAMED_FAILED_MS - 1)); /* that it is not there */
	assert_false(knows(*state, 1, NAMED_FAILED_MS));
	result = RATLS_OK;
	assert_int_equal(get(*state, 1, NAMED_FAILED_MS, NULL), RATLS_OK);
	assert_int_equal(asked, 2);
}

/* Invariant bounded_by_configuration. */
static void strangers_cause_few_questions(void **state)
{
	struct ratls_error err = {0};
	int refused = 0;

	assert_int_equal(get(*state, 0, 0, NULL), RATLS_OK);
	for (uint32_t i = 1; i < 1000; i++)
		refused += get(*state, i, 0, &err) == RATLS_E_UNAVAILABLE;
	assert_int_equal(asked, NAMED_PER_MINUTE);
	assert_true(knows(*state, 1000, 0)); /* that it is not asked for */
	assert_int_equal(refused, 1000 - NAMED_PER_MINUTE);
	assert_non_null(strstr(err.message, "too many machines"));
	assert_int_equal(get(*state, 5000, 60000, NULL), RATLS_OK); /* the next minute */
}

/* Nor do they cost others what those had: the names that nobody knows are given up first, and none for one that is not
 * asked for. */
static void strangers_drive_nobody_out(void **state)
{
	int64_t now_ms = 0;

	assert_int_equal(get(*state, 0, now_ms, NULL), RATLS_OK);
	result = RATLS_E_UNAVAILABLE;
	for (uint32_t i = 1; i < 4 * NAMED_MAX; i++) {
		if (i % (NAMED_PER_MINUTE / 2) == 0)
			now_ms += 60000;
		assert_int_equal(get(*state, i, now_ms, NULL), RATLS_E_UNAVAILABLE);
	}
	assert_true(knows(*state, 0, now_ms));
	assert_int_equal(get(*state, 0, now_ms, NULL), RATLS_OK);
	for (uint32_t i = 1000; i < 2000; i++)
		(void)get(*state, i, now_ms, NULL);
	assert_int_equal(get(*state, 0, now_ms, NULL), RATLS_OK);
}

/* Certificates hold for years: that a newer one cannot be had takes nothing away. */
static void what_was_had_outlasts_a_failure(void **state)
{
	assert_int_equal(get(*state, 0, 0, NULL), RATLS_OK);
	result = RATLS_E_UNAVAILABLE;
	assert_false(knows(*state, 0, NAMED_KEEP_MS));
	assert_int_equal(get(*state, 0, NAMED_KEEP_MS, NULL), RATLS_OK);
	assert_int_equal(asked, 2);
	assert_int_equal(get(*state, 0, NAMED_KEEP_MS + NAMED_FAILED_MS - 1, NULL), RATLS_OK);
	assert_int_equal(asked, 2);
	for (uint32_t i = 1; i < 100; i++)
		(void)get(*state, i, NAMED_KEEP_MS + NAMED_FAILED_MS, NULL);
	asked = 0;
	assert_true(knows(*state, 0, NAMED_KEEP_MS + NAMED_FAILED_MS));
	assert_int_equal(get(*state, 0, NAMED_KEEP_MS + NAMED_FAILED_MS, NULL), RATLS_OK);
	assert_int_equal(asked, 0);
}

static void *get_slowly(void *state)
{
	return (void *)(intptr_t)get(state, 7, 0, NULL);
}

static void a_crowd_causes_one_question(void **state)
{
	pthread_t crowd[CROWD];
	void *rc;

	slow = true;
	for (size_t i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&crowd[i], NULL, get_slowly, *state), 0);
	sem_wait(&begun);
	sem_post(&go_on);
	for (size_t i = 0; i < CROWD; i++) {
		pthread_join(crowd[i], &rc);
		assert_null(rc);
	}
	assert_int_equal(asked, 1);
}

static void *get_another(void *state)
{
	return (void *)(intptr_t)get(state, 8, 0, NULL);
}

/* Who asks for others waits for the service; who finds two waiting is told so at once. */
static void few_wait_at_a_time(void **state)
{
	pthread_t one, another;
	struct ratls_error err = {0};

	slow = true;
	pthread_create(&one, NULL, get_slowly, *state);
	pthread_create(&another, NULL, get_another, *state);
	sem_wait(&begun);
	sem_wait(&begun);
	assert_int_equal(get(*state, 9, 0, &err), RATLS_E_UNAVAILABLE);
	assert_non_null(strstr(err.message, "too many machines"));
	sem_post(&go_on);
	sem_post(&go_on);
	pthread_join(one, NULL);
	pthread_join(another, NULL);
	slow = false;
	assert_int_equal(get(*state, 9, 0, NULL), RATLS_OK); /* it was not held against it */
}

/* Whom another's question keeps waiting has a time of his own, and learns that the program ends. */
static void who_waits_for_another_does_not_wait_for_ever(void **state)
{
	struct ratls_error err = {0};
	pthread_t asker;

	slow = true;
	pthread_create(&asker, NULL, get_slowly, *state);
	sem_wait(&begun);
	assert_int_equal(get_until(*state, 7, 0, 1, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_COLLATERAL_UNAVAILABLE);
	assert_non_null(strstr(err.message, "still being asked for"));
	named_stop(*state);
	assert_int_equal(get(*state, 7, 0, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_COLLATERAL_UNAVAILABLE);
	assert_non_null(strstr(err.message, "this program ends"));
	sem_post(&go_on);
	pthread_join(asker, NULL);
	assert_int_equal(get(*state, 7, 0, NULL), RATLS_OK); /* what there is is given all the same */
	assert_int_equal(asked, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_is_asked_for_once_a_day, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_knows_is_not_asked_again_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(strangers_cause_few_questions, setup, teardown),
		cmocka_unit_test_setup_teardown(strangers_drive_nobody_out, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_had_outlasts_a_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(a_crowd_causes_one_question, setup, teardown),
		cmocka_unit_test_setup_teardown(few_wait_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(who_waits_for_another_does_not_wait_for_ever, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
