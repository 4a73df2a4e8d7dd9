/* SPDX-License-Identifier: Apache-2.0
 *
 * The vectors are those of dstack's own simulator, whose keys are public.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <string.h>

#include "base/hex.h"
#include "simulator/app_keys.h"
#include "simulator/keccak.h"

#define APP_KEY "d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d"

static struct app_keys keys_of_simulator(void)
{
	struct app_keys keys = {0};

	assert_true(hex_decode(APP_KEY, 64, keys.k256, sizeof(keys.k256)));
	return keys;
}

static void check_hex(const uint8_t *bytes, size_t n, const char *expected)
{
	char text[2 * APP_RECOVERABLE_SIZE + 1];

	hex_encode(bytes, n, text);
	assert_string_equal(text, expected);
}

static void derived_keys_and_their_chain(void **state)
{
	static const struct {
		const char *path, *purpose, *algorithm, *key, *public_key, *signature;
	} rows[] = {
		{"", "", "", "aa221ae548b5a8f52fcb8687cfd873712f6a1232b2717e5ee3d58ab74f21905b",
			"027458ba47c31272b5076edebdc1ecdaedef806b10d76dd0a209cbd1fa14a3f9cf",
			"64ce2f1b381d04f7404fda78bdc942c314d89b7069d97eea1897e51b249dd3b1700995cbf7efe7ff0419"
			"5dd6e31f"
			"153b702eeeeaffc5941510739dc39b9bd9cf01"},
		{"test", "test", "secp256k1",
			"133e8ca6e532ead3e38f00347408771da296e9c70e8e3e362f485154e64ef4e8",
			"02c53a10a891f3c5d599539056edcfa080555ac975cae78e59b5d519dcdaf03389",
			"d889c8a0e6827f922193a5a33263961bd7c2bc17ceba025b33fba11df4544c9d5a34a6d39fa7c6e8b950"
			"a34c8010"
			"9e125b9f65e103de75787c8317031abfd53f00"},
		{"vms", "signing", "k256", "1091a4d6721f6a719ca57320e4975f7e237649131111ee1c5032f661dc1cfef2",
			"036105f01d1fd781568f7c208b087b1c4f522601410ed7e9c7870d573de7c46d54",
			"51ec279eb0da3fb45335c2fd6badaf701905bf35f229912976c4ae3c9d649cf97f964473f2dce7118743"
			"bad84a6d"
			"f707d11c9b5f0b38379204e14fd2c7baddba01"},
		{"my/key/path", "signing", "secp256k1",
			"866d0884686e5afdbdaace8bd77c0b4f69a30dbe9506d69270a07bf247c8f4f0",
			"0327936f74b569370540b92cff37af615ecc339fd95504b35b782b850808b7de66",
			"4e9bccd54a86c85b72d04453183a9aa8c989861142cc5caf2cdba12f99e834c81c0117311cf290357f9d"
			"b94b79fa"
			"ba8074e3fe8764e6576a5fb657a89060fe3301"},
		{"my/key/path", "signing", "ed25519",
			"866d0884686e5afdbdaace8bd77c0b4f69a30dbe9506d69270a07bf247c8f4f0",
			"a7b0b4abf5113055bae2a611c83870888855f83468502e8aba4557e9a9b6815d",
			"bdcf39cde546877d89884b708d82470d866b8f1abc6e6e67e1cb37c243eb45aa20984c8943eae8309165"
			"5125c339"
			"b94108e9c4ae800e463b7fbae44cea26167300"},
	};
	struct app_keys keys = keys_of_simulator();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t key[APP_KEY_SIZE], signature[APP_RECOVERABLE_SIZE];
		enum app_algorithm algorithm;
		struct buf public_key = {0};

		assert_true(app_algorithm_of(rows[i].algorithm, &algorithm));
		assert_true(app_key_derive(&keys, rows[i].path, key));
		check_hex(key, sizeof(key), rows[i].key);
		assert_true(app_key_public(algorithm, key, &public_key));
		check_hex(public_key.p, public_key.len, rows[i].public_key);
		assert_true(app_key_vouch(
			&keys, rows[i].purpose, cur_of(public_key.p, public_key.len), signature));
		check_hex(signature, sizeof(signature), rows[i].signature);
		buf_done(&public_key);
	}
}

static void what_is_signed_verifies(void **state)
{
	static const enum app_algorithm algorithms[] = {APP_SECP256K1, APP_SECP256K1_PREHASHED, APP_ED25519};
	struct app_keys keys = keys_of_simulator();
	uint8_t key[APP_KEY_SIZE], data[32] = {1, 2, 3}, signature[64];

	(void)state;
	assert_true(app_key_derive(&keys, "vms", key));
	for (size_t i = 0; i < 3; i++) {
		struct buf public_key = {0};
		bool valid = false;
		struct cur pub, message = cur_of(data, sizeof(data)),
				sig = cur_of(signature, sizeof(signature));

		assert_true(app_key_public(algorithms[i], key, &public_key));
		pub = cur_of(public_key.p, public_key.len);
		assert_int_equal(app_key_sign(algorithms[i], key, message, signature, NULL), RATLS_OK);
		assert_int_equal(app_key_verify(algorithms[i], pub, message, sig, &valid, NULL), RATLS_OK);
		assert_true(valid);
		signature[40] ^= 1;
		assert_int_equal(app_key_verify(algorithms[i], pub, message, sig, &valid, NULL), RATLS_OK);
		assert_false(valid);
		buf_done(&public_key);
	}
}

static void malformed_input_is_an_error(void **state)
{
	uint8_t key[APP_KEY_SIZE] = {1}, bytes[64] = {0}, signature[64];
	enum app_algorithm algorithm;
	bool valid = true;

	(void)state;
	assert_false(app_algorithm_of("rsa", &algorithm));
	assert_int_equal(
		app_key_sign(APP_SECP256K1_PREHASHED, key, cur_of(bytes, 31), signature, NULL), RATLS_E_ARG);
	assert_int_equal(app_key_verify(APP_SECP256K1, cur_of(bytes, 33), cur_of(bytes, 1), cur_of(bytes, 64),
				 &valid, NULL),
		RATLS_E_ARG);
	assert_int_equal(app_key_verify(APP_ED25519, cur_of(bytes, 31), cur_of(bytes, 1), cur_of(bytes, 64),
				 &valid, NULL),
		RATLS_E_ARG);
	assert_int_equal(app_key_verify(APP_ED25519, cur_of(bytes, 32), cur_of(bytes, 1), cur_of(bytes, 63),
				 &valid, NULL),
		RATLS_E_ARG);
}

/* Whoever recovers the signer of the chain's end finds the KMS root key. */
static void the_kms_vouches_for_the_app_key(void **state)
{
	static const char tag[] = "dstack-kms-issued:";
	uint8_t kms[APP_KEY_SIZE] = {0x42}, id[20] = {5}, digest[KECCAK256_SIZE], recovered[33];
	secp256k1_context *ctx = secp256k1_context_create(SECP256K1_CONTEXT_VERIFY);
	struct app_keys app = keys_of_simulator(), issued;
	struct buf app_public = {0}, kms_public = {0};
	secp256k1_ecdsa_recoverable_signature sig;
	secp256k1_pubkey signer;
	size_t n = sizeof(recovered);

	(void)state;
	assert_true(app_keys_issue(app.k256, kms, cur_of(id, sizeof(id)), &issued));
	assert_true(app_key_public(APP_SECP256K1, app.k256, &app_public));
	assert_true(app_key_public(APP_SECP256K1, kms, &kms_public));
	struct cur parts[] = {
		cur_of(tag, strlen(tag)), cur_of(id, sizeof(id)), cur_of(app_public.p, app_public.len)};

	keccak256(parts, 3, digest);
	assert_int_equal(secp256k1_ecdsa_recoverable_signature_parse_compact(ctx, &sig, issued.k256_signature,
				 issued.k256_signature[64]),
		1);
	assert_int_equal(secp256k1_ecdsa_recover(ctx, &signer, &sig, digest), 1);
	secp256k1_ec_pubkey_serialize(ctx, recovered, &n, &signer, SECP256K1_EC_COMPRESSED);
	assert_memory_equal(recovered, kms_public.p, sizeof(recovered));
	buf_done(&app_public);
	buf_done(&kms_public);
	secp256k1_context_destroy(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derived_keys_and_their_chain),
		cmocka_unit_test(what_is_signed_verifies),
		cmocka_unit_test(malformed_input_is_an_error),
		cmocka_unit_test(the_kms_vouches_for_the_app_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
