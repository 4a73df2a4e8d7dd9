/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the loop that does not depend on how the kernel is asked.
 */
#include "relay/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "relay/backend.h"

#define OUTS_KEPT LOOP_CHUNKS /* output buffers that stay in the pool; more are freed when they come back */

/* What decides whether io_uring can be had is its start: that a ring was given a moment ago promises nothing. */
static int start(struct loop *l, enum loop_io io, char choice[static 160], struct ratls_error *err)
{
	struct ratls_error why;

	l->backend = &backend_epoll;
	snprintf(choice, 160, "epoll, as configured");
	if (io != LOOP_IO_EPOLL) {
		if (backend_uring.start(l, &why) == RATLS_OK) {
			l->backend = &backend_uring;
			snprintf(choice, 160, "io_uring");
			return RATLS_OK;
		}
		if (io == LOOP_IO_URING)
			return err_set(err, RATLS_E_UNSUPPORTED, "%s", why.message);
		snprintf(choice, 160, "epoll, because %.140s", why.message);
	}
	return backend_epoll.start(l, err);
}

static int prepare(struct loop *l, enum loop_io io, char choice[static 160], struct ratls_error *err)
{
	/* Not touched until used: the kernel gives pages as traffic needs them. */
	l->chunks = mmap(NULL, LOOP_CHUNKS * CHUNK_STRIDE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);
	if (l->chunks == MAP_FAILED) {
		l->chunks = NULL;
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	}
	l->n_chunks = LOOP_CHUNKS;
	l->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (l->wake_fd < 0)
		return err_set(err, RATLS_E_IO, "could not create an eventfd: %s", strerror(errno));
	loop_tick(l);
	return start(l, io, choice, err);
}

int loop_new(enum loop_io io, struct loop **ret, char ret_choice[static 160], struct ratls_error *err)
{
	struct loop *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	l->wake_fd = -1;
	l->posts_last = &l->posts_first;
	l->starved_last = &l->starved_first;
	pthread_mutex_init(&l->posts_lock, NULL);
	rc = prepare(l, io, ret_choice, err);
	if (rc != RATLS_OK) {
		loop_free(l);
		return rc;
	}
	*ret = l;
	return RATLS_OK;
}

void loop_free(struct loop *l)
{
	struct loop_out *o;

	if (l == NULL)
		return;
	loop_run_posts(l); /* answers that came too late free themselves */
	if (l->state != NULL)
		l->backend->stop(l);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	if (l->chunks != NULL)
		munmap(l->chunks, LOOP_CHUNKS * CHUNK_STRIDE);
	while ((o = l->outs) != NULL) {
		l->outs = o->next;
		free(o);
	}
	free(l->timers);
	pthread_mutex_destroy(&l->posts_lock);
	free(l);
}

void loop_tick(struct loop *l)
{
	l->now = clock_monotonic_ms();
}

int64_t loop_now(const struct loop *l)
{
	return l->now;
}

void loop_flush(struct loop *l)
{
	if (l->backend->flush != NULL)
		l->backend->flush(l);
}

/* ---- posts ------------------------------------------------------------------------------------------------ */

static void wake(struct loop *l)
{
	uint64_t one = 1;

	(void)!write(l->wake_fd, &one, sizeof(one)); /* full means that a wake-up is already on its way */
}

void loop_post(struct loop *l, struct loop_post *p)
{
	bool first;

	p->next = NULL;
	pthread_mutex_lock(&l->posts_lock);
	first = l->posts_first == NULL;
	*l->posts_last = p;
	l->posts_last = &p->next;
	pthread_mutex_unlock(&l->posts_lock);
	if (first)
		wake(l);
}

void loop_run_posts(struct loop *l)
{
	struct loop_post *p, *next;

	pthread_mutex_lock(&l->posts_lock);
	p = l->posts_first;
	l->posts_first = NULL;
	l->posts_last = &l->posts_first;
	pthread_mutex_unlock(&l->posts_lock);
	for (; p != NULL; p = next) {
		next = p->next; /* run may free p */
		p->run(p);
	}
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->stopping, true);
	wake(l);
}

/* ---- timers: a binary heap --------------------------------------------------------------------------------- */

static void place(struct loop *l, size_t i, struct loop_timer *t)
{
	l->timers[i] = t;
	t->index = i + 1;
}

static void sift_up(struct loop *l, size_t i, struct loop_timer *t)
{
	while (i > 0 && l->timers[(i - 1) / 2]->at > t->at) {
		place(l, i, l->timers[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(l, i, t);
}

static void sift_down(struct loop *l, size_t i, struct loop_timer *t)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < l->n_timers && l->timers[child + 1]->at < l->timers[child]->at)
			child++;
		if (child >= l->n_timers || l->timers[child]->at >= t->at)
			break;
		place(l, i, l->timers[child]);
		i = child;
	}
	place(l, i, t);
}

