/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/hex.h"
#include "simulator/keccak.h"

static void check(const char *text, const char *expected)
{
	struct cur part = cur_of(text, strlen(text));
	uint8_t digest[KECCAK256_SIZE];
	char hex[2 * KECCAK256_SIZE + 1];

	keccak256(&part, 1, digest);
	hex_encode(digest, sizeof(digest), hex);
	assert_string_equal(hex, expected);
}

static void known_digests(void **state)
{
	(void)state;
	check("", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	check("abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
	/* dstack's REPORTDATA with keccak256: "app-data" ":" content. */
	check("app-data:hello", "8ed51239a438104e85ca8d86fa87fbc67c21d00b124c0ff7eceee34309f5f362");
}

/* Splitting the input changes nothing, also across the rate of 136 bytes. */
static void parts_are_one_input(void **state)
{
	uint8_t bytes[300], whole[KECCAK256_SIZE], split[KECCAK256_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	for (size_t n = 130; n < 280; n++) {
		struct cur one = cur_of(bytes, n);
		struct cur two[] = {cur_of(bytes, n / 2), cur_of(bytes + n / 2, n - n / 2)};

		keccak256(&one, 1, whole);
		keccak256(two, 2, split);
		assert_memory_equal(whole, split, sizeof(whole));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_digests),
		cmocka_unit_test(parts_are_one_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
