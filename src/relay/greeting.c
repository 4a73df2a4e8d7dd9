/* SPDX-License-Identifier: Apache-2.0
 *
 * The sidecar's port by first bytes (behaviour of PostgreSQL's own, and what it must refuse): everything
 * up to the first byte of TLS.
 */
#include <stdio.h>

#include "base/log.h"
#include "pg/first.h"
#include "relay/conn.h"

/* Answer an SSLRequest or GSSENCRequest with one byte. Invariant nothing_after_sslrequest: what is already
 * there behind it was not encrypted, so whoever sent it wants it taken for what follows (CVE-2021-23214). */
static enum conn_step answer(struct conn *c, const char *byte)
{
	struct setup *s = c->setup;

	if (s->startup.len > 8 || c->front.unread.left > 0)
		return conn_close_protocol(c, "unencrypted bytes behind a request for encryption");
	if (++s->requests > 2)
		return conn_close_protocol(c, "too many requests for encryption");
	s->startup.len = 0;
	s->promised_tls = byte[0] == 'S';
	if (!end_send(&c->front, (const uint8_t *)byte, 1))
		return STEP_CLOSE;
	return STEP_AGAIN;
}

static enum conn_step refuse_plaintext(struct conn *c)
{
	atomic_fetch_add(&c->service->counters.refused_protocol, 1);
	return conn_refuse(c, PG_SQLSTATE_AUTHORIZATION, REASON_TLS_REQUIRED, "TLS is required");
}

static enum conn_step refuse_http(struct conn *c)
{
	static const char line[] = "this port speaks PostgreSQL over TLS; HTTP is not served, here or on port 8080\r\n";

	buf_fmt(&c->setup->raw_reply,
		"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		sizeof(line) - 1, line);
	atomic_fetch_add(&c->service->counters.refused_protocol, 1);
	c->why = "an HTTP request";
	return conn_refuse(c, PG_SQLSTATE_PROTOCOL, REASON_HTTP_ON_SQL_PORT, "HTTP request on the PostgreSQL port");
}

static enum conn_step by_first_bytes(struct conn *c)
{
	struct setup *s = c->setup;
	size_t len;
	enum pg_first first = pg_first_look(cur_of(s->startup.p, s->startup.len), &len);

	if (s->promised_tls && first != PG_FIRST_MORE)
		return conn_close_protocol(c, "no TLS after an answered SSLRequest");
	switch (first) {
	case PG_FIRST_SSL_REQUEST:
		return answer(c, "S");
	case PG_FIRST_GSS_REQUEST:
		return answer(c, "N");
	case PG_FIRST_STARTUP:
		return refuse_plaintext(c);
	case PG_FIRST_OVERSIZED:
		return conn_refuse_protocol(c, "invalid length of startup packet");
	case PG_FIRST_CANCEL:
		return conn_close_protocol(c, "plaintext CancelRequest");
	case PG_FIRST_HTTP:
		return refuse_http(c);
	case PG_FIRST_MORE:
		return STEP_AGAIN;
	case PG_FIRST_TLS:
	case PG_FIRST_OTHER:
		break;
	}
	return conn_close_protocol(c, "the first bytes are neither TLS nor PostgreSQL's");
}

enum conn_step greeting_step(struct conn *c)
{
	struct end *front = &c->front;
	struct setup *s = c->setup;
	enum conn_step step = STEP_AGAIN;
	size_t n;

	while (step == STEP_AGAIN && front->unread.left > 0 && front->out == NULL) {
		struct cur got;

		if (s->startup.len == 0 && front->unread.p[0] == 0x16)
			return STEP_NEXT;
		n = PG_STARTUP_MAX - s->startup.len;
		got = cur_take(&front->unread, n < front->unread.left ? n : front->unread.left);
		buf_bytes(&s->startup, got.p, got.left);
		step = s->startup.bad ? STEP_CLOSE : by_first_bytes(c);
		if (front->unread.left == 0)
			end_consumed(front);
	}
	if (step != STEP_AGAIN)
		return step;
	if (front->eof)
		return STEP_CLOSE;
	end_want(front);
	return STEP_AGAIN;
}
