/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/msgpack.h"

#include "base/utf8.h"

enum kind { NEVER, NIL, UINT, FIXED, EXT, STR, BIN, ARRAY, MAP };

struct head {
	enum kind kind;
	uint64_t n; /* value, length or count; for FIXED the bytes that follow */
};

/* The MessagePack specification's formats 0xc0 to 0xdf: what follows, and either how many bytes hold n or
 * n itself. */
static const struct {
	uint8_t kind, width, n;
} formats[32] = {
	{NIL, 0, 0}, {NEVER, 0, 0}, {FIXED, 0, 0}, {FIXED, 0, 0},   /* nil, unused, false, true */
	{BIN, 1, 0}, {BIN, 2, 0}, {BIN, 4, 0},                      /* bin 8, 16, 32 */
	{EXT, 1, 0}, {EXT, 2, 0}, {EXT, 4, 0},                      /* ext 8, 16, 32 */
	{FIXED, 0, 4}, {FIXED, 0, 8},                               /* float 32, 64 */
	{UINT, 1, 0}, {UINT, 2, 0}, {UINT, 4, 0}, {UINT, 8, 0},     /* uint 8 to 64 */
	{FIXED, 0, 1}, {FIXED, 0, 2}, {FIXED, 0, 4}, {FIXED, 0, 8}, /* int 8 to 64 */
	{FIXED, 0, 2}, {FIXED, 0, 3}, {FIXED, 0, 5}, {FIXED, 0, 9}, /* fixext 1 to 8: type and data */
	{FIXED, 0, 17},                                             /* fixext 16 */
	{STR, 1, 0}, {STR, 2, 0}, {STR, 4, 0},                      /* str 8, 16, 32 */
	{ARRAY, 2, 0}, {ARRAY, 4, 0}, {MAP, 2, 0}, {MAP, 4, 0},     /* array and map 16, 32 */
};

static uint64_t big_endian(struct cur *c, size_t width)
{
	uint64_t v = 0;

	for (size_t i = 0; i < width; i++)
		v = v << 8 | cur_u8(c);
	return v;
}

static struct head read_head(struct cur *c)
{
	uint8_t first = cur_u8(c);
	struct head h = {UINT, first};

	if (first >= 0xe0)
		return (struct head){FIXED, 0};
	if (first >= 0xc0) {
		h.kind = (enum kind)formats[first - 0xc0].kind;
		h.n = formats[first - 0xc0].n;
		if (formats[first - 0xc0].width > 0)
			h.n = big_endian(c, formats[first - 0xc0].width);
	} else if (first >= 0xa0) {
		h = (struct head){STR, first & 0x1f};
	} else if (first >= 0x80) {
		h = (struct head){first >= 0x90 ? ARRAY : MAP, first & 0x0f};
	}
	if (h.kind == NEVER)
		c->bad = true;
	return h;
}

/* The head of a value that must be of this kind; n is 0 if it is not. */
static uint64_t expect(struct cur *c, enum kind kind)
{
	struct head h = read_head(c);

	if (h.kind != kind)
		c->bad = true;
	return c->bad ? 0 : h.n;
}

uint64_t msgpack_uint(struct cur *c)
{
	return expect(c, UINT);
}

uint32_t msgpack_u32(struct cur *c)
{
	uint64_t v = msgpack_uint(c);

	if (v > UINT32_MAX)
		c->bad = true;
	return c->bad ? 0 : (uint32_t)v;
}

struct cur msgpack_text(struct cur *c)
{
	struct cur text = cur_take(c, (size_t)expect(c, STR));

	if (!utf8_valid(text))
		c->bad = true;
	return text;
}

bool msgpack_is_nil(struct cur c)
{
	return read_head(&c).kind == NIL && cur_done(&c);
}

size_t msgpack_array(struct cur *c)
{
	uint64_t n = expect(c, ARRAY);

	if (n > c->left)
		c->bad = true;
	return c->bad ? 0 : (size_t)n;
}

struct cur msgpack_bytes(struct cur *c, struct store *store)
{
	struct cur ahead = *c;
	uint8_t *p;
	size_t n;

	if (read_head(&ahead).kind == BIN)
		return cur_take(c, (size_t)expect(c, BIN));
	n = msgpack_array(c);
	ahead = *c;
	p = store_take(store, n);
	for (size_t i = 0; i < n; i++) {
		uint64_t v = msgpack_uint(c);

		if (v > UINT8_MAX)
			c->bad = true;
		if (p != NULL)
			p[i] = (uint8_t)v;
	}
	return p != NULL ? cur_of(p, n) : cur_take(&ahead, n);
}

struct cur msgpack_skip(struct cur *c)
{
	struct cur start = *c;
	uint64_t pending = 1;

	while (pending > 0 && cur_ok(c)) {
		struct head h = read_head(c);

		pending--;
		if (h.kind == EXT)
			cur_take(c, 1);
		if (h.kind == EXT || h.kind == STR || h.kind == BIN || h.kind == FIXED)
			cur_take(c, (size_t)h.n);
		else if (h.kind == ARRAY || h.kind == MAP)
			pending += h.kind == MAP ? 2 * h.n : h.n;
		/* Each value takes a byte at least: more cannot come. */
		if (pending > c->left)
			c->bad = true;
	}
	return cur_ok(c) ? cur_take(&start, start.left - c->left) : cur_of(NULL, 0);
}

const char *msgpack_map(struct cur *c, const char *const *names, struct cur *values, size_t n)
{
	uint64_t pairs = expect(c, MAP);
	const char *twice = NULL;

	for (size_t i = 0; i < n; i++)
		values[i] = cur_of(NULL, 0);
	while (pairs-- > 0 && cur_ok(c)) {
		struct cur key = msgpack_text(c), value = msgpack_skip(c);

		for (size_t i = 0; i < n && cur_ok(c); i++) {
			if (!cur_is_str(&key, names[i]))
				continue;
			if (values[i].left > 0)
				twice = names[i];
			values[i] = value;
		}
	}
	return cur_ok(c) ? twice : NULL;
}
