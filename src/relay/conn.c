/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a connection: the table of its states, the driver that walks it, the one way to close.
 * doc/ARCHITECTURE.md draws the table; a test keeps both equal.
 */
#include "relay/conn.h"

#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/secret.h"

#define NO_LIMIT ((size_t)-1)
#define LIMIT(member) offsetof(struct service_timeouts, member)

static const struct {
	const char *name;
	size_t limit; /* offset in the timeouts */
	enum conn_step (*step)(struct conn *c);
	enum conn_state next[SERVICE_ROLES]; /* by role: sidecar, forwarder */
	const char *late[SERVICE_ROLES];     /* what took too long, for the front; NULL: it cannot hear of it */
	enum reason late_reason;
} states[CONN_STATES] = {
#define ROW(name_, limit_, sidecar, forwarder) \
	.name = #name_, .limit = (limit_), .step = name_##_step, .next = {CONN_##sidecar, CONN_##forwarder}
	[CONN_GREETING] = {ROW(greeting, LIMIT(greeting), HANDSHAKE, STARTUP)},
	[CONN_STARTUP] = {ROW(startup, LIMIT(startup), DIAL, DIAL)},
	[CONN_DIAL] = {ROW(dial, LIMIT(dial), RELAY, UPGRADE), .late = {"upstream connect", "upstream connect"},
		.late_reason = REASON_UNREACHABLE},
	[CONN_UPGRADE] = {ROW(upgrade, LIMIT(handshake), CLOSED, HANDSHAKE), .late = {NULL, "upstream TLS handshake"},
		.late_reason = REASON_TLS_HANDSHAKE},
	[CONN_HANDSHAKE] = {ROW(handshake, LIMIT(handshake), APPRAISE, APPRAISE), .late = {NULL, "upstream TLS handshake"},
		.late_reason = REASON_TLS_HANDSHAKE},
	[CONN_APPRAISE] = {ROW(appraise, LIMIT(appraise), STARTUP, RELAY), .late = {"appraisal", "appraisal"},
		.late_reason = REASON_SERVICE_TIMEOUT},
	[CONN_RELAY] = {ROW(relay, NO_LIMIT, CLOSED, CLOSED)},
	[CONN_REFUSE] = {ROW(refuse, LIMIT(linger), CLOSED, CLOSED)},
	[CONN_CLOSED] = {.name = "closed", .limit = NO_LIMIT, .next = {CONN_CLOSED, CONN_CLOSED}},
#undef ROW
};

const char *conn_state_name(enum conn_state state)
{
	return states[state].name;
}

enum conn_state conn_state_next(enum conn_state state, enum service_role role)
{
	return states[state].next[role];
}

static enum service_role role_of(const struct conn *c)
{
	return c->service->options.role;
}

struct end *conn_attested(struct conn *c)
{
	return role_of(c) == SERVICE_SIDECAR ? &c->front : &c->back;
}

void conn_log(const struct conn *c, int level, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!log_wants((enum log_level)level))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_event((enum log_level)level, c->id,
		(struct log_field[]){{"state", states[c->state].name},
			{c->setup != NULL && c->setup->peer[0] != '\0' ? "peer" : NULL, c->setup != NULL ? c->setup->peer : ""}, {0}},
		"%s", text);
}

/* ---- deadlines ------------------------------------------------------------------------------------------ */

static int64_t state_limit(const struct conn *c, enum conn_state state)
{
	const struct service_timeouts *t = &c->service->options.timeouts;

	return states[state].limit == NO_LIMIT ? 0 : *(const int64_t *)((const char *)t + states[state].limit);
}

/* Milliseconds that a session still has; INT64_MAX for ever. */
static int64_t left_of(const struct conn *c, int64_t since, int64_t limit)
{
	return limit > 0 ? since + limit - loop_now(c->loop) : INT64_MAX;
}

/* Of a session that is relayed: until it has been idle or open for too long; 0 for never. */
static int64_t session_limit(const struct conn *c)
{
	const struct service_timeouts *t = &c->service->options.timeouts;
	int64_t idle = left_of(c, c->active_at, t->idle), life = left_of(c, c->opened_at, t->lifetime);
	int64_t first = idle < life ? idle : life;

	if (first == INT64_MAX)
		return 0;
	return first > 1 ? first : 1;
}

static void set_deadline(struct conn *c)
{
	int64_t limit = c->state == CONN_RELAY ? session_limit(c) : state_limit(c, c->state);

	loop_timer_clear(c->loop, &c->deadline);
	if (limit > 0 && !loop_timer_set(c->loop, &c->deadline, limit))
		conn_close(c, "out of memory");
}

static void enter(struct conn *c, enum conn_state state)
{
	c->state = state;
	set_deadline(c);
}

/* ---- refusing ------------------------------------------------------------------------------------------- */

void conn_target(const struct conn *c, char ret[static 300])
{
	const struct service_target *t = c->setup->at;
	const char *host = t != NULL ? t->host : "";

	snprintf(ret, 300, strchr(host, ':') != NULL ? "[%.255s]:%u" : host[0] == '/' ? "%.255s/.s.PGSQL.%u" : "%.255s:%u", host,
		t != NULL ? t->port : 0);
}

