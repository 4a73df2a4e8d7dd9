/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes are held against dstack's: two small envelopes, and a real one that is taken apart and written
 * again in every form that its guest would give it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "simulator/forge_envelope.h"
#include "vector.h"

static void check_bytes(const struct buf *actual, const char *expected)
{
	struct buf text = {0};

	hex_append(&text, actual->p, actual->len);
	buf_u8(&text, 0);
	assert_string_equal((const char *)text.p, expected);
	buf_done(&text);
}

static void the_smallest_v0(void **state)
{
	static struct forge_log none;
	struct forge_envelope_options o = {.version = FORGE_V0, .quote = cur_of("\x09", 1), .log = &none,
		.runtime = &none, .config = ""};
	struct buf bytes = {0};

	(void)state;
	assert_true(forge_envelope_write(&o, &bytes));
	check_bytes(&bytes, "000004090000"
			    "0000000000000000000000000000000000000000000000000000000000000000"
			    "0000000000000000000000000000000000000000000000000000000000000000"
			    "00");
	buf_done(&bytes);
}

static void a_small_v1_with_both_kinds_of_events(void **state)
{
	static struct forge_log log;
	struct forge_envelope_options o = {.version = FORGE_V1,
		.quote = cur_of("\x01\x02\xc8", 3),
		.log = &log,
		.runtime = &log,
		.config = "{}"};
	struct buf bytes = {0};

	(void)state;
	memset(o.report_data, 7, sizeof(o.report_data));
	assert_true(forge_log_runtime(&log, "app-id", cur_of("\xde\xad\xbe\xef", 4), 1));
	assert_true(forge_log_runtime(&log, "compose-hash", cur_of("\xab\xcd", 2), 2));
	assert_true(forge_envelope_write(&o, &bytes));
	check_bytes(&bytes,
		"83a776657273696f6e01a8706c6174666f726d82a46b696e64a3746478a46461746182a571756f7465930102ccc8a96576"
		"656e745f6c6f679285a3696d7203aa6576656e745f74797065ce08000001a6646967657374c43067b4be4efed0893cfa2b"
		"b1d35dca209ad8348b4c97f980807bcde8b9a0f26398dd0923d6eccb5aa2096d98046da8740fa56576656e74a66170702d"
		"6964ad6576656e745f7061796c6f6164c404deadbeef87a3696d7203aa6576656e745f74797065ce08000001a664696765"
		"7374c4309dde1673f544faa94b921825209593ddde08d0baf9cd6990175dffaf3081f1bb10311d56de189491feb33842a0"
		"50ad7ba56576656e74ac636f6d706f73652d68617368ad6576656e745f7061796c6f6164c402abcda776657273696f6e02"
		"a8707265696d616765d9723762323236653631366436353232336132323633366636643730366637333635326436383631"
		"37333638323232633232373036313739366336663631363432323361323236313632363336343232326332323734373937"
		"303635323233613331333333343332333133373337333233393764a5737461636b82a46b696e64a664737461636ba46461"
		"746183ab7265706f72745f64617461dc004007070707070707070707070707070707070707070707070707070707070707"
		"070707070707070707070707070707070707070707070707070707070707070707ae72756e74696d655f6576656e747392"
		"82a56576656e74a66170702d6964a77061796c6f6164c404deadbeef83a56576656e74ac636f6d706f73652d68617368a7"
		"7061796c6f6164c402abcda776657273696f6e02a6636f6e666967a27b7d");
	buf_done(&bytes);
	o.version = FORGE_V0; /* cannot say that an event is of version 2 */
	assert_false(forge_envelope_write(&o, &bytes));
	buf_done(&bytes);
	forge_log_done(&log);
}

static size_t read_compact(struct cur *c)
{
	uint8_t first = cur_u8(c);

	assert_int_not_equal(first & 3, 3);
	if ((first & 3) == 0)
		return first >> 2;
	if ((first & 3) == 1)
		return (size_t)(first | cur_u8(c) << 8) >> 2;
	return (size_t)(first | (uint32_t)cur_u16le(c) << 8 | (uint32_t)cur_u8(c) << 24) >> 2;
}

static struct cur read_bytes(struct cur *c)
{
	return cur_take(c, read_compact(c));
}

/* Take a V0 envelope apart. Its runtime events are also in its log, and are not looked at. */
static void take_apart(struct cur in, struct forge_envelope_options *o, struct forge_log *log, char *config,
	size_t config_size)
{
	struct cur text;
	size_t n;

	assert_int_equal(cur_u16le(&in), 0);
	o->quote = read_bytes(&in);
	n = read_compact(&in);
	for (size_t i = 0; i < n; i++) {
		uint32_t imr = cur_u32le(&in), type = cur_u32le(&in);
		struct cur digest = read_bytes(&in), name = read_bytes(&in), payload = read_bytes(&in);
		char name_text[64] = "";

		assert_true(name.left < sizeof(name_text) && digest.left == 48);
		memcpy(name_text, name.p, name.left);
		assert_true(forge_log_boot(log, imr, type, name_text, payload));
		memcpy(log->events[i].digest, digest.p, digest.left);
	}
	n = read_compact(&in);
	for (size_t i = 0; i < 2 * n; i++)
		read_bytes(&in);
	text = cur_take(&in, sizeof(o->report_data));
	assert_true(cur_ok(&in));
	memcpy(o->report_data, text.p, text.left);
	text = read_bytes(&in);
	assert_true(cur_done(&in) && text.left < config_size);
	memcpy(config, text.p, text.left);
	config[text.left] = '\0';
	o->config = config;
	o->log = o->runtime = log;
}

static void check_written(const struct forge_envelope_options *o, size_t size, const char *sha256)
{
	struct buf bytes = {0};
	uint8_t digest[HASH_SHA256_SIZE];
	char text[2 * HASH_SHA256_SIZE + 1];

	assert_true(forge_envelope_write(o, &bytes));
	assert_int_equal(bytes.len, size);
	assert_true(hash_bytes(HASH_SHA256, bytes.p, bytes.len, digest));
	hex_encode(digest, sizeof(digest), text);
	assert_string_equal(text, sha256);
	buf_done(&bytes);
}

/* The real envelope of a dstack guest: as it is, as V1, and both stripped for a certificate. */
static void a_real_envelope_is_written_again(void **state)
{
	static struct forge_log log, stripped;
	struct forge_envelope_options o = {.version = FORGE_V0};
	struct buf file = {0};
	char config[1024];

	(void)state;
	if (!vector_load("dstack_attestation_v0.bin", &file))
		skip();
	take_apart(cur_of(file.p, file.len), &o, &log, config, sizeof(config));
	check_written(&o, 9504, "d5b080ace6287e8957ead34c3a68f156cfb30bd22c2f5c2ebb48348e3fa70456");
	o.version = FORGE_V1;
	check_written(&o, 11479, "eadcb26e5b7c361b819281295e03de0e62cf13b527a3841fc0b6972643ddb0fa");
	assert_true(forge_log_strip(&log, &stripped));
	assert_int_equal(stripped.n, 12);
	o.log = &stripped;
	check_written(&o, 7887, "143eb92a3be7d3759d39686757147678e292fc97ab1d18fde976708100b32f97");
	o.version = FORGE_V0;
	check_written(&o, 6788, "6207223948177684ce20bd1835f63b08fb8688a4168cd2587dae64b3e21c7c82");
	forge_log_done(&log);
	forge_log_done(&stripped);
	buf_done(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_v0),
		cmocka_unit_test(a_small_v1_with_both_kinds_of_events),
		cmocka_unit_test(a_real_envelope_is_written_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
