/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose decision is shared with whom. That a crowd is decided once is in test_relying_party.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "tls/flights.h"

static const uint8_t peer_a[HASH_SHA256_SIZE] = {0xaa}, peer_b[HASH_SHA256_SIZE] = {[31] = 0xbb};

/* Who joins what is not his waits for ever: the alarm ends it. */
static void a_decision_is_of_one_peer_under_one_policy(void **state)
{
	const struct verdict refusal = {0};
	struct flights *f = flights_new();
	struct verdict v;

	(void)state;
	alarm(60);
	assert_false(flights_join(f, peer_a, 1, &v));
	assert_false(flights_join(f, peer_b, 1, &v));
	assert_false(flights_join(f, peer_a, 2, &v));
	flights_land(f, peer_a, 2, &refusal);
	flights_land(f, peer_a, 1, &refusal);
	assert_false(flights_join(f, peer_a, 1, &v)); /* it has landed: the next is a new one */
	flights_land(f, peer_a, 1, &refusal);
	flights_land(f, peer_b, 1, &refusal);
	flights_free(f);
	alarm(0);
}

struct joiner {
	struct flights *flights;
	bool joined;
	struct verdict verdict;
};

static void *join(void *arg)
{
	struct joiner *j = arg;

	j->joined = flights_join(j->flights, peer_a, 1, &j->verdict);
	if (!j->joined)
		flights_land(j->flights, peer_a, 1, &(struct verdict){0});
	return NULL;
}

/* A peer that is accepted meanwhile lends its verdict to no other. Again, should the joiner have come too late. */
static void who_waits_hears_of_his_own_peer(void **state)
{
	const struct verdict acceptance = {.accepted = true, .attested = true}, refusal = {.reason = 7};
	struct joiner j = {.flights = flights_new()};
	struct verdict v;
	pthread_t thread;

	(void)state;
	alarm(60);
	while (!j.joined) {
		assert_false(flights_join(j.flights, peer_a, 1, &v));
		assert_false(flights_join(j.flights, peer_b, 1, &v));
		assert_int_equal(pthread_create(&thread, NULL, join, &j), 0);
		usleep(1000);
		flights_land(j.flights, peer_b, 1, &acceptance);
		flights_land(j.flights, peer_a, 1, &refusal);
		pthread_join(thread, NULL);
	}
	assert_false(j.verdict.accepted);
	assert_int_equal(j.verdict.reason, 7);
	flights_free(j.flights);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_decision_is_of_one_peer_under_one_policy),
		cmocka_unit_test(who_waits_hears_of_his_own_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
