/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tls/verdict_cache.h"

struct key {
	uint8_t bytes[HASH_SHA256_SIZE];
};

/* The first two bytes choose the bucket: keys of one kind share one. */
static struct key key_of(uint8_t kind, uint32_t number)
{
	struct key k = {{0}};

	k.bytes[0] = kind;
	memcpy(k.bytes + 4, &number, sizeof(number));
	return k;
}

static void put(struct verdict_cache *c, struct key k, int64_t formed_at, int64_t valid_until)
{
	struct verdict v = {.accepted = true, .attested = true, .valid_until = valid_until};

	verdict_cache_put(c, k.bytes, formed_at, &v);
}

static bool has(struct verdict_cache *c, struct key k, int64_t now)
{
	struct verdict v = {0};

	return verdict_cache_get(c, k.bytes, now, &v) && v.accepted;
}

static void an_entry_holds_from_its_formation_until_its_end(void **state)
{
	struct verdict_cache *c = verdict_cache_new();
	struct key k = key_of(0, 1);

	(void)state;
	put(c, k, 1000, 2000);
	assert_false(has(c, k, 999));
	assert_true(has(c, k, 1000));
	assert_true(has(c, k, 1999));
	assert_false(has(c, k, 2000));
	assert_false(has(c, key_of(0, 2), 1500));
	verdict_cache_free(c);
}

static void a_later_verdict_replaces_the_earlier(void **state)
{
	struct verdict_cache *c = verdict_cache_new();
	struct key k = key_of(0, 1);
	struct verdict refusal = {.valid_until = 9000};

	(void)state;
	put(c, k, 1000, 2000);
	put(c, k, 1500, 3000);
	assert_false(has(c, k, 1200));
	assert_true(has(c, k, 2500));
	verdict_cache_put(c, k.bytes, 1600, &refusal);
	assert_false(has(c, k, 2500));
	verdict_cache_free(c);
}

static void the_oldest_makes_room(void **state)
{
	struct verdict_cache *c = verdict_cache_new();

	(void)state;
	for (uint32_t i = 0; i < RELYING_PARTY_CACHE_MAX; i++)
		put(c, key_of((uint8_t)(i % 3), i), 0, 10);
	assert_true(has(c, key_of(0, 0), 5));
	put(c, key_of(7, 0), 0, 10);
	assert_false(has(c, key_of(0, 0), 5));
	assert_true(has(c, key_of(1, 1), 5));
	/* One that is put again is the newest again. */
	put(c, key_of(1, 1), 0, 10);
	put(c, key_of(7, 1), 0, 10);
	assert_true(has(c, key_of(1, 1), 5));
	assert_false(has(c, key_of(2, 2), 5));
	assert_true(has(c, key_of((RELYING_PARTY_CACHE_MAX - 1) % 3, RELYING_PARTY_CACHE_MAX - 1), 5));
	verdict_cache_free(c);
}

static void clearing_leaves_nothing(void **state)
{
	struct verdict_cache *c = verdict_cache_new();

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		put(c, key_of((uint8_t)i, i), 0, 10);
	verdict_cache_clear(c);
	for (uint32_t i = 0; i < 100; i++)
		assert_false(has(c, key_of((uint8_t)i, i), 5));
	put(c, key_of(0, 0), 0, 10);
	assert_true(has(c, key_of(0, 0), 5));
	verdict_cache_free(c);
	verdict_cache_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_holds_from_its_formation_until_its_end),
		cmocka_unit_test(a_later_verdict_replaces_the_earlier),
		cmocka_unit_test(the_oldest_makes_room),
		cmocka_unit_test(clearing_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
