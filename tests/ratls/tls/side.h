/* SPDX-License-Identifier: Apache-2.0
 *
 * Two sides of a TLS connection in memory: each is a channel, or OpenSSL used directly as an independent
 * peer. What one sends lies in the other's `in` until it is read. Everything asserts; nothing returns errors.
 */
#ifndef TESTS_SIDE_H
#define TESTS_SIDE_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "tls/channel.h"
#include "tls/identity.h"

struct side {
	struct channel *channel; /* one of the two */
	SSL *ssl;
	size_t room, chunk; /* of a channel: sizes of `out` and of pieces of input */
	struct buf in;
	size_t taken; /* of in */
	enum channel_status status;
	struct ratls_error err;
};

/* A key and a certificate for it; the certificate has an extension of this many bytes (attestation's OID). */
struct identity *side_identity(size_t extension);

/* DER of an identity's leaf. */
void side_leaf(struct identity *id, struct buf *ret);

/* With rooms and pieces of 64 KiB. server_name is for clients. */
void side_channel(struct side *s, enum channel_role role, struct identity *id, const char *server_name);
void side_ssl(struct side *s, SSL_CTX *ctx, enum channel_role role);

/* An OpenSSL context that verifies nobody; id may be NULL; version is TLS1_2_VERSION and the like. */
SSL_CTX *side_ssl_context(enum channel_role role, struct identity *id, int version);

void side_done(struct side *s);

/* One turn of the handshake for s. True if it read or sent anything. */
bool side_turn(struct side *s, struct side *other);

/* The handshake, until nobody has anything to say. */
void side_shake(struct side *a, struct side *b);

/* s sends text; it then lies in other->in. */
void side_say(struct side *s, struct side *other, const void *text, size_t len);

/* s reads what there is for it, appended to ret; its answers, if any, go to other->in. */
enum channel_status side_hear(struct side *s, struct side *other, struct buf *ret);

/* What lies unread in s->in. */
struct cur side_unread(const struct side *s);
void side_drop_unread(struct side *s);

#endif
