/* SPDX-License-Identifier: Apache-2.0
 *
 * The StartupMessage or CancelRequest of the front: inside TLS on a sidecar, plaintext on a forwarder,
 * where requests for encryption are answered "N".
 */
#include <string.h>

#include "base/log.h"
#include "pg/first.h"
#include "relay/conn.h"

static enum conn_step answer_no(struct conn *c)
{
	struct setup *s = c->setup;

	if (c->front.channel != NULL)
		return conn_refuse_protocol(c, "request for encryption inside TLS");
	if (++s->requests > 2)
		return conn_close_protocol(c, "too many requests for encryption");
	memmove(s->startup.p, s->startup.p + 8, s->startup.len - 8);
	s->startup.len -= 8;
	return end_send(&c->front, (const uint8_t *)"N", 1) ? STEP_AGAIN : STEP_CLOSE;
}

static enum conn_step startup(struct conn *c, size_t len)
{
	struct setup *s = c->setup;
	struct pg_startup m;

	if (!pg_startup_parse(cur_of(s->startup.p, len), &m))
		return conn_refuse_protocol(c, "invalid startup packet");
	return s->refused ? STEP_REFUSE : STEP_NEXT;
}

static enum conn_step cancel(struct conn *c)
{
	atomic_fetch_add(&c->service->counters.cancels, 1);
	c->cancel = true;
	return c->setup->refused ? STEP_REFUSE : STEP_NEXT;
}

static enum conn_step look(struct conn *c)
{
	struct setup *s = c->setup;
	size_t len;

	switch (pg_first_look(cur_of(s->startup.p, s->startup.len), &len)) {
	case PG_FIRST_STARTUP:
		return startup(c, len);
	case PG_FIRST_CANCEL:
		return cancel(c);
	case PG_FIRST_SSL_REQUEST:
	case PG_FIRST_GSS_REQUEST:
		return answer_no(c);
	case PG_FIRST_OVERSIZED:
		return conn_refuse_protocol(c, "invalid length of startup packet");
	case PG_FIRST_MORE:
		return STEP_AGAIN;
	case PG_FIRST_TLS:
		return conn_close_protocol(c, "TLS on a plaintext port (use sslmode=disable)");
	case PG_FIRST_HTTP:
	case PG_FIRST_OTHER:
		break;
	}
	return conn_close_protocol(c, "the first bytes are not PostgreSQL's");
}

enum conn_step startup_step(struct conn *c)
{
	struct end *front = &c->front;
	struct buf *in = &c->setup->startup;
	struct ratls_error err = {0};
	enum channel_status status = CHANNEL_OK;
	enum conn_step step = STEP_AGAIN;
	size_t n;

	while (step == STEP_AGAIN && status == CHANNEL_OK) {
		if (front->out != NULL)
			return STEP_AGAIN;
		if (in->len > 0)
			step = look(c);
		if (step != STEP_AGAIN || front->out != NULL)
			break;
		if (buf_reserve(in, PG_STARTUP_MAX - in->len) == NULL)
			return STEP_CLOSE;
		status = end_read(front, in->p + in->len, PG_STARTUP_MAX - in->len, &n, &err);
		buf_added(in, n);
	}
	if (step != STEP_AGAIN || front->out != NULL)
		return step;
	if (status != CHANNEL_WANT_READ || front->eof)
		return STEP_CLOSE;
	if (front->channel != NULL && channel_has_pending(front->channel) && !end_send(front, NULL, 0))
		return STEP_CLOSE;
	end_want(front);
	return STEP_AGAIN;
}
