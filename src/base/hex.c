/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <string.h>

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
	char *to = (char *)buf_reserve(b, 2 * len + 1);

	if (to == NULL)
		return;
	hex_encode(bytes, len, to);
	buf_added(b, 2 * len);
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

#define SEXTET 0x40 /* it is a character of an alphabet: its six bits are below */

/* Of both forms of the alphabet. Looked up, since a branch on a random character is guessed wrong. */
/* clang-format off */
static const uint8_t sextets[256] = {
	['A'] = 0x40, ['B'] = 0x41, ['C'] = 0x42, ['D'] = 0x43, ['E'] = 0x44, ['F'] = 0x45, ['G'] = 0x46,
	['H'] = 0x47, ['I'] = 0x48, ['J'] = 0x49, ['K'] = 0x4a, ['L'] = 0x4b, ['M'] = 0x4c, ['N'] = 0x4d,
	['O'] = 0x4e, ['P'] = 0x4f, ['Q'] = 0x50, ['R'] = 0x51, ['S'] = 0x52, ['T'] = 0x53, ['U'] = 0x54,
	['V'] = 0x55, ['W'] = 0x56, ['X'] = 0x57, ['Y'] = 0x58, ['Z'] = 0x59, ['a'] = 0x5a, ['b'] = 0x5b,
	['c'] = 0x5c, ['d'] = 0x5d, ['e'] = 0x5e, ['f'] = 0x5f, ['g'] = 0x60, ['h'] = 0x61, ['i'] = 0x62,
	['j'] = 0x63, ['k'] = 0x64, ['l'] = 0x65, ['m'] = 0x66, ['n'] = 0x67, ['o'] = 0x68, ['p'] = 0x69,
	['q'] = 0x6a, ['r'] = 0x6b, ['s'] = 0x6c, ['t'] = 0x6d, ['u'] = 0x6e, ['v'] = 0x6f, ['w'] = 0x70,
	['x'] = 0x71, ['y'] = 0x72, ['z'] = 0x73, ['0'] = 0x74, ['1'] = 0x75, ['2'] = 0x76, ['3'] = 0x77,
	['4'] = 0x78, ['5'] = 0x79, ['6'] = 0x7a, ['7'] = 0x7b, ['8'] = 0x7c, ['9'] = 0x7d, ['+'] = 0x7e,
	['/'] = 0x7f, ['-'] = 0x7e, ['_'] = 0x7f,
};
/* clang-format on */

/* Four characters as 24 bits. False if one is of no alphabet. */
static bool quantum(const char *text, uint32_t *ret)
{
	uint8_t a = sextets[(uint8_t)text[0]], b = sextets[(uint8_t)text[1]];
	uint8_t c = sextets[(uint8_t)text[2]], d = sextets[(uint8_t)text[3]];

	*ret = (a & 63u) << 18 | (b & 63u) << 12 | (c & 63u) << 6 | (d & 63u);
	return (a & b & c & d & SEXTET) != 0;
}

/* The last two to four characters, without their padding. */
static bool last_quantum(const char *text, size_t len, uint8_t *to)
{
	char full[] = "AAAA"; /* zero bits */
	uint32_t v;

	memcpy(full, text, len);
	/* RFC 4648 section 3.5: bits that no byte gets are zero, so that bytes have one text. */
	if (!quantum(full, &v) || (v & ((1u << 8 * (4 - len)) - 1)) != 0)
		return false;
	for (size_t i = 0; i < len - 1; i++)
		to[i] = (uint8_t)(v >> (16 - 8 * i));
	return true;
}

/* Text without its padding; other is what the other form of the alphabet has at its end. */
static bool decode(const char *text, size_t text_len, const char *other, struct buf *out)
{
	size_t rest = text_len % 4, whole = text_len - rest,
	       len = text_len / 4 * 3 + (rest > 0 ? rest - 1 : 0);
	uint8_t *to = buf_reserve(out, len);
	uint32_t v;

	if (to == NULL || rest == 1 ||
		(text_len > 0 && (memchr(text, other[0], text_len) != NULL ||
					 memchr(text, other[1], text_len) != NULL)))
		return false;
	for (size_t i = 0; i < whole; i += 4, to += 3) {
		if (!quantum(text + i, &v))
			return false;
		to[0] = (uint8_t)(v >> 16);
		to[1] = (uint8_t)(v >> 8);
		to[2] = (uint8_t)v;
	}
	if (rest > 0 && !last_quantum(text + whole, rest, to))
		return false;
	buf_added(out, len);
	return true;
}

bool base64_decode(const char *text, size_t text_len, struct buf *out)
{
	size_t pad = 0;

	if (text_len % 4 != 0)
		return false;
	while (pad < 2 && pad < text_len && text[text_len - 1 - pad] == '=')
		pad++;
	return decode(text, text_len - pad, "-_", out);
}

bool base64url_decode(const char *text, size_t text_len, struct buf *out)
{
	return decode(text, text_len, "+/", out);
}
