/* SPDX-License-Identifier: Apache-2.0
 *
 * Which channels of a loop keep their record buffers: those in use last, and none that is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/conn.h"

#define ENDS (2 * WARM_CHANNELS)

static struct worker worker;
static struct conn conns[ENDS];

static size_t n_rested;

void __wrap_channel_rest(struct channel *c);

/* In the order in which they were in use. */
void __wrap_channel_rest(struct channel *c)
{
	assert_true(n_rested < ENDS && c == conns[n_rested].back.channel);
	n_rested++;
}

static int make(void **state)
{
	const struct channel_context_options options = {.role = CHANNEL_CLIENT};
	struct channel_context *context;

	(void)state;
	worker = (struct worker){0};
	assert_int_equal(channel_context_new(&options, &context, NULL), RATLS_OK);
	for (size_t i = 0; i < ENDS; i++) {
		conns[i] = (struct conn){.worker = &worker};
		conns[i].back.sock.owner = &conns[i];
		assert_int_equal(channel_new(context, NULL, &conns[i].back.channel, NULL), RATLS_OK);
	}
	channel_context_free(context);
	return 0;
}

static void expect_warm(size_t from, size_t to)
{
	size_t n = 0;

	for (size_t i = 0; i < ENDS; i++) {
		const struct end *e = &conns[i].back;

		assert_int_equal(e->warm != NULL, i >= from && i < to);
		assert_true(e->warm == NULL || *e->warm == e);
	}
	for (size_t i = 0; i < WARM_CHANNELS; i++)
		n += worker.warm[i] != NULL;
	assert_int_equal(n, to - from);
}

static void those_in_use_last_are_warm_and_none_that_is_gone(void **state)
{
	(void)state;
	for (size_t i = 0; i < WARM_CHANNELS; i++)
		end_warm(&conns[i].back);
	end_warm(&conns[0].back); /* it is already, and takes no other's place */
	expect_warm(0, WARM_CHANNELS);
	assert_int_equal(n_rested, 0);
	for (size_t i = WARM_CHANNELS; i < ENDS; i++)
		end_warm(&conns[i].back);
	expect_warm(WARM_CHANNELS, ENDS);
	assert_int_equal(n_rested, WARM_CHANNELS);
	for (size_t i = 0; i < ENDS; i++)
		end_done(&conns[i].back);
	for (size_t i = 0; i < WARM_CHANNELS; i++)
		assert_null(worker.warm[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(those_in_use_last_are_warm_and_none_that_is_gone, make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
