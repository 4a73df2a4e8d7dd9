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
	uint8_t digest[64];
	char hex[2 * sizeof(digest) + 1];

	keccak(strlen(expected) / 2, &part, 1, digest);
	hex_encode(digest, strlen(expected) / 2, hex);
	assert_string_equal(hex, expected);
}

static void known_digests(void **state)
{
	(void)state;
	check("", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	check("abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
	check("", "2c23146a63a29acf99e73b88f8c24eaa7dc60aa771780ccc006afbfa8fe2479b2dd2b21362337441ac12b515911957ff");
	check("", "0eab42de4c3ceb9235fc91acffe746b29c29a8c366b7c60e4e67c466f36a4304"
		  "c00fa9caf9d87976ba469bcbe06713b435f091ef2769fb160cdab33d3670680e");
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
