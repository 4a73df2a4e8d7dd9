/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/hex.h"

typedef bool (*decoder)(const char *text, size_t text_len, struct buf *out);

static void decodes(decoder decode, const char *text, const char *to)
{
	struct buf out = {0};

	if (!decode(text, strlen(text), &out) || out.len != strlen(to) || memcmp(out.p, to, out.len) != 0)
		fail_msg("\"%s\" does not decode", text);
	buf_done(&out);
}

static void refuses(decoder decode, const char *text)
{
	struct buf out = {0};

	if (decode(text, strlen(text), &out) || out.len != 0)
		fail_msg("\"%s\" decodes", text);
	buf_done(&out);
}

/* RFC 4648 section 10, and what is not canonical. */
static void base64_is_strict(void **state)
{
	(void)state;
	decodes(base64_decode, "", "");
	decodes(base64_decode, "Zg==", "f");
	decodes(base64_decode, "Zm8=", "fo");
	decodes(base64_decode, "Zm9v", "foo");
	decodes(base64_decode, "Zm9vYmFy", "foobar");
	decodes(base64_decode, "++//", "\xfb\xef\xff");
	refuses(base64_decode, "Zg");
	refuses(base64_decode, "Zg=");
	refuses(base64_decode, "Zg===");
	refuses(base64_decode, "====");
	refuses(base64_decode, "Z===");
	refuses(base64_decode, "Zh=="); /* bits that no byte gets */
	refuses(base64_decode, "Zm9=");
	refuses(base64_decode, "Zm9v\n");
	refuses(base64_decode, "Zg==Zg==");
	refuses(base64_decode, "--__");
	refuses(base64_decode, "Zm 9");
}

static void base64url_is_strict(void **state)
{
	(void)state;
	decodes(base64url_decode, "", "");
	decodes(base64url_decode, "Zg", "f");
	decodes(base64url_decode, "Zm8", "fo");
	decodes(base64url_decode, "Zm9v", "foo");
	decodes(base64url_decode, "Zm9vYg", "foob");
	decodes(base64url_decode, "--__", "\xfb\xef\xff");
	refuses(base64url_decode, "Z");
	refuses(base64url_decode, "Zm9vY");
	refuses(base64url_decode, "Zg==");
	refuses(base64url_decode, "Zh");
	refuses(base64url_decode, "Zm9");
	refuses(base64url_decode, "++//");
	refuses(base64url_decode, "Zm9v\n");
}

/* In each of the four places, exactly the 64 characters of its own form. */
static void no_other_character_is_of_the_alphabet(void **state)
{
	static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < 4 * 256; i++) {
		char text[] = "AAAAAAAA", c = (char)(i / 4);
		bool either = c != '\0' && strchr(common, c) != NULL;

		text[i % 4] = c;
		assert_int_equal(base64_decode(text, 8, &out), either || c == '+' || c == '/');
		assert_int_equal(base64url_decode(text, 8, &out), either || c == '-' || c == '_');
	}
	buf_done(&out);
}

static void what_is_encoded_decodes(void **state)
{
	uint8_t bytes[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 200);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct buf text = {0}, out = {0};

		base64_append(&text, bytes, len);
		assert_true(base64_decode((const char *)text.p, text.len, &out));
		assert_int_equal(out.len, len);
		if (len > 0)
			assert_memory_equal(out.p, bytes, len);
		buf_done(&text);
		buf_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(base64url_is_strict),
		cmocka_unit_test(no_other_character_is_of_the_alphabet),
		cmocka_unit_test(what_is_encoded_decodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