enum conn_step conn_refuse(struct conn *c, const char *sqlstate, int reason, const char *fmt, ...)
{
	struct refusal *r = &c->setup->refusal;
	va_list ap;

	r->sqlstate = sqlstate;
	r->reason = reason;
	va_start(ap, fmt);
	vsnprintf(r->message, sizeof(r->message), fmt, ap);
	va_end(ap);
	return STEP_REFUSE;
}

enum conn_step conn_refuse_protocol(struct conn *c, const char *message)
{
	atomic_fetch_add(&c->service->counters.refused_protocol, 1);
	return conn_refuse(c, PG_SQLSTATE_PROTOCOL, REASON_STARTUP_FORMAT, "%s", message);
}

enum conn_step conn_refuse_overload(struct conn *c)
{
	return conn_refuse(
		c, PG_SQLSTATE_CANNOT_CONNECT, REASON_OVERLOADED, "too many connections are being set up");
}

enum conn_step conn_close_protocol(struct conn *c, const char *why)
{
	c->why = why;
	atomic_fetch_add(&c->service->counters.refused_protocol, 1);
	return STEP_CLOSE;
}

/* A client of the sidecar whose evidence is refused has not yet sent its StartupMessage, and drivers show no
 * error that comes before it: so it is read first. */
static enum conn_state refusal_is_told_in(const struct conn *c)
{
	bool too_early = role_of(c) == SERVICE_SIDECAR && c->state == CONN_APPRAISE;

	return too_early ? CONN_STARTUP : CONN_REFUSE;
}

static void refuse(struct conn *c)
{
	c->setup->refused = true;
	conn_job_abandon(c->setup); /* its answer would come too late */
	enter(c, refusal_is_told_in(c));
}

/* A session was there for as long as it may: idle, or at all. */
static void end_of_time(struct conn *c)
{
	if (session_limit(c) > 1)
		set_deadline(c);
	else if (left_of(c, c->active_at, c->service->options.timeouts.idle) <= 1)
		conn_end(c, PG_SQLSTATE_IDLE_TIMEOUT, "terminating connection due to idle-session timeout", "idle for too long");
	else
		conn_end(c, PG_SQLSTATE_SHUTDOWN, "terminating connection due to session lifetime", "open for too long");
}

static void on_deadline(struct loop_timer *t)
{
	struct conn *c = (void *)((char *)t - offsetof(struct conn, deadline));
	const char *late = states[c->state].late[role_of(c)];

	if (c->state == CONN_RELAY) {
		end_of_time(c);
		return;
	}
	if (c->state == CONN_REFUSE) { /* it has been told, and need not have left */
		conn_close(c, c->why);
		return;
	}
	atomic_fetch_add(&c->service->counters.timed_out, 1);
	if (late == NULL) {
		conn_close(c, "timed out");
		return;
	}
	conn_refuse(c, PG_SQLSTATE_CANNOT_CONNECT, (int)states[c->state].late_reason, "%s timed out after %lld ms", late,
		(long long)state_limit(c, c->state));
	refuse(c);
	conn_drive(c);
}

/* ---- birth, driving, death ------------------------------------------------------------------------------ */

static void setup_free(struct setup *s)
{
	if (s == NULL)
		return;
	conn_job_abandon(s);
	if (s->addresses != NULL)
		freeaddrinfo(s->addresses);
	secret_buf_done(&s->startup); /* a CancelRequest is a key */
	buf_done(&s->raw_reply);
	free(s);
}

static void settle(struct conn *c)
{
	if (c->setting_up)
		admission_settle(c->service->admissions, &c->peer);
	c->setting_up = false;
}

void conn_setup_done(struct conn *c)
{
	setup_free(c->setup);
	c->setup = NULL;
	settle(c);
}

static void conn_free(struct conn *c)
{
	struct worker *w = c->worker;

	end_done(&c->front);
	end_done(&c->back);
	setup_free(c->setup);
	if (c->previous != NULL)
		c->previous->next = c->next;
	else
		w->conns = c->next;
	if (c->next != NULL)
		c->next->previous = c->previous;
	settle(c);
	admission_leave(c->service->admissions, &c->peer, c->admission);
	atomic_fetch_sub(&w->n_conns, 1);
	atomic_fetch_sub(&c->service->counters.open, 1);
	if (w->conns == NULL && atomic_load(&c->service->ending))
		loop_stop(w->loop);
	free(c);
}

void conn_close(struct conn *c, const char *why)
{
	if (c->state == CONN_CLOSED)
		return;
	c->why = why;
	conn_log(c, LOG_LEVEL_INFO, "closed: %s; %llu bytes to the server, %llu bytes to the client", why,
		(unsigned long long)c->bytes_up, (unsigned long long)c->bytes_down);
	loop_timer_clear(c->loop, &c->deadline);
	c->state = CONN_CLOSED;
	end_close(c, &c->front);
	end_close(c, &c->back);
}

