/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection: two ends and a state. The states are the rows of one table (conn.c), with one driver and
 * one way to close. Private to the room.
 */
#ifndef RELAY_CONN_H
#define RELAY_CONN_H

#include "base/buf.h"
#include "base/cur.h"
#include "pg/message.h"
#include "pg/stream.h"
#include "relay/service_private.h"
#include "tls/channel.h"
#include "tls/relying_party.h"

enum conn_state {
	CONN_GREETING,  /* sidecar: the first bytes, up to the beginning of TLS */
	CONN_STARTUP,   /* the StartupMessage or CancelRequest */
	CONN_DIAL,      /* the back end is resolved and connected */
	CONN_UPGRADE,   /* forwarder with starttls: SSLRequest to the back end */
	CONN_HANDSHAKE, /* TLS on the attested end */
	CONN_APPRAISE,  /* the peer's evidence becomes a verdict */
	CONN_RELAY,     /* bytes both ways until both have ended */
	CONN_REFUSE,    /* the reason is told to the front, then its last bytes are awaited */
	CONN_CLOSED,
	CONN_STATES,
};

enum conn_step {
	STEP_AGAIN,  /* waiting for a completion */
	STEP_NEXT,   /* on to the state's successor */
	STEP_REFUSE, /* setup->refusal is filled */
	STEP_CLOSE,
};

struct end {
	struct sock sock;
	struct channel *channel; /* NULL: plaintext */
	struct loop_chunk in;    /* received; `unread` is what is left of it */
	struct buf parked;       /* or of this, where what was received has to wait */
	struct cur unread;
	struct loop_out *out; /* being sent */
	struct end **warm;    /* its place among the channels that do not rest; NULL: it may */
	bool open;            /* the socket is in the loop */
	bool eof;             /* nothing more will come from here */
	bool truncated;       /* it ended without close_notify, or with an error */
	bool finished;        /* nothing more may be sent to here */
};

struct refusal {
	const char *sqlstate; /* static */
	int reason;           /* of reason.h */
	char message[RATLS_ERROR_MESSAGE_SIZE];
	char detail[RATLS_ERROR_MESSAGE_SIZE + 320]; /* "" is none */
	char hint[256];
};

/* What only the setup of a connection needs; gone once bytes are relayed. */
struct setup {
	char peer[80];       /* the address that it came from, for the log */
	struct buf startup;  /* greeting, then the StartupMessage, plaintext */
	unsigned requests;   /* SSLRequest and GSSENCRequest answered so far */
	bool refused;        /* refusal is filled and will be told once the front can hear it */
	bool told;           /* the refusal has been sent */
	struct refusal refusal;
	struct buf raw_reply; /* what to say in place of an ErrorResponse, if not empty */
	bool decided;
	struct verdict verdict;
	struct conn_job *job; /* under way on a worker; knows the way back */
	size_t target;        /* index of the next to be tried, or of the one whose addresses are */
	const struct service_target *at; /* the target that is tried */
	struct addrinfo *addresses, *address;
	struct sockaddr_storage numeric; /* where no name had to be resolved */
	bool connecting, connected;
	bool promised_tls; /* greeting: SSLRequest was answered, only TLS may follow */
	bool asked_tls;    /* upgrade: SSLRequest was sent */
};

struct conn {
	struct worker *worker;
	struct service *service; /* the worker's */
	struct loop *loop;       /* likewise */
	uint64_t id;
	enum conn_state state;
	struct loop_timer deadline;
	struct end front, back;
	struct setup *setup;
	struct conn *next, *previous; /* of this loop's connections */
	uint64_t bytes_up, bytes_down;
	struct pg_stream answers; /* what came from the back end since bytes are relayed */
	int64_t opened_at, active_at;
	const char *why; /* it was closed: static text */
	bool cancel;     /* it is a CancelRequest, which is never answered */
	unsigned closing; /* sockets that still have to close */
	enum admission admission; /* else it is here only to be told that it is one too many */
	bool setting_up;          /* counted as such */
	struct peer_key peer;
};

/* A new connection of an accepted socket, in the worker's thread. Takes fd. */
void conn_start(struct worker *w, int fd);

/* Run state after state until one has to wait. */
void conn_drive(struct conn *c);

/* The only way down. Idempotent. */
void conn_close(struct conn *c, const char *why);

