/* SPDX-License-Identifier: Apache-2.0
 *
 * Deciding while memory runs out, at each allocation in turn: the linker hands the allocations of our own
 * code to this file (--wrap), jansson and OpenSSL are told to use it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "../source/forged_service.h"
#include "tls/relying_party.h"

#define NOW 1790000000

/* The linker's names for the real ones, and for ours. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static int64_t test_clock(void)
{
	return NOW;
}

static long until_failure = -1; /* allocations that still succeed; -1: all */
static bool failed;

static bool fails(void)
{
	if (until_failure < 0)
		return false;
	if (until_failure > 0) {
		until_failure--;
		return false;
	}
	failed = true; /* and so do all that follow */
	return true;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

static void *openssl_malloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return __wrap_malloc(n);
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return __wrap_realloc(p, n);
}

static void openssl_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

static const uint8_t seed[FORGE_SEED_SIZE] = {10};

struct peer {
	struct forge_machine machine;
	struct forge_chain_made chain;
	struct forged_service service;
};

static void peer_make(struct peer *p, const char *quoted_key)
{
	struct forge_options o;
	struct forge_leaf leaf = {.now = NOW};

	memset(p, 0, sizeof(*p));
	leaf.key = forge_key(seed, "leaf");
	leaf.quoted_key = forge_key(seed, quoted_key);
	forge_defaults(&o, seed, NOW);
	assert_int_equal(forge_machine_make(&o, &p->machine, NULL), RATLS_OK);
	assert_int_equal(forge_machine_certificate(&p->machine, &leaf, &p->chain, NULL), RATLS_OK);
	p->service.machine = &p->machine;
	EVP_PKEY_free(leaf.key);
	EVP_PKEY_free(leaf.quoted_key);
}

static void peer_done(struct peer *p)
{
	forge_chain_done(&p->chain);
	forge_machine_done(&p->machine);
}

/* Decide with a new relying party whose n-th allocation fails; false once n is past the last of them. */
static bool decide(struct peer *p, long n, struct verdict *ret)
{
	struct ratls_source_options o = {
		.size = sizeof(o), .fetch = forged_service_fetch, .fetch_self = &p->service};
	struct relying_party_options options = {.clock = test_clock};
	struct ratls_source *source;
	struct relying_party *rp = NULL;

	o.urls = (const char *const[]){"http://collateral.example.org", NULL};
	o.insecure_trust_root = p->machine.pki.cert[FORGE_ROOT].p;
	o.insecure_trust_root_len = p->machine.pki.cert[FORGE_ROOT].len;
	assert_int_equal(ratls_source_new(&o, &source, NULL), RATLS_OK);
	assert_int_equal(ratls_verifier_new(source, NULL, &options.by, NULL), RATLS_OK);
	assert_int_equal(relying_party_new(&options, NULL, &rp, NULL), RATLS_OK);
	failed = false;
	until_failure = n;
	relying_party_decide(rp, cur_of(p->chain.cert[0].p, p->chain.cert[0].len), ret);
	until_failure = -1;
	relying_party_free(rp);
	ratls_verifier_free(options.by);
	ratls_source_free(source);
	return failed;
}

static void without_memory_nobody_is_accepted_who_must_not_be(void **state)
{
	struct peer p;
	struct verdict v = {0};
	long n = 0;

	(void)state;
	peer_make(&p, "another leaf");
	assert_false(decide(&p, -1, &v)); /* OpenSSL sets itself up once; that is not our matter here */
	for (; decide(&p, n, &v); n += 1 + n / 64)
		assert_false(v.accepted);
	assert_false(v.accepted);
	assert_int_equal(v.class, CLASS_AUTHENTICITY);
	peer_done(&p);
}

static void without_memory_a_refusal_has_its_reason(void **state)
{
	struct peer p;
	struct verdict v = {0};
	long n = 0;

	(void)state;
	peer_make(&p, "leaf");
	assert_false(decide(&p, -1, &v));
	for (; decide(&p, n, &v); n += 1 + n / 64) {
		if (v.accepted)
			continue; /* what failed was not needed: the cache, say */
		assert_true(v.reason != 0);
		assert_true(v.class != CLASS_ACCEPTED);
		assert_true(v.message[0] != '\0');
	}
	if (!v.accepted)
		fail_msg("refused: %s", v.message);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_memory_nobody_is_accepted_who_must_not_be),
		cmocka_unit_test(without_memory_a_refusal_has_its_reason),
	};

	json_set_alloc_funcs(__wrap_malloc, free);
	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
