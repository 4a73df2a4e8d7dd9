/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap > 0 ? b->cap : 256;
	uint8_t *p;

	if (b->bad || n > BUF_MAX - b->len) {
		b->bad = true;
		return NULL;
	}
	while (cap < b->len + n)
		cap *= 2;
	if (cap > b->cap) {
		p = realloc(b->p, cap);
		if (p == NULL) {
			b->bad = true;
			return NULL;
		}
		b->p = p;
		b->cap = cap;
	}
	return b->p + b->len;
}

void buf_added(struct buf *b, size_t n)
{
	b->len += n;
}

void buf_bytes(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_reserve(b, n);

	if (to == NULL || n == 0)
		return;
	memcpy(to, p, n);
	b->len += n;
}

void buf_str(struct buf *b, const char *text)
{
	buf_bytes(b, text, strlen(text));
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;
	uint8_t *to;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (to = buf_reserve(b, (size_t)n + 1)) == NULL) {
		b->bad = true;
		return;
	}
	va_start(ap, fmt);
	vsnprintf((char *)to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_u8(struct buf *b, uint8_t v)
{
	buf_bytes(b, &v, 1);
}

void buf_u16le(struct buf *b, uint16_t v)
{
	buf_bytes(b, (uint8_t[]){(uint8_t)v, (uint8_t)(v >> 8)}, 2);
}

void buf_u32le(struct buf *b, uint32_t v)
{
	buf_u16le(b, (uint16_t)v);
	buf_u16le(b, (uint16_t)(v >> 16));
}

void buf_u16be(struct buf *b, uint16_t v)
{
	buf_bytes(b, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

void buf_u32be(struct buf *b, uint32_t v)
{
	buf_u16be(b, (uint16_t)(v >> 16));
	buf_u16be(b, (uint16_t)v);
}

char *buf_take_str(struct buf *b)
{
	char *out;

	buf_u8(b, 0);
	if (b->bad) {
		buf_done(b);
		return NULL;
	}
	out = (char *)b->p;
	*b = (struct buf){0};
	return out;
}
