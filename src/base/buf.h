/* SPDX-License-Identifier: Apache-2.0
 *
 * A growable writer. Like the cursor it is sticky: a failed append makes it bad, and the writer checks
 * once at the end. Its growth is bounded by BUF_MAX; what a peer can make us append must be bounded by
 * the caller long before.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUF_MAX ((size_t)64 << 20)

struct buf {
	uint8_t *p;
	size_t len, cap;
	bool bad; /* out of memory, or past BUF_MAX */
};

/* {0} is an empty buffer. */
void buf_done(struct buf *b); /* frees; b is empty again */

/* Room for n more bytes, or NULL. The bytes count once buf_added says so. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);

void buf_bytes(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *text); /* without its NUL */
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u8(struct buf *b, uint8_t v);
void buf_u16le(struct buf *b, uint16_t v);
void buf_u32le(struct buf *b, uint32_t v);
void buf_u16be(struct buf *b, uint16_t v);
void buf_u32be(struct buf *b, uint32_t v);

/* The content as a NUL-terminated string that the caller frees; b is empty after. NULL if b was bad. */
char *buf_take_str(struct buf *b);

#endif
