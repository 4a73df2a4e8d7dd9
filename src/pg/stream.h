/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the server's messages begin and end (type, length, body: chapter 55.7 of PostgreSQL's manual), for who
 * relays them and may put in one of its own. Nothing is kept of them, however they are cut.
 */
#ifndef PG_STREAM_H
#define PG_STREAM_H

#include <stdbool.h>

#include "base/cur.h"

#define PG_HEADER_SIZE 5 /* a type and a length, which counts itself and not the type */

/* Zeroed, it is before the first message. */
struct pg_stream {
	uint8_t header[PG_HEADER_SIZE];
	uint8_t have;  /* of the header */
	bool lost;     /* a length that no message has: from there on nothing is known */
	uint32_t left; /* of the body */
};

/* These bytes come next. */
void pg_stream_follow(struct pg_stream *s, struct cur bytes);

/* Is what came so far whole messages? */
bool pg_stream_is_whole(const struct pg_stream *s);

#endif
