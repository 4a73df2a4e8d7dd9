/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the loop share: loop.c (running, posts, timers, buffers), loop_sock.c (sockets) and
 * loop_ring.c (many system calls in one).
 */
#ifndef RELAY_LOOP_PRIVATE_H
#define RELAY_LOOP_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "relay/loop.h"

/* The stride of receive buffers is no multiple of a page: their first bytes, which is all that a short
 * message touches, then fall into different cache sets. */
#define CHUNK_STRIDE (LOOP_CHUNK_SIZE + 1088)

struct loop {
	int64_t now;
	atomic_bool stopping;

	int wake_fd; /* eventfd: a post has come */
	pthread_mutex_t posts_lock;
	struct loop_post *posts_first, **posts_last;

	struct loop_timer **timers; /* a heap, the earliest at 0 */
	size_t n_timers, timers_cap;

	int epoll_fd;
	struct ring *ring; /* NULL: every receive and send is a system call */
	struct sock *work, **work_last; /* those that may be able to proceed */

	uint8_t *chunks; /* LOOP_CHUNKS of CHUNK_STRIDE bytes */
	unsigned free_chunks[LOOP_CHUNKS], n_chunks;
	struct sock *starved_first, **starved_last; /* could receive, but no buffer was left */
	struct loop_out *outs;
	unsigned n_outs; /* in the pool */
};

/* ---- loop.c ----------------------------------------------------------------------------------------------- */

/* Read the clock: when the kernel has returned, before any completion runs. What one sets a timer from must not be
 * the time before a long wait. */
void loop_tick(struct loop *l);

/* Milliseconds to the next timer, or -1: there is none. */
int loop_patience(const struct loop *l);

/* Run what was posted, when wake_fd was readable. */
void loop_run_posts(struct loop *l);

/* False if none is left. */
bool loop_chunk_borrow(struct loop *l, struct loop_chunk *ret);

/* ---- loop_sock.c ------------------------------------------------------------------------------------------ */

int loop_watch_wake(struct loop *l, struct ratls_error *err);

/* Let the sockets proceed, and wait for more of them, but not beyond the next timer. */
void loop_wait(struct loop *l);

/* ---- loop_ring.c ------------------------------------------------------------------------------------------ */

/* Receives and sends that do not block, many in one system call of io_uring. Each is tried once and has its result,
 * bytes or -errno, when ring_run returns. Only the thread that called ring_enable may add and run. */
#define RING_ENTRIES 256 /* the most between two runs */

int ring_new(struct ring **ret, struct ratls_error *err);
void ring_free(struct ring *r);
void ring_enable(struct ring *r);
void ring_receive(struct ring *r, int fd, void *p, size_t len, int *ret_result);
void ring_send(struct ring *r, int fd, const void *p, size_t len, int *ret_result);
void ring_run(struct ring *r);

#endif
