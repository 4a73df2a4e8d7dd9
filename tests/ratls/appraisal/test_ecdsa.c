/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys are used again for other points: none may ever judge by a point that it had before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "appraisal/ecdsa.h"
#include "base/hash.h"

#define SIGNERS 3

static struct signer {
	uint8_t point[1 + ECDSA_POINT_SIZE], message[32], der[80], raw[ECDSA_SIGNATURE_SIZE];
	size_t der_len;
} signers[SIGNERS];

static struct cur point_of(const struct signer *s)
{
	return cur_of(s->point + 1, ECDSA_POINT_SIZE);
}

static void make_raw(struct signer *s)
{
	const unsigned char *p = s->der;
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &p, (long)s->der_len);

	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(signature), s->raw, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(signature), s->raw + 32, 32), 32);
	ECDSA_SIG_free(signature);
}

static int make_signers(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIGNERS; i++) {
		struct signer *s = &signers[i];
		EVP_PKEY *key = EVP_EC_gen("P-256");
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
		uint8_t digest[HASH_SHA256_SIZE];
		size_t len;

		memset(s->message, (int)i, sizeof(s->message));
		assert_true(hash_bytes(HASH_SHA256, s->message, sizeof(s->message), digest));
		s->der_len = sizeof(s->der);
		assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
		assert_int_equal(EVP_PKEY_sign(ctx, s->der, &s->der_len, digest, sizeof(digest)), 1);
		assert_int_equal(EVP_PKEY_get_octet_string_param(
					 key, "encoded-pub-key", s->point, sizeof(s->point), &len),
			1);
		assert_int_equal(len, sizeof(s->point));
		make_raw(s);
		EVP_PKEY_CTX_free(ctx);
		EVP_PKEY_free(key);
	}
	return 0;
}

/* In both forms of a signature. */
static bool holds(struct ecdsa_keys *keys, struct cur point, const struct signer *s)
{
	struct cur raw = cur_of(s->raw, sizeof(s->raw)), der = cur_of(s->der, s->der_len);
	struct cur message = cur_of(s->message, sizeof(s->message));
	bool ok = ecdsa_verify(keys, &point, &raw, &message);

	assert_int_equal(ecdsa_verify_der(keys, &point, &der, &message), ok);
	return ok;
}

static void a_signature_holds_under_its_own_point_alone(void **state)
{
	struct ecdsa_keys keys = {.idle = {NULL}};

	(void)state;
	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < SIGNERS; i++)
			for (size_t k = 0; k < SIGNERS; k++)
				assert_int_equal(holds(&keys, point_of(&signers[k]), &signers[i]), i == k);
	ecdsa_keys_done(&keys);
}

/* The key at hand has a point under which the signature holds. */
static void what_is_no_point_verifies_nothing(void **state)
{
	struct ecdsa_keys keys = {.idle = {NULL}};
	uint8_t zeros[ECDSA_POINT_SIZE] = {0}, off[ECDSA_POINT_SIZE];
	struct cur points[] = {cur_of(zeros, sizeof(zeros)), cur_of(off, sizeof(off)),
		cur_of(signers[0].point + 1, ECDSA_POINT_SIZE - 1), cur_of(signers[0].point, sizeof(signers[0].point)),
		{.p = signers[0].point + 1, .left = ECDSA_POINT_SIZE, .bad = true}};

	(void)state;
	memcpy(off, signers[0].point + 1, sizeof(off));
	off[sizeof(off) - 1] ^= 1;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		assert_true(holds(&keys, point_of(&signers[0]), &signers[0]));
		assert_false(ecdsa_is_point(&keys, &points[i]));
		assert_false(holds(&keys, points[i], &signers[0]));
		assert_true(holds(&keys, point_of(&signers[0]), &signers[0]));
	}
	ERR_clear_error();
	ecdsa_keys_done(&keys);
}

static void every_bit_of_a_signature_counts(void **state)
{
	struct ecdsa_keys keys = {.idle = {NULL}};
	struct signer s = signers[1];

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(s.raw); bit++) {
		struct cur point = point_of(&s), raw = cur_of(s.raw, sizeof(s.raw)),
			   message = cur_of(s.message, sizeof(s.message));

		s.raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(ecdsa_verify(&keys, &point, &raw, &message));
		s.raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ERR_clear_error();
	ecdsa_keys_done(&keys);
}

static void *verify_beside_others(void *arg)
{
	struct ecdsa_keys *keys = arg;
	static _Atomic size_t next;
	size_t mine = atomic_fetch_add(&next, 1) % SIGNERS;

	for (size_t i = 0; i < 100; i++) {
		size_t other = (mine + i) % SIGNERS;

		if (holds(keys, point_of(&signers[other]), &signers[mine]) != (other == mine))
			return arg;
	}
	return NULL;
}

static void threads_do_not_lend_each_other_points(void **state)
{
	struct ecdsa_keys keys = {.idle = {NULL}};
	pthread_t threads[2 * ECDSA_KEYS];
	void *wrong;

	(void)state;
	for (size_t i = 0; i < 2 * ECDSA_KEYS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, verify_beside_others, &keys), 0);
	for (size_t i = 0; i < 2 * ECDSA_KEYS; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	ecdsa_keys_done(&keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_holds_under_its_own_point_alone),
		cmocka_unit_test(what_is_no_point_verifies_nothing),
		cmocka_unit_test(every_bit_of_a_signature_counts),
		cmocka_unit_test(threads_do_not_lend_each_other_points),
	};

	return cmocka_run_group_tests(tests, make_signers, NULL);
}
