/* SPDX-License-Identifier: Apache-2.0
 *
 * A small proactor: accept, connect, receive, send, timer, post. Every operation has an owner and a
 * completion, and nothing else in the programs touches a socket. One loop belongs to one thread; only
 * loop_post and loop_stop may be called from others. epoll tells which sockets can proceed; where io_uring is
 * allowed, what they receive and send in one iteration is one system call.
 *
 * Contract of completions
 *   - A completion never runs inside the call that began its operation.
 *   - At most one receive and one send (or connect) are under way on a socket.
 *   - After sock_close returns, no completion of that socket's operations runs any more, except the
 *     `closed` one, once, after which its memory may be freed.
 *
 * Buffers belong to the loop and are borrowed: a received chunk until loop_chunk_release, an output buffer
 * until loop_out_release. An idle session holds neither.
 */
#ifndef RELAY_LOOP_H
#define RELAY_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ratls.h"

struct loop;
struct sock;

#define LOOP_CHUNK_SIZE ((size_t)64 << 10) /* the most that one receive yields */
#define LOOP_CHUNKS     64                 /* receive buffers of a loop: what all its sessions share */
#define LOOP_OUT_SIZE   ((size_t)80 << 10) /* a chunk's worth, encrypted or decrypted, fits */

enum loop_io { LOOP_IO_AUTO, LOOP_IO_URING, LOOP_IO_EPOLL };

/* ret_choice says which of both is used and, for auto, why not the other. */
int loop_new(enum loop_io io, struct loop **ret, char ret_choice[static 160], struct ratls_error *err);
void loop_free(struct loop *l); /* after loop_run has returned */

/* Runs until loop_stop. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l); /* any thread */

int64_t loop_now(const struct loop *l); /* monotonic milliseconds, read once an iteration */

/* What is to be sent goes out now and not with what the others of this iteration send: for one who has computed for
 * long, so that his peer need not wait for them too. */
void loop_flush(struct loop *l);

/* ---- posts: work handed in from other threads --------------------------------------------------------- */

struct loop_post {
	void (*run)(struct loop_post *p);
	struct loop_post *next;
};

/* p->run is called in the loop's thread. p belongs to the loop until then. Any thread. */
void loop_post(struct loop *l, struct loop_post *p);

/* ---- timers ----------------------------------------------------------------------------------------------- */

struct loop_timer {
	void (*fire)(struct loop_timer *t);
	int64_t at;
	size_t index; /* in the heap plus one; 0 when not set */
};

/* (Re)set t to fire once after ms milliseconds. False if memory ran out. */
bool loop_timer_set(struct loop *l, struct loop_timer *t, int64_t ms);
void loop_timer_clear(struct loop *l, struct loop_timer *t);

/* ---- buffers ------------------------------------------------------------------------------------------------ */

struct loop_chunk {
	uint8_t *p; /* NULL: none */
	size_t len;
	unsigned id;
};

void loop_chunk_release(struct loop *l, struct loop_chunk *c); /* c is empty after */

/* Is less than half of the buffers in use? Who holds one while it waits for something else does so only then,
 * so that those who wait can never take them all. */
bool loop_chunks_abound(const struct loop *l);

struct loop_out {
	struct loop_out *next; /* in the pool */
	uint8_t bytes[LOOP_OUT_SIZE];
};

struct loop_out *loop_out_borrow(struct loop *l); /* NULL if memory ran out */
void loop_out_release(struct loop *l, struct loop_out *o);

/* ---- sockets -------------------------------------------------------------------------------------------------- */

/* Embedded in its owner. */
struct sock {
	int fd; /* -1 when not open */
	struct loop *loop;
	void *owner; /* the owner's, for its completions */
	/* Completions; set by the owner before the operation begins. */
	void (*received)(struct sock *s, int result, struct loop_chunk chunk); /* >0 chunk, 0 EOF, -errno */
	void (*sent)(struct sock *s, int result);      /* 0: all of it, or -errno */
	void (*connected)(struct sock *s, int result); /* 0 or -errno */
	void (*closed)(struct sock *s);
	/* The loop's. */
	struct sock *next;         /* in the list of those that may proceed */
	struct sock *next_starved; /* in the list of those that wait for a buffer */
	struct loop_chunk lent;    /* to one that has waited */
	const uint8_t *send_p;
	size_t send_left;
	int error; /* of a connect or send */
	bool receiving, sending, connecting, closing;
	bool readable, writable, hangup; /* what is known of the socket */
	bool over;                       /* the send is, its owner has to be told */
	bool queued, starved;            /* in a list */
};

/* Adopt an open non-blocking socket. */
int sock_open(struct sock *s, struct loop *l, int fd, struct ratls_error *err);
void sock_connect(struct sock *s, const struct sockaddr *address, socklen_t len);
void sock_receive(struct sock *s);
void sock_send(struct sock *s, const uint8_t *p, size_t len); /* the bytes must stay until `sent` */

void sock_shutdown_send(struct sock *s); /* half-close: after the last `sent` */

/* Cancels what is pending; then `closed`. Of a send as much goes out as the socket takes now. */
void sock_close(struct sock *s);

/* ---- accepting ------------------------------------------------------------------------------------------------ */

struct loop_acceptor {
	int fd;
	struct loop *loop;
	void (*accepted)(struct loop_acceptor *a, int fd); /* a new socket: the receiver owns it */
	struct loop_timer retry; /* after a shortage of descriptors or memory */
	bool stopped;
};

#define LOOP_ACCEPT_RETRY_MS 100

/* Accept until loop_accept_stop: connections come by themselves. a must live as long as the loop. */
int loop_accept(struct loop *l, struct loop_acceptor *a, struct ratls_error *err);
void loop_accept_stop(struct loop_acceptor *a);

#endif