bool loop_timer_set(struct loop *l, struct loop_timer *t, int64_t ms)
{
	loop_timer_clear(l, t);
	if (l->n_timers == l->timers_cap) {
		size_t cap = l->timers_cap > 0 ? 2 * l->timers_cap : 64;
		struct loop_timer **timers = realloc(l->timers, cap * sizeof(*timers));

		if (timers == NULL)
			return false;
		l->timers = timers;
		l->timers_cap = cap;
	}
	t->at = l->now + ms;
	sift_up(l, l->n_timers++, t);
	return true;
}

void loop_timer_clear(struct loop *l, struct loop_timer *t)
{
	size_t i = t->index - 1;
	struct loop_timer *last;

	if (t->index == 0)
		return;
	t->index = 0;
	last = l->timers[--l->n_timers];
	if (last == t)
		return;
	sift_down(l, i, last);
	sift_up(l, last->index - 1, last);
}

static void run_timers(struct loop *l)
{
	while (l->n_timers > 0 && l->timers[0]->at <= l->now) {
		struct loop_timer *t = l->timers[0];

		loop_timer_clear(l, t);
		t->fire(t);
	}
}

void loop_run(struct loop *l)
{
	while (!atomic_load(&l->stopping)) {
		int64_t timeout = -1;

		if (l->n_timers > 0)
			timeout = l->timers[0]->at > l->now ? l->timers[0]->at - l->now : 0;
		l->backend->wait(l, timeout);
		run_timers(l);
	}
}

/* ---- buffers ------------------------------------------------------------------------------------------------ */

void loop_chunk_release(struct loop *l, struct loop_chunk *c)
{
	if (c->p != NULL) {
		l->n_chunks++;
		l->backend->chunk_release(l, c->id);
	}
	*c = (struct loop_chunk){0};
}

void loop_starve(struct sock *s)
{
	struct loop *l = s->loop;

	s->starved = true;
	s->next_starved = NULL;
	*l->starved_last = s;
	l->starved_last = &s->next_starved;
}

struct sock *loop_next_starved(struct loop *l)
{
	struct sock *s = l->starved_first;

	if (s != NULL)
		loop_feed_no_more(s);
	return s;
}

void loop_feed_no_more(struct sock *s)
{
	struct loop *l = s->loop;
	struct sock **link = &l->starved_first;

	if (!s->starved)
		return;
	while (*link != s)
		link = &(*link)->next_starved;
	*link = s->next_starved;
	if (*link == NULL)
		l->starved_last = link;
	s->starved = false;
}

bool loop_chunks_abound(const struct loop *l)
{
	return l->n_chunks > LOOP_CHUNKS / 2;
}

struct loop_out *loop_out_borrow(struct loop *l)
{
	struct loop_out *o = l->outs;

	if (o == NULL)
		return malloc(sizeof(*o));
	l->outs = o->next;
	l->n_outs--;
	return o;
}

void loop_out_release(struct loop *l, struct loop_out *o)
{
	if (o == NULL)
		return;
	if (l->n_outs >= OUTS_KEPT) {
		free(o);
		return;
	}
	o->next = l->outs;
	l->outs = o;
	l->n_outs++;
}

/* ---- sockets ------------------------------------------------------------------------------------------------ */

int sock_open(struct sock *s, struct loop *l, int fd, struct ratls_error *err)
{
	int rc;

	s->fd = fd;
	s->loop = l;
	s->drained = true; /* nothing can be there yet on most sockets: wait before the first attempt */
	rc = l->backend->open(s, err);
	if (rc != RATLS_OK)
		s->fd = -1;
	return rc;
}

void sock_connect(struct sock *s, const struct sockaddr *address, socklen_t len)
{
	s->loop->backend->connect(s, address, len);
}

void sock_receive(struct sock *s)
{
	if (s->receiving || s->closing)
		return;
	s->receiving = true;
	s->loop->backend->receive(s);
}

static void begin_send(struct sock *s, const uint8_t *p, size_t len, bool quietly)
{
	s->send_p = p;
	s->send_left = len;
	s->sending = true;
	s->loop->backend->send(s, quietly);
}

void sock_send(struct sock *s, const uint8_t *p, size_t len)
{
	begin_send(s, p, len, false);
}

void sock_send_quietly(struct sock *s, const uint8_t *p, size_t len)
{
	begin_send(s, p, len, true);
}

void sock_await_sent(struct sock *s)
{
	if (s->quiet)
		s->loop->hurry = true;
}

void sock_shutdown_send(struct sock *s)
{
	if (s->fd >= 0 && !s->closing)
		(void)shutdown(s->fd, SHUT_WR);
}

void sock_close(struct sock *s)
{
	if (s->closing)
		return;
	s->closing = true;
	s->loop->backend->close(s);
}

int loop_accept(struct loop *l, struct loop_acceptor *a, struct ratls_error *err)
{
	a->loop = l;
	a->stopped = false;
	return l->backend->accept(a, err);
}

void loop_accept_stop(struct loop_acceptor *a)
{
	if (a->stopped)
		return;
	a->stopped = true;
	a->loop->backend->accept_stop(a);
}
