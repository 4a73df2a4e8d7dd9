/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/reason.h"
#include "source/backoff.h"
#include "source/pause.h"

static int64_t length_of(struct backoff *b, int64_t at_ms)
{
	int64_t ms = 0;

	while (backoff_check(b, at_ms + ms, NULL) != RATLS_OK)
		ms += 500;
	return ms;
}

static void pauses_grow_and_are_bounded(void **state)
{
	const struct ratls_error why = {
		.code = RATLS_E_UNAVAILABLE, .reason = REASON_ITA_RATE, .message = "no"};
	struct backoff b;
	int64_t now = 1000;

	(void)state;
	backoff_init(&b, PAUSE_MAX_MS);
	assert_int_equal(backoff_check(&b, now, NULL), RATLS_OK);
	for (int i = 0; i < 5; i++)
		backoff_note(&b, now, &why, 0); /* together: one failure */
	assert_in_range(length_of(&b, now), 1, PAUSE_FIRST_MS);
	backoff_note(&b, now, &why, 30000);
	assert_in_range(length_of(&b, now), 30000, 30000 + PAUSE_FIRST_MS);
	backoff_note(&b, now, &why, 1000);
	assert_in_range(length_of(&b, now), 30000, 30000 + PAUSE_FIRST_MS);
	for (int i = 0; i < 20; i++) {
		now += PAUSE_MAX_MS;
		backoff_note(&b, now, &why, 0);
	}
	assert_in_range(length_of(&b, now), PAUSE_MAX_MS / 2, PAUSE_MAX_MS);
	now += PAUSE_MAX_MS;
	backoff_note(&b, now, &why, 3600000);
	assert_int_equal(length_of(&b, now), PAUSE_MAX_MS);
	now += PAUSE_MAX_MS;
	backoff_note(&b, now, NULL, 0);
	backoff_note(&b, now, &why, 0);
	assert_in_range(length_of(&b, now), 1, PAUSE_FIRST_MS);
	backoff_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow_and_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
