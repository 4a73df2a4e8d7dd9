/* SPDX-License-Identifier: Apache-2.0
 *
 * What a peer of the PostgreSQL port begins with: PostgreSQL 17, chapter 55.2.1 and 55.7. A pure function.
 */
#ifndef PG_FIRST_H
#define PG_FIRST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cur.h"

/* PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH). */
#define PG_STARTUP_MAX 10000

/* A cancel request of protocol 3.2 carries a key of up to 256 bytes. */
#define PG_CANCEL_MAX 268

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

/* Look at the bytes received so far. *ret_len is the length of the packet, for those that have one. */
enum pg_first pg_first_look(struct cur bytes, size_t *ret_len);

/* For logs: "TLS", "SSLRequest", ... never content. */
const char *pg_first_name(enum pg_first first);

#endif
