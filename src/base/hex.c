/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

static const char digits[] = "0123456789abcdef";
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hex_encode(const uint8_t *bytes, size_t len, char *text)
{
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * len] = '\0';
}

void hex_append(struct buf *b, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		buf_u8(b, (uint8_t)digits[bytes[i] >> 4]);
		buf_u8(b, (uint8_t)digits[bytes[i] & 15]);
	}
}

#define NOT_A_DIGIT 16

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A' + 10);
	return NOT_A_DIGIT;
}

bool hex_decode(const char *text, size_t text_len, uint8_t *out, size_t len)
{
	if (text_len % 2 != 0 || text_len / 2 != len)
		return false;
	for (size_t i = 0; i < text_len; i++)
		if (digit(text[i]) == NOT_A_DIGIT)
			return false;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	return true;
}

void base64_append(struct buf *b, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)bytes[i] << 16;

		if (i + 1 < len)
			v |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < len)
			v |= bytes[i + 2];
		buf_u8(b, (uint8_t)alphabet[v >> 18]);
		buf_u8(b, (uint8_t)alphabet[v >> 12 & 63]);
		buf_u8(b, i + 1 < len ? (uint8_t)alphabet[v >> 6 & 63] : '=');
		buf_u8(b, i + 2 < len ? (uint8_t)alphabet[v & 63] : '=');
	}
}

/* The last two characters of the alphabet differ between the two forms: "+/" or "-_". */
static int sextet(char c, const char *last)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == last[0])
		return 62;
	return c == last[1] ? 63 : -1;
}

/* Four characters, the last `pad` of them not there, as 24 bits. False if one is not of the alphabet. */
static bool quantum(const char *text, size_t pad, const char *last, uint32_t *ret)
{
	uint32_t v = 0;

	for (size_t k = 0; k < 4; k++) {
		int s = k >= 4 - pad ? 0 : sextet(text[k], last);

		if (s < 0)
			return false;
		v = v << 6 | (uint32_t)s;
	}
	*ret = v;
	return true;
}

/* Text without its padding. */
static bool decode(const char *text, size_t text_len, const char *last, struct buf *out)
{
	size_t pad = (4 - text_len % 4) % 4, n = 0;
	uint8_t *to = buf_reserve(out, (text_len + pad) / 4 * 3);
	uint32_t v;

	if (pad == 3 || to == NULL)
		return false;
	for (size_t i = 0; i < text_len; i += 4) {
		size_t absent = i + 4 > text_len ? pad : 0;

		if (!quantum(text + i, absent, last, &v))
			return false;
		/* RFC 4648 section 3.5: bits that no byte gets are zero, so that bytes have one text. */
		if ((v & ((1u << 8 * absent) - 1)) != 0)
			return false;
		to[n++] = (uint8_t)(v >> 16);
		to[n++] = (uint8_t)(v >> 8);
		to[n++] = (uint8_t)v;
	}
	buf_added(out, n - pad);
	return true;
}

bool base64_decode(const char *text, size_t text_len, struct buf *out)
{
	size_t pad = 0;

	if (text_len % 4 != 0)
		return false;
	while (pad < 2 && pad < text_len && text[text_len - 1 - pad] == '=')
		pad++;
	return decode(text, text_len - pad, "+/", out);
}

bool base64url_decode(const char *text, size_t text_len, struct buf *out)
{
	return decode(text, text_len, "-_", out);
}
