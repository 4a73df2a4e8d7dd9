/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes both ways. What one receive brought becomes one send: at most one chunk waits and one buffer is on
 * its way in each direction, and while it is, one more chunk may come but is not read, which is all the back
 * pressure there is. An idle session holds neither, and one whose reader is slow holds no chunk once buffers
 * are short.
 */
#include "relay/conn.h"

#include "base/log.h"

/* Seal what `from` has. TLS takes all of it, or nothing while a message of the peer's TLS is half there (a session
 * ticket, say): then it waits for the rest of that. */
static enum channel_status seal(struct end *from, struct end *to, struct channel_out *room, uint64_t *bytes)
{
	size_t n = from->unread.left;
	enum channel_status status = CHANNEL_OK;

	channel_flush(to->channel, room);
	if (n > 0)
		status = channel_write(to->channel, from->unread.p, n, room, NULL);
	if (n > 0 && status == CHANNEL_OK) {
		*bytes += n;
		end_consumed(from);
	}
	return status;
}

/* Fill room from `from`. The room takes what a chunk can become, so that one pass empties it. */
static enum channel_status fill(struct end *from, struct end *to, struct channel_out *room, uint64_t *bytes)
{
	enum channel_status status = CHANNEL_OK;
	size_t n;

	if (to->channel != NULL)
		return seal(from, to, room, bytes);
	/* Records are read one by one: when no bytes are left, asking once more would only find that out. */
	while (status == CHANNEL_OK && room->len < room->cap && from->unread.left > 0) {
		status = end_read(from, room->p + room->len, room->cap - room->len, &n, NULL);
		room->len += n;
		*bytes += n;
	}
	return status;
}

static bool has_work(const struct end *from, const struct end *to)
{
	return from->unread.left > 0 || (to->channel != NULL && channel_has_pending(to->channel));
}

/* One direction. False if TLS has failed: nothing of this session can be trusted any more. */
static bool pump(struct end *from, struct end *to, uint64_t *bytes)
{
	struct channel_out room;
	bool failed;

	if (to->finished) { /* nobody is there to read it, and no more is asked for */
		end_consumed(from);
		return true;
	}
	if (to->out == NULL && has_work(from, to)) {
		if (!end_room(to, &room))
			return false;
		failed = fill(from, to, &room, bytes) == CHANNEL_FAILED;
		if (failed)
			room.len = 0;
		end_put(to, &room);
		if (failed)
			return false;
	}
	/* While this is on its way the next may come already, unless buffers are short. */
	if (to->out == NULL || loop_chunks_abound(from->sock.loop))
		end_want(from);
	if (from->eof && from->unread.left == 0 && to->out == NULL)
		end_finish(to);
	return true;
}

/* The StartupMessage, or CancelRequest, that was read before the back end was there. */
static enum conn_step begin(struct conn *c)
{
	struct setup *s = c->setup;

	if (!s->verdict.accepted)
		return STEP_CLOSE;
	if (c->back.out != NULL)
		return STEP_AGAIN;
	if (!end_send(&c->back, s->startup.p, s->startup.len))
		return STEP_CLOSE;
	c->bytes_up += s->startup.len;
	atomic_fetch_add(&c->service->counters.established, 1);
	conn_setup_done(c);
	return STEP_NEXT;
}

/* A forwarder's server has gone without close_notify, and all that came from it has been passed on: what the driver
 * waits for will not come. */
static bool is_lost(const struct conn *c)
{
	return c->service->options.role == SERVICE_FORWARDER && c->back.eof && c->back.truncated &&
	       c->back.unread.left == 0 && c->front.out == NULL && !c->front.finished;
}

enum conn_step relay_step(struct conn *c)
{
	uint64_t up = c->bytes_up, down = c->bytes_down;
	bool fine;

	if (c->setup != NULL) {
		enum conn_step step = begin(c);

		if (step != STEP_NEXT)
			return step;
	}
	if (is_lost(c))
		return conn_farewell(c, PG_SQLSTATE_CONNECTION_LOST, "the attested connection to the server was lost",
			"the server went away without a goodbye");
	end_warm(conn_attested(c));
	fine = pump(&c->front, &c->back, &c->bytes_up) && pump(&c->back, &c->front, &c->bytes_down);
	/* Reading one end may have made its TLS want to say something (a key update): it goes with the next send. */
	fine = fine && pump(&c->front, &c->back, &c->bytes_up);
	atomic_fetch_add_explicit(&c->service->counters.bytes_up, c->bytes_up - up, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->service->counters.bytes_down, c->bytes_down - down, memory_order_relaxed);
	if (!fine) {
		c->why = "TLS failed";
		return STEP_CLOSE;
	}
	if (!c->front.finished || !c->back.finished)
		return STEP_AGAIN;
	if (c->front.truncated || c->back.truncated)
		c->why = c->front.truncated ? "the client went away without a goodbye" : "the server went away without a goodbye";
	return c->why != NULL ? STEP_CLOSE : STEP_NEXT;
}
