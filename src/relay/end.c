/* SPDX-License-Identifier: Apache-2.0
 *
 * One end of a connection: what was received and not yet read, what is being sent, and TLS if it has it.
 */
#include <string.h>

#include "base/err.h"
#include "relay/conn.h"

static struct end *end_of(struct sock *s)
{
	return (void *)((char *)s - offsetof(struct end, sock));
}

/* What this end says in clear comes next. */
static void follow(struct end *e, const uint8_t *p, size_t len)
{
	struct conn *c = e->sock.owner;

	if (e == &c->back && c->state == CONN_RELAY)
		pg_stream_follow(&c->answers, cur_of(p, len));
}

static void received(struct sock *s, int result, struct loop_chunk chunk)
{
	struct end *e = end_of(s);
	struct conn *c = s->owner;

	e->in = chunk;
	e->unread = cur_of(chunk.p, chunk.len);
	c->active_at = loop_now(c->loop);
	if (e->channel == NULL)
		follow(e, chunk.p, chunk.len);
	if (result <= 0) {
		e->truncated = result < 0 || (e->channel != NULL && !e->eof);
		e->eof = true;
		e->finished = e->finished || result < 0;
	}
	conn_drive(c);
}

static void sent(struct sock *s, int result)
{
	struct end *e = end_of(s);
	struct conn *c = s->owner;

	loop_out_release(c->loop, e->out);
	e->out = NULL;
	if (result < 0)
		e->finished = true; /* what more there is for it is dropped; the other direction goes on */
	conn_drive(c);
}

static void closed(struct sock *s)
{
	struct end *e = end_of(s);
	struct conn *c = s->owner;

	e->open = false;
	loop_out_release(c->loop, e->out);
	e->out = NULL;
	end_consumed(e);
	c->closing--;
	conn_drive(c);
}

int end_open(struct conn *c, struct end *e, int fd, struct ratls_error *err)
{
	int rc;

	*e = (struct end){.unread = cur_of(NULL, 0)};
	e->sock.owner = c;
	e->sock.received = received;
	e->sock.sent = sent;
	e->sock.closed = closed;
	rc = sock_open(&e->sock, c->loop, fd, err);
	e->open = rc == RATLS_OK;
	return rc;
}

void end_done(struct end *e)
{
	if (e->warm != NULL)
		*e->warm = NULL;
	channel_free(e->channel);
}

void end_warm(struct end *e)
{
	struct conn *c = e->sock.owner;
	struct worker *w;

	if (e->warm != NULL)
		return;
	w = c->worker;
	e->warm = &w->warm[w->next_warm++ % WARM_CHANNELS];
	if (*e->warm != NULL) {
		channel_rest((*e->warm)->channel);
		(*e->warm)->warm = NULL;
	}
	*e->warm = e;
}

void end_close(struct conn *c, struct end *e)
{
	if (!e->open || e->sock.closing)
		return;
	c->closing++;
	sock_close(&e->sock);
}

void end_want(struct end *e)
{
	if (e->open && !e->eof && e->in.p == NULL && e->unread.left == 0)
		sock_receive(&e->sock);
}

void end_consumed(struct end *e)
{
	loop_chunk_release(e->sock.loop, &e->in);
	buf_done(&e->parked);
	e->unread = cur_of(NULL, 0);
}

bool end_park(struct end *e)
{
	if (e->in.p == NULL)
		return true;
	buf_bytes(&e->parked, e->unread.p, e->unread.left);
	loop_chunk_release(e->sock.loop, &e->in);
	e->unread = cur_of(e->parked.p, e->parked.len);
	return !e->parked.bad;
}

bool end_room(struct end *e, struct channel_out *ret)
{
	struct loop_out *out = loop_out_borrow(e->sock.loop);

	if (out == NULL)
		return false;
	*ret = (struct channel_out){out->bytes, 0, LOOP_OUT_SIZE};
	return true;
}

void end_put(struct end *e, const struct channel_out *room)
{
	struct loop_out *out = (void *)(room->p - offsetof(struct loop_out, bytes));

	if (room->len == 0) {
		loop_out_release(e->sock.loop, out);
		return;
	}
	e->out = out;
	sock_send(&e->sock, out->bytes, room->len);
}

bool end_send(struct end *e, const uint8_t *p, size_t len)
{
	struct channel_out room;
	bool sealed = true;

	if (e->finished || !e->open || len > LOOP_OUT_SIZE || !end_room(e, &room))
		return false;
	if (e->channel == NULL) {
		memcpy(room.p, p, len);
		room.len = len;
	} else {
		channel_flush(e->channel, &room);
		sealed = len == 0 || channel_write(e->channel, p, len, &room, NULL) == CHANNEL_OK;
	}
	if (!sealed)
		room.len = 0;
	end_put(e, &room);
	return sealed;
}

bool end_finish(struct end *e)
{
	struct channel_out room;

	if (e->finished)
		return true;
	if (e->out != NULL)
		return false;
	if (e->channel != NULL && end_room(e, &room)) {
		channel_flush(e->channel, &room);
		channel_close(e->channel, &room);
		end_put(e, &room);
		if (e->out != NULL)
			return false;
	}
	sock_shutdown_send(&e->sock);
	e->finished = true;
	return true;
}

enum channel_status end_read(struct end *e, uint8_t *p, size_t cap, size_t *ret_len, struct ratls_error *err)
{
	enum channel_status status = CHANNEL_WANT_READ;
	struct cur got;

	*ret_len = 0;
	if (e->channel != NULL) {
		status = channel_read(e->channel, &e->unread, NULL, p, cap, ret_len, err);
		follow(e, p, *ret_len);
		if (status == CHANNEL_CLOSED) {
			e->eof = true;
			end_consumed(e); /* nothing counts behind close_notify */
		}
	} else if (e->unread.left > 0 && cap > 0) {
		got = cur_take(&e->unread, cap < e->unread.left ? cap : e->unread.left);
		memcpy(p, got.p, got.left);
		*ret_len = got.left;
		status = CHANNEL_OK;
	}
	if (e->unread.left == 0)
		end_consumed(e);
	return status;
}
