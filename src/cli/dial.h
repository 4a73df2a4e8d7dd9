/* SPDX-License-Identifier: Apache-2.0
 *
 * A look at a server: connect, shake hands, keep what it presented, hang up. Blocking.
 */
#ifndef CLI_DIAL_H
#define CLI_DIAL_H

#include "base/buf.h"
#include "cli/dsn.h"
#include "ratls.h"

struct identity;

struct dial_options {
	const struct dsn_host *hosts; /* tried in order, each with all of its addresses */
	size_t n_hosts;
	struct identity *identity; /* what we present, NULL for nothing */
	bool starttls;             /* ask with PostgreSQL's SSLRequest; else TLS from the first byte */
	int64_t timeout_ms;        /* of each connection attempt, and of the handshake */
};

struct peer {
	struct dsn_host host;
	char address[80];                 /* numeric, with port */
	struct buf leaf;                  /* its certificate, DER */
	struct buf chain_pem;             /* as presented, leaf first */
	const char *tls_version, *cipher; /* static text */
	char alpn[16];                    /* "" if none was agreed */
	int64_t dns_ms, tcp_ms, tls_ms;
};

/* RATLS_E_IO (reason UNREACHABLE) if no address answered, RATLS_E_TLS (TLS_HANDSHAKE) if the handshake
 * failed; the sentence names the address. */
int dial(const struct dial_options *options, struct peer *ret, struct ratls_error *err);
void peer_done(struct peer *p);

#endif
