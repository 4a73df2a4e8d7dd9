/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two back ends of the loop share, and the struct of functions that each of them is. Private to
 * loop.c, loop_uring.c and loop_epoll.c.
 */
#ifndef RELAY_BACKEND_H
#define RELAY_BACKEND_H

#include <pthread.h>
#include <stdatomic.h>

#include "relay/loop.h"

struct backend {
	int (*start)(struct loop *l, struct ratls_error *err); /* l->state; NULL still where it failed */
	void (*stop)(struct loop *l);
	/* -1: no limit. Reads the clock when the kernel returns, then runs completions: what they set a timer
	 * from must not be the time before a long wait. */
	void (*wait)(struct loop *l, int64_t timeout_ms);
	void (*flush)(struct loop *l); /* NULL: nothing is ever held back */
	int (*open)(struct sock *s, struct ratls_error *err);
	void (*connect)(struct sock *s, const struct sockaddr *address, socklen_t len);
	void (*receive)(struct sock *s);
	void (*send)(struct sock *s, bool quietly); /* quietly: `sent` may wait until the next completion */
	void (*close)(struct sock *s);
	int (*accept)(struct loop_acceptor *a, struct ratls_error *err);
	void (*accept_stop)(struct loop_acceptor *a);
	void (*chunk_release)(struct loop *l, unsigned id);
};

extern const struct backend backend_uring, backend_epoll;

/* The stride of receive buffers is no multiple of a page: their first bytes, which is all that a short
 * message touches, then fall into different cache sets. */
#define CHUNK_STRIDE (LOOP_CHUNK_SIZE + 1088)

struct loop {
	const struct backend *backend;
	void *state; /* the back end's own */
	int64_t now;
	atomic_bool stopping;

	int wake_fd; /* eventfd: a post has come */
	pthread_mutex_t posts_lock;
	struct loop_post *posts_first, **posts_last;

	struct loop_timer **timers; /* a heap, the earliest at 0 */
	size_t n_timers, timers_cap;

	bool hurry; /* somebody waits for the `sent` of a quiet send */
	struct sock *starved_first, **starved_last; /* could receive, but no buffer was left */

	uint8_t *chunks;   /* LOOP_CHUNKS of CHUNK_STRIDE bytes */
	unsigned n_chunks; /* of them, those that nobody holds */
	struct loop_out *outs;
	unsigned n_outs; /* in the pool */
};

/* A first-in first-out list of sockets through sock.next. */
struct sock_list {
	struct sock *first, **last;
};

static inline void sock_list_init(struct sock_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static inline void sock_list_push(struct sock_list *list, struct sock *s)
{
	if (s->queued)
		return;
	s->queued = true;
	s->next = NULL;
	*list->last = s;
	list->last = &s->next;
}

static inline struct sock *sock_list_pop(struct sock_list *list)
{
	struct sock *s = list->first;

	if (s == NULL)
		return NULL;
	list->first = s->next;
	if (list->first == NULL)
		list->last = &list->first;
	s->queued = false;
	return s;
}

/* The list of those that wait for a buffer. It is served once a turn and not when a buffer comes back: who is
 * woken then may not take it, and the next would wait for ever. */
void loop_starve(struct sock *s);
struct sock *loop_next_starved(struct loop *l);
void loop_feed_no_more(struct sock *s); /* it is closing */

/* Read the clock: the back end calls it when the kernel has returned, before any completion runs. */
void loop_tick(struct loop *l);

/* Run what was posted; the back end calls it when wake_fd was readable. */
void loop_run_posts(struct loop *l);

#endif