/* The last words of a session that is relayed, where no message of the server would be broken by them: STEP_REFUSE if
 * there are any, STEP_CLOSE if not. why is static, for the log. */
enum conn_step conn_farewell(struct conn *c, const char *sqlstate, const char *message, const char *why);

/* End a connection, with these last words if it can hear them. Not from within a step. */
void conn_end(struct conn *c, const char *sqlstate, const char *message, const char *why);

/* The end whose peer is attested, by role. */
struct end *conn_attested(struct conn *c);

/* The name of a state, for the log and for the test that compares doc/ARCHITECTURE.md. */
const char *conn_state_name(enum conn_state state);
enum conn_state conn_state_next(enum conn_state state, enum service_role role);

/* The target that is tried, as its user names it. */
void conn_target(const struct conn *c, char ret[static 300]);

/* Fill the setup's refusal. Returns STEP_REFUSE. */
enum conn_step conn_refuse(struct conn *c, const char *sqlstate, int reason, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for a front that does not speak the protocol, and for a place in a queue that could not be had. */
enum conn_step conn_refuse_protocol(struct conn *c, const char *message);
enum conn_step conn_refuse_overload(struct conn *c);

/* Close on a front that speaks another protocol, which it would not hear a reason in. why is static. */
enum conn_step conn_close_protocol(struct conn *c, const char *why);

/* Log with the connection's number. */
void conn_log(const struct conn *c, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- the ends (end.c) ----------------------------------------------------------------------------------- */

int end_open(struct conn *c, struct end *e, int fd, struct ratls_error *err);
void end_close(struct conn *c, struct end *e);
void end_done(struct end *e); /* it is closed, or was never open */

/* Its channel is in use: it does not rest until WARM_CHANNELS others have been. */
void end_warm(struct end *e);

/* Ask for bytes if none are there and none are coming. */
void end_want(struct end *e);

/* What came has been read: give its buffer back. */
void end_consumed(struct end *e);

/* What came has to wait for something else: keep it in memory of its own, and give the loop's buffer back, of
 * which all sessions have few. False if memory ran out. */
bool end_park(struct end *e);

/* Room for what is sent to e next; false if memory ran out. end_put sends what was written into it (ret->len may be 0).
 * Only when nothing is being sent. */
bool end_room(struct end *e, struct channel_out *ret);
void end_put(struct end *e, const struct channel_out *room);

/* Send plaintext to e: sealed if it has a channel. Only when nothing is being sent. False: out of memory or
 * TLS has failed. An empty text sends what the channel has pending. */
bool end_send(struct end *e, const uint8_t *p, size_t len);

/* Say that nothing more comes. True once that is done; false while it is being sent. */
bool end_finish(struct end *e);

/* Read plaintext: at most cap bytes into p. WANT_READ when nothing is left. */
enum channel_status end_read(struct end *e, uint8_t *p, size_t cap, size_t *ret_len, struct ratls_error *err);

/* ---- jobs of connections on workers ------------------------------------------------------------------ */

struct conn_job {
	struct pool_job job;
	struct conn *conn; /* NULL: it has closed meanwhile, and the answer is dropped */
	void (*answer)(struct conn *c, struct conn_job *j); /* in the loop's thread */
	void (*free)(struct conn_job *j);
};

/* Bytes are relayed: what only the setup needed goes, and its place is another's. */
void conn_setup_done(struct conn *c);

/* False if the queue of these workers is full (j is freed). */
bool conn_job_submit(struct conn *c, struct pool *workers, struct conn_job *j);

/* Nobody waits for the setup's job any more, if it has one. */
void conn_job_abandon(struct setup *s);

/* ---- the steps ------------------------------------------------------------------------------------------ */

enum conn_step greeting_step(struct conn *c);  /* greeting.c */
enum conn_step startup_step(struct conn *c);   /* startup.c */
enum conn_step dial_step(struct conn *c);      /* dial.c */
enum conn_step upgrade_step(struct conn *c);   /* dial.c */
enum conn_step handshake_step(struct conn *c); /* attest.c */
enum conn_step appraise_step(struct conn *c);  /* attest.c */
enum conn_step relay_step(struct conn *c);     /* relay.c */
enum conn_step refuse_step(struct conn *c);    /* refuse.c */

#endif
