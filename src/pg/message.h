/* SPDX-License-Identifier: Apache-2.0
 *
 * The PostgreSQL messages that a proxy reads or makes itself: chapter 55.7 of PostgreSQL's manual. Pure
 * functions on bytes.
 */
#ifndef PG_MESSAGE_H
#define PG_MESSAGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/cur.h"

#define PG_SSL_REQUEST    80877103u /* 0x04d2162f */
#define PG_GSS_REQUEST    80877104u
#define PG_CANCEL_REQUEST 80877102u

/* SQLSTATEs that a proxy has reason to send. */
#define PG_SQLSTATE_CONNECTION_LOST   "08006"
#define PG_SQLSTATE_REFUSED_BY_POLICY "08004" /* sqlserver_rejected_establishment_of_sqlconnection */
#define PG_SQLSTATE_PROTOCOL          "08P01"
#define PG_SQLSTATE_AUTHORIZATION     "28000"
#define PG_SQLSTATE_TOO_MANY          "53300"
#define PG_SQLSTATE_SHUTDOWN          "57P01"
#define PG_SQLSTATE_CANNOT_CONNECT    "57P03"
#define PG_SQLSTATE_IDLE_TIMEOUT      "57P05"

struct pg_startup {
	struct cur user, database; /* without NUL; database is the user's name if the client named none */
	struct cur replication;    /* empty if absent */
};

/* The parameters of a whole StartupMessage. False if it is malformed: no terminator, a name without a
 * value, no user, a parameter twice that we look at. */
bool pg_startup_parse(struct cur packet, struct pg_startup *ret);

struct pg_error {
	const char *sqlstate;
	const char *message;
	const char *detail; /* or NULL */
	const char *hint;   /* or NULL */
};

/* A FATAL ErrorResponse. */
void pg_error_append(struct buf *b, const struct pg_error *e);

#endif
