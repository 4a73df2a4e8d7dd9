/* SPDX-License-Identifier: Apache-2.0
 *
 * One TLS connection without a socket: bytes in, bytes out. OpenSSL reads what the caller received and
 * writes into a buffer that the caller will send (a BIO of ours; OpenSSL's own memory BIOs keep what they
 * grew to). Any loop can host it, and a test needs no network.
 *
 * A channel proves nothing about the peer: certificates are accepted unseen in the handshake and appraised
 * after it (relying_party.h), because a TLS alert has no room for a reason. Not thread-safe.
 */
#ifndef TLS_CHANNEL_H
#define TLS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cur.h"
#include "ratls.h"

struct identity; /* identity.h */

enum channel_role { CHANNEL_SERVER, CHANNEL_CLIENT };

/* What all connections of one role and identity share. Immutable; references are counted atomically. */
struct channel_context;

struct channel_context_options {
	enum channel_role role;
	struct identity *identity; /* may be NULL for a client: it presents no certificate */
	bool request_certificate;  /* server: ask for the client's (the handshake succeeds without one) */
};

int channel_context_new(const struct channel_context_options *options, struct channel_context **ret,
	struct ratls_error *err);
struct channel_context *channel_context_ref(struct channel_context *c);
void channel_context_free(struct channel_context *c);

struct channel;

/* server_name is sent as SNI if it is a name; NULL for servers. Takes its own reference of context. */
int channel_new(struct channel_context *context, const char *server_name, struct channel **ret,
	struct ratls_error *err);
void channel_free(struct channel *c);

enum channel_status {
	CHANNEL_OK,        /* done what was asked */
	CHANNEL_WANT_READ, /* needs more received bytes */
	CHANNEL_CLOSED,    /* the peer has said close_notify */
	CHANNEL_FAILED,    /* no further use; err is filled */
};

/* Room for what is to be sent: the channel appends at p + len and never past cap. What does not fit stays
 * in the channel and comes out first the next time (channel_flush). */
struct channel_out {
	uint8_t *p;
	size_t len, cap;
};

/* The most that `plain` bytes become when written, in records of 16 KiB. */
#define CHANNEL_SEALED_MAX(plain) ((plain) + ((plain) / 16384 + 2) * 64)

/* What a channel keeps at most because there was no room: more fails the channel. Certificates of 64 KiB
 * and more fit. It is also the largest certificate chain that is taken from a peer. */
#define CHANNEL_PENDING_MAX ((size_t)256 << 10)

/* Advance the handshake. Reads from in, appends to out (even when it fails: an alert). */
enum channel_status channel_handshake(struct channel *c, struct cur *in, struct channel_out *out,
	struct ratls_error *err);

/* Decrypt from in into plain (up to cap; *ret_len bytes, more than 0 only if OK). The unread rest stays in
 * `in`; call again until it wants to read. */
enum channel_status channel_read(struct channel *c, struct cur *in, struct channel_out *out, uint8_t *plain,
	size_t cap, size_t *ret_len, struct ratls_error *err);

/* Encrypt all of plain; give out CHANNEL_SEALED_MAX(len) bytes of room. CHANNEL_WANT_READ: none of it was taken, because
 * a message of the peer's TLS is half there; read the rest of that first. */
enum channel_status channel_write(struct channel *c, const uint8_t *plain, size_t len,
	struct channel_out *out, struct ratls_error *err);

/* Move what had no room before into out. */
void channel_flush(struct channel *c, struct channel_out *out);
bool channel_has_pending(const struct channel *c);

/* Say close_notify (once; later calls do nothing). */
void channel_close(struct channel *c, struct channel_out *out);

/* The peer's certificate as DER, copied into ret (an empty buffer). RATLS_E_NO_EVIDENCE if it gave none. */
struct buf;
int channel_peer_certificate(struct channel *c, struct buf *ret, struct ratls_error *err);

/* The chain as received, PEM, leaf first (`teesql root`, `--starttls -showcerts` habits). Clients only. */
int channel_peer_chain_pem(struct channel *c, struct buf *ret, struct ratls_error *err);

/* Let go of what the session keeps of the peer's certificate, once it has been appraised. */
void channel_forget_peer(struct channel *c);

/* Give back the record buffers, 34 KB, until there is a record again; not in the middle of one. For idle sessions:
 * to have buffers anew for each record costs a busy one 4 % of its time. */
void channel_rest(struct channel *c);

struct channel_info {
	const char *version, *cipher; /* static text of OpenSSL */
	char alpn[16];                /* "" if none was agreed */
};
void channel_info(const struct channel *c, struct channel_info *ret);

#endif
