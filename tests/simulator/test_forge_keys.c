/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/hex.h"
#include "simulator/forge_keys.h"

static const uint8_t seed[FORGE_SEED_SIZE] = {1, 2, 3};

static void from_hex(const char *text, uint8_t *out, size_t n)
{
	assert_true(hex_decode(text, strlen(text), out, n));
}

/* RFC 6979 appendix A.2.5, P-256 with SHA-256. */
static void signatures_are_those_of_rfc_6979(void **state)
{
	static const struct {
		const char *message, *signature;
	} rows[] = {
		{"sample", "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
			   "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
		{"test", "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
			 "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"},
	};
	uint8_t scalar[FORGE_SCALAR_SIZE], expected[FORGE_SIGNATURE_SIZE], actual[FORGE_SIGNATURE_SIZE];
	EVP_PKEY *key;

	(void)state;
	from_hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", scalar, sizeof(scalar));
	key = forge_key_of_scalar(scalar);
	assert_non_null(key);
	for (size_t i = 0; i < 2; i++) {
		from_hex(rows[i].signature, expected, sizeof(expected));
		assert_true(forge_sign(key, cur_of(rows[i].message, strlen(rows[i].message)), actual));
		assert_memory_equal(actual, expected, sizeof(expected));
	}
	EVP_PKEY_free(key);
}

static void openssl_verifies_our_signatures(void **state)
{
	EVP_PKEY *key = forge_key(seed, "any");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t raw[FORGE_SIGNATURE_SIZE], *der = NULL;
	int n;

	(void)state;
	assert_true(forge_sign(key, cur_of("hello", 5), raw));
	assert_int_equal(ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL)), 1);
	n = i2d_ECDSA_SIG(sig, &der);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestVerify(ctx, der, (size_t)n, (const uint8_t *)"hello", 5), 1);
	ECDSA_SIG_free(sig);
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static void keys_follow_from_seed_and_label(void **state)
{
	uint8_t other[FORGE_SEED_SIZE] = {1, 2, 4}, a[FORGE_SCALAR_SIZE], b[FORGE_SCALAR_SIZE];

	(void)state;
	assert_true(forge_scalar(seed, "one", a));
	assert_true(forge_scalar(seed, "one", b));
	assert_memory_equal(a, b, sizeof(a));
	assert_true(forge_scalar(seed, "two", b));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_true(forge_scalar(other, "one", b));
	assert_memory_not_equal(a, b, sizeof(a));
}

static void a_scalar_out_of_range_is_no_key(void **state)
{
	uint8_t scalar[FORGE_SCALAR_SIZE] = {0};

	(void)state;
	assert_null(forge_key_of_scalar(scalar));
	memset(scalar, 0xff, sizeof(scalar));
	assert_null(forge_key_of_scalar(scalar));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_those_of_rfc_6979),
		cmocka_unit_test(openssl_verifies_our_signatures),
		cmocka_unit_test(keys_follow_from_seed_and_label),
		cmocka_unit_test(a_scalar_out_of_range_is_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
