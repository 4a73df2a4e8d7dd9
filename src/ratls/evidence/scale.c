/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/scale.h"

#include "base/utf8.h"

/* The mode in the two low bits of the first byte. */
#define MODE_1 0
#define MODE_2 1
#define MODE_4 2

/* The largest value of each mode; the next mode is only for larger ones. */
#define MAX_1 0x3fu
#define MAX_2 0x3fffu
#define MAX_4 0x3fffffffu

#define BIG_U32 0x03 /* big mode with 4 bytes; more do not fit */

static uint32_t above(struct cur *c, uint32_t value, uint32_t floor)
{
	if (value <= floor)
		c->bad = true;
	return c->bad ? 0 : value;
}

uint32_t scale_compact(struct cur *c)
{
	uint32_t first = cur_u8(c);

	switch (first & 3) {
	case MODE_1:
		return first >> 2;
	case MODE_2:
		return above(c, first >> 2 | (uint32_t)cur_u8(c) << 6, MAX_1);
	case MODE_4:
		first |= (uint32_t)cur_u8(c) << 8;
		return above(c, first >> 2 | (uint32_t)cur_u16le(c) << 14, MAX_2);
	default:
		c->bad = c->bad || first != BIG_U32;
		return above(c, cur_u32le(c), MAX_4);
	}
}

struct cur scale_bytes(struct cur *c)
{
	return cur_take(c, scale_compact(c));
}

struct cur scale_text(struct cur *c)
{
	struct cur text = scale_bytes(c);

	if (!utf8_valid(text))
		c->bad = true;
	return text;
}
