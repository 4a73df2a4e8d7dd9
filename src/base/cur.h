/* SPDX-License-Identifier: Apache-2.0
 *
 * The bounded cursor: the only way in which untrusted bytes are read. A cursor is a value; it borrows
 * the bytes. A failed read makes it bad, and bad is sticky: every later read yields zero, so a parser
 * reads straight through and checks once, with cur_ok (more may follow) or cur_done (nothing may).
 */
#ifndef BASE_CUR_H
#define BASE_CUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cur {
	const uint8_t *p; /* never NULL in a cursor made by cur_of or cur_take */
	size_t left;
	bool bad;
};

static inline struct cur cur_of(const void *p, size_t len)
{
	static const uint8_t nothing[1];

	return (struct cur){.p = len > 0 ? p : nothing, .left = len};
}

/* The next n bytes as a cursor of their own. */
static inline struct cur cur_take(struct cur *c, size_t n)
{
	struct cur out = cur_of(NULL, 0);

	if (c->bad || n > c->left) {
		c->bad = true;
		out.bad = true;
		return out;
	}
	out = cur_of(c->p, n);
	c->p += n;
	c->left -= n;
	return out;
}

static inline bool cur_ok(const struct cur *c)
{
	return !c->bad;
}

static inline bool cur_done(const struct cur *c)
{
	return !c->bad && c->left == 0;
}

static inline uint8_t cur_u8(struct cur *c)
{
	struct cur f = cur_take(c, 1);

	return f.bad ? 0 : f.p[0];
}

static inline uint16_t cur_u16le(struct cur *c)
{
	struct cur f = cur_take(c, 2);

	return (uint16_t)(f.bad ? 0 : f.p[0] | f.p[1] << 8);
}

static inline uint16_t cur_u16be(struct cur *c)
{
	struct cur f = cur_take(c, 2);

	return (uint16_t)(f.bad ? 0 : f.p[0] << 8 | f.p[1]);
}

static inline uint32_t cur_u32le(struct cur *c)
{
	struct cur f = cur_take(c, 4);

	return f.bad ? 0
		     : (uint32_t)f.p[0] | (uint32_t)f.p[1] << 8 | (uint32_t)f.p[2] << 16 |
			       (uint32_t)f.p[3] << 24;
}

static inline uint32_t cur_u32be(struct cur *c)
{
	struct cur f = cur_take(c, 4);

	return f.bad ? 0
		     : (uint32_t)f.p[0] << 24 | (uint32_t)f.p[1] << 16 | (uint32_t)f.p[2] << 8 |
			       (uint32_t)f.p[3];
}

static inline uint64_t cur_u64le(struct cur *c)
{
	uint64_t low = cur_u32le(c);

	return low | (uint64_t)cur_u32le(c) << 32;
}

/* A NUL-terminated string; the result excludes the NUL. Bad if there is none. */
static inline struct cur cur_cstr(struct cur *c)
{
	const uint8_t *nul = c->bad ? NULL : memchr(c->p, 0, c->left);
	struct cur out;

	if (nul == NULL)
		return cur_take(c, SIZE_MAX);
	out = cur_take(c, (size_t)(nul - c->p));
	cur_take(c, 1);
	return out;
}

/* Is it exactly these bytes? For public values: not constant-time (see secret.h). */
static inline bool cur_is(const struct cur *c, const void *bytes, size_t len)
{
	return !c->bad && c->left == len && (len == 0 || memcmp(c->p, bytes, len) == 0);
}

static inline bool cur_is_str(const struct cur *c, const char *text)
{
	return cur_is(c, text, strlen(text));
}

static inline bool cur_eq(const struct cur *a, const struct cur *b)
{
	return !b->bad && cur_is(a, b->p, b->left);
}

static inline bool cur_all_zero(const struct cur *c)
{
	for (size_t i = 0; i < c->left; i++)
		if (c->p[i] != 0)
			return false;
	return !c->bad;
}

#endif
