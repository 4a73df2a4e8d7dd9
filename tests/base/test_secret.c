/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/secret.h"

static void equality_is_that_of_all_bytes(void **state)
{
	uint8_t a[64], b[64];

	(void)state;
	memset(a, 0x5a, sizeof(a));
	memset(b, 0x5a, sizeof(b));
	assert_true(secret_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < 8 * sizeof(a); i++) {
		b[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(secret_equal(a, b, sizeof(a)));
		b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_true(secret_equal(a, b, 0));
}

static void wiping_leaves_zeros(void **state)
{
	uint8_t a[33], zeros[32] = {0};

	(void)state;
	memset(a, 0x5a, sizeof(a));
	secret_wipe(a, 32);
	assert_memory_equal(a, zeros, 32);
	assert_int_equal(a[32], 0x5a);
}

static void no_core_is_dumped(void **state)
{
	struct rlimit core;

	(void)state;
	assert_int_equal(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
	secret_forbid_core_dumps();
	assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
	assert_int_equal(core.rlim_cur, 0);
	assert_int_equal(core.rlim_max, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality_is_that_of_all_bytes),
		cmocka_unit_test(wiping_leaves_zeros),
		cmocka_unit_test(no_core_is_dumped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
