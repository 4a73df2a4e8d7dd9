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
#include <openssl/core_dispatch.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/provider.h>

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
	enum ecdsa_answer answer = ecdsa_verify(keys, &point, &raw, &message);

	assert_int_equal(ecdsa_verify_der(keys, &point, &der, &message), answer);
	assert_int_not_equal(answer, ECDSA_UNDECIDED);
	return answer == ECDSA_YES;
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
		assert_int_equal(ecdsa_is_point(&keys, &points[i]), ECDSA_NO);
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
		assert_int_equal(ecdsa_verify(&keys, &point, &raw, &message), ECDSA_NO);
		s.raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ERR_clear_error();
	ecdsa_keys_done(&keys);
}

/* ---- other providers ----------------------------------------------------------------------------------- */

static OSSL_PROVIDER *whole;

/* The default provider's key type "EC", and nothing else. */
static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
	static OSSL_ALGORITHM found[2];
	const OSSL_ALGORITHM *a;

	(void)provider;
	*no_cache = 0;
	if (operation != OSSL_OP_KEYMGMT)
		return NULL;
	for (a = OSSL_PROVIDER_query_operation(whole, operation, no_cache); a->algorithm_names != NULL; a++)
		if (strncmp(a->algorithm_names, "EC:", 3) == 0) {
			found[0] = *a;
			found[0].property_definition = "provider=half";
			return found;
		}
	return NULL;
}

static int init_half(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **context)
{
	static const OSSL_DISPATCH functions[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query}, {0, NULL}};

	(void)handle;
	(void)in;
	*out = functions;
	*context = OSSL_PROVIDER_get0_provider_ctx(whole);
	return 1;
}

/* There is nobody who verifies: that is no word against whoever signed. */
static void what_cannot_be_verified_is_undecided(void)
{
	struct ecdsa_keys keys = {.idle = {NULL}};
	const struct signer *s = &signers[0];
	struct cur point = point_of(s), raw = cur_of(s->raw, sizeof(s->raw)), message = cur_of(s->message, sizeof(s->message));

	assert_int_equal(ecdsa_verify(&keys, &point, &raw, &message), ECDSA_UNDECIDED);
	ERR_clear_error();
	ecdsa_keys_done(&keys);
}

/* Keys are one provider's and signatures another's, as where a hardware module holds keys: OpenSSL copies a key from
 * the one to the other, and must not be left to find the copy of another point. */
static void copies_of_a_key_are_not_used_again(void **state)
{
	OSSL_LIB_CTX *apart = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *half, *rest;

	(void)state;
	whole = OSSL_PROVIDER_load(apart, "default");
	assert_int_equal(OSSL_PROVIDER_add_builtin(NULL, "half", init_half), 1);
	assert_int_equal(EVP_set_default_properties(NULL, "?provider=half"), 1);
	half = OSSL_PROVIDER_load(NULL, "half");
	rest = OSSL_PROVIDER_load(NULL, "default");
	assert_true(whole != NULL && half != NULL && rest != NULL);
	a_signature_holds_under_its_own_point_alone(NULL);
	what_is_no_point_verifies_nothing(NULL);
	assert_int_equal(EVP_set_default_properties(NULL, "provider=half"), 1);
	what_cannot_be_verified_is_undecided();
	assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
	OSSL_PROVIDER_unload(half);
	OSSL_PROVIDER_unload(rest);
	OSSL_PROVIDER_unload(whole);
	OSSL_LIB_CTX_free(apart);
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
		cmocka_unit_test(copies_of_a_key_are_not_used_again),
	};

	return cmocka_run_group_tests(tests, make_signers, NULL);
}