/* Only between two of the server's messages can one be put in, and only if the front has all of them; a session that
 * is in the middle of one ends without words. */
static bool can_hear(const struct conn *c)
{
	return c->state == CONN_RELAY && !c->cancel && c->setup == NULL && c->front.out == NULL && !c->front.finished &&
	       c->back.unread.left == 0 && pg_stream_is_whole(&c->answers);
}

enum conn_step conn_farewell(struct conn *c, const char *sqlstate, const char *message, const char *why)
{
	c->why = why;
	if (!can_hear(c) || (c->setup = calloc(1, sizeof(*c->setup))) == NULL)
		return STEP_CLOSE;
	return conn_refuse(c, sqlstate, REASON_NONE, "%s", message);
}

void conn_end(struct conn *c, const char *sqlstate, const char *message, const char *why)
{
	if (conn_farewell(c, sqlstate, message, why) == STEP_REFUSE)
		refuse(c);
	else
		conn_close(c, why);
	conn_drive(c);
}

void conn_drive(struct conn *c)
{
	while (c->state != CONN_CLOSED) {
		switch (states[c->state].step(c)) {
		case STEP_AGAIN:
			if ((c->state == CONN_RELAY && loop_chunks_abound(c->loop)) ||
				(end_park(&c->front) && end_park(&c->back)))
				return;
			conn_close(c, "out of memory");
			break;
		case STEP_NEXT:
			if (states[c->state].next[role_of(c)] == CONN_CLOSED)
				conn_close(c, "both ends are done");
			else
				enter(c, states[c->state].next[role_of(c)]);
			break;
		case STEP_REFUSE:
			refuse(c);
			break;
		case STEP_CLOSE:
			conn_close(c, c->why != NULL ? c->why : "the peer went away");
			break;
		}
	}
	if (c->closing == 0 && !c->front.open && !c->back.open)
		conn_free(c);
}

/* Above a limit: it is told so. */
static void refuse_entry(struct conn *c)
{
	const struct service_limits *l = &c->service->options.limits;
	const char *what = c->admission == ADMISSION_FULL ? "already"
			   : c->admission == ADMISSION_FULL_OF_PEER ? "from this address already"
								     : "are being set up, from this address or at all";
	uint64_t limit = c->admission == ADMISSION_FULL ? l->connections
			 : c->admission == ADMISSION_FULL_OF_PEER ? l->per_peer
								   : l->setups;

	atomic_fetch_add(&c->service->counters.refused_limit, 1);
	c->setup->refused = true;
	conn_refuse(c, PG_SQLSTATE_TOO_MANY, REASON_TOO_MANY_CONNECTIONS, "sorry, too many connections %s (limit %llu)",
		what, (unsigned long long)limit);
}

static void link_in(struct conn *c)
{
	struct worker *w = c->worker;

	c->next = w->conns;
	if (c->next != NULL)
		c->next->previous = c;
	w->conns = c;
	atomic_fetch_add(&w->n_conns, 1);
}

/* NULL if there is no memory, or no place even for one that is only told so. */
static struct conn *conn_new(struct worker *w, const struct peer_key *peer)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c != NULL)
		c->setup = calloc(1, sizeof(*c->setup));
	if (c == NULL || c->setup == NULL ||
		(c->admission = admission_enter(w->service->admissions, peer)) == ADMISSION_TURNED_AWAY) {
		free(c != NULL ? c->setup : NULL);
		free(c);
		return NULL;
	}
	c->worker = w;
	c->service = w->service;
	c->loop = w->loop;
	c->peer = *peer;
	c->setting_up = c->admission == ADMISSION_GRANTED;
	c->id = atomic_fetch_add(&w->service->next_id, 1) + 1;
	c->deadline.fire = on_deadline;
	c->opened_at = c->active_at = loop_now(w->loop);
	c->back.unread = cur_of(NULL, 0);
	return c;
}

void conn_start(struct worker *w, int fd)
{
	struct service *s = w->service;
	char peer[sizeof(((struct setup *)0)->peer)];
	struct peer_key key = listen_peer(fd, peer, sizeof(peer));
	struct conn *c = conn_new(w, &key);

	if (c == NULL) {
		close(fd);
		atomic_fetch_add(&s->counters.refused_limit, 1);
		return;
	}
	link_in(c);
	atomic_fetch_add(&s->counters.open, 1);
	atomic_fetch_add(&s->counters.accepted, 1);
	memcpy(c->setup->peer, peer, sizeof(peer));
	conn_log(c, LOG_LEVEL_INFO, "accepted");
	if (c->admission != ADMISSION_GRANTED)
		refuse_entry(c);
	if (end_open(c, &c->front, fd, NULL) != RATLS_OK) {
		close(fd);
		conn_close(c, "out of resources");
	} else {
		enter(c, role_of(c) == SERVICE_SIDECAR ? CONN_GREETING : CONN_STARTUP);
	}
	conn_drive(c);
}
