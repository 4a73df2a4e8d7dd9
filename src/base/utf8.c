/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <string.h>

/* RFC 3629, section 4: by the first byte, the range of the second and how many follow it. */
static bool tail(struct cur *c, uint8_t low, uint8_t high, size_t more)
{
	uint8_t second = cur_u8(c);

	if (!cur_ok(c) || second < low || second > high)
		return false;
	for (size_t i = 0; i < more; i++)
		if ((cur_u8(c) & 0xc0) != 0x80)
			return false;
	return cur_ok(c);
}

static bool character(struct cur *c)
{
	uint8_t first = cur_u8(c);

	if (first < 0x80)
		return true;
	if (first < 0xc2)
		return false;
	if (first < 0xe0)
		return tail(c, 0x80, 0xbf, 0);
	if (first < 0xf0)
		return tail(c, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf, 1);
	return first < 0xf5 && tail(c, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf, 2);
}

bool utf8_valid(struct cur text)
{
	while (!text.bad && text.left > 0)
		if (!character(&text))
			return false;
	return cur_ok(&text);
}

bool utf8_take(struct cur *text, uint32_t *ret)
{
	struct cur rest = *text;
	size_t len;

	if (!character(&rest)) {
		*ret = cur_u8(text);
		return false;
	}
	len = text->left - rest.left;
	*ret = len == 1 ? text->p[0] : text->p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++)
		*ret = *ret << 6 | (text->p[i] & 0x3f);
	*text = rest;
	return true;
}

bool utf8_steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void utf8_tame(char *text, size_t len)
{
	struct cur rest = cur_of(text, len);
	uint32_t c;

	while (rest.left > 0) {
		size_t begin = len - rest.left;

		if (!utf8_take(&rest, &c) || utf8_steers(c))
			memset(text + begin, '?', len - rest.left - begin);
	}
}

void utf8_append_tame(struct buf *out, const char *text, size_t len)
{
	size_t begin = out->len;

	buf_bytes(out, text, len);
	if (!out->bad)
		utf8_tame((char *)out->p + begin, len);
}

void utf8_clean(char *text)
{
	if (utf8_valid(cur_of(text, strlen(text))))
		return;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text > 0x7f)
			*text = '?';
}

static bool plain(char c)
{
	return c >= ' ' && c <= '~';
}

bool utf8_is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (!plain(*text))
			return false;
	return true;
}

void utf8_make_plain(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!plain(text[i]))
			text[i] = '?';
}
