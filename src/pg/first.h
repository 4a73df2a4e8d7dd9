/* SPDX-License-Identifier: Apache-2.0
 *
 * What a peer of the PostgreSQL port begins with: PostgreSQL 17, chapter 55.2.1 and 55.7. A pure function.
 */
#ifndef PG_FIRST_H
#define PG_FIRST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cur.h"

/* Length, version and the terminator of no parameter at all; PostgreSQL's MAX_STARTUP_PACKET_LENGTH. */
#define PG_STARTUP_MIN 9
#define PG_STARTUP_MAX 10000

/* Length, code, process and a key: of 4 bytes, with protocol 3.2 of up to 256. */
#define PG_CANCEL_MIN 16
#define PG_CANCEL_MAX 268

/* Four bytes that are more than this are another protocol's text, not a length. */
#define PG_LENGTH_MAX 0xffffffu

enum pg_first {
	PG_FIRST_MORE,        /* too few bytes to tell */
	PG_FIRST_TLS,         /* a TLS record */
	PG_FIRST_SSL_REQUEST, /* 8 bytes */
	PG_FIRST_GSS_REQUEST, /* 8 bytes */
	PG_FIRST_CANCEL,      /* a whole CancelRequest */
	PG_FIRST_STARTUP,     /* a whole StartupMessage of protocol 3 */
	PG_FIRST_HTTP,        /* an HTTP client on the wrong port */
	PG_FIRST_OVERSIZED,   /* a PostgreSQL packet that is longer than any may be */
	PG_FIRST_OTHER,       /* anything else */
};

/* Look at the bytes received so far. What a piece of them is once it is not PG_FIRST_MORE, more of them do
 * not change. *ret_len is the length of the whole packet that they begin with, 0 where there is none. */
enum pg_first pg_first_look(struct cur bytes, size_t *ret_len);

#endif
