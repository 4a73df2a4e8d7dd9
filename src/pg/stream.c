/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/stream.h"

#define LENGTH_MIN 4u
#define LENGTH_MAX 0x7fffffffu /* Int32 */

static size_t at_most(size_t n, const struct cur *bytes)
{
	return n < bytes->left ? n : bytes->left;
}

/* A message with this length begins: of it this much is still to come. */
static uint32_t body(struct pg_stream *s, uint32_t length)
{
	s->lost = length < LENGTH_MIN || length > LENGTH_MAX;
	return s->lost ? 0 : length - LENGTH_MIN;
}

/* A header that comes in pieces. */
static void gather(struct pg_stream *s, struct cur *bytes)
{
	struct cur part = cur_take(bytes, at_most(PG_HEADER_SIZE - s->have, bytes));
	struct cur length = cur_of(s->header + 1, PG_HEADER_SIZE - 1);

	memcpy(s->header + s->have, part.p, part.left);
	s->have = (uint8_t)(s->have + part.left);
	if (s->have < PG_HEADER_SIZE)
		return;
	s->have = 0;
	s->left = body(s, cur_u32be(&length));
}

void pg_stream_follow(struct pg_stream *s, struct cur bytes)
{
	while (bytes.left > 0 && !s->lost) {
		if (s->left > 0) {
			s->left -= (uint32_t)cur_take(&bytes, at_most(s->left, &bytes)).left;
		} else if (s->have > 0 || bytes.left < PG_HEADER_SIZE) {
			gather(s, &bytes);
		} else {
			cur_u8(&bytes);
			s->left = body(s, cur_u32be(&bytes));
		}
	}
}

bool pg_stream_is_whole(const struct pg_stream *s)
{
	return !s->lost && s->left == 0 && s->have == 0;
}
