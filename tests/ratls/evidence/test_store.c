/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evidence/store.h"

static void what_was_measured_fits_and_no_more(void **state)
{
	_Alignas(STORE_ALIGN) uint8_t room[64];
	struct store measure = {0}, store;
	struct cur copy, text = cur_of("twelve bytes", 12);

	(void)state;
	assert_null(store_take(&measure, 1));
	copy = store_copy(&measure, text);
	assert_ptr_equal(copy.p, text.p);
	assert_int_equal(measure.used, 24);

	store = (struct store){.p = room, .size = measure.used};
	assert_ptr_equal(store_take(&store, 1), room);
	copy = store_copy(&store, text);
	assert_ptr_equal(copy.p, room + 8);
	assert_true(cur_eq(&copy, &text));
	assert_null(store_take(&store, 1));
	assert_null(store_take(&store, 1));
}

static void a_measured_log_has_a_length_and_no_rows(void **state)
{
	struct store measure = {0};
	struct event e = {0};
	struct eventlog log = store_log(&measure, 3);

	(void)state;
	assert_int_equal(log.n, 3);
	assert_null(log.events);
	assert_int_equal(measure.used, 3 * sizeof(struct event));
	store_event(&log, 2, &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_measured_fits_and_no_more),
		cmocka_unit_test(a_measured_log_has_a_length_and_no_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
