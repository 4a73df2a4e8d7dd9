/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop but for its sockets: birth and death, running, posts, timers, buffers.
 */
#include "relay/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "relay/loop_private.h"

#define PATIENCE_MAX_MS 60000
#define OUTS_KEPT LOOP_CHUNKS /* output buffers that stay in the pool; more are freed when they come back */

/* What decides whether io_uring can be had is a ring that can be used: a promise of one is none. */
static int choose(struct loop *l, enum loop_io io, char choice[static 160], struct ratls_error *err)
{
	struct ratls_error why;

	snprintf(choice, 160, "epoll, as configured");
	if (io == LOOP_IO_EPOLL)
		return RATLS_OK;
	if (ring_new(&l->ring, &why) == RATLS_OK)
		snprintf(choice, 160, "io_uring");
	else if (io == LOOP_IO_URING)
		return err_set(err, RATLS_E_UNSUPPORTED, "%s", why.message);
	else
		snprintf(choice, 160, "epoll, because %.140s", why.message);
	return RATLS_OK;
}

static int prepare(struct loop *l, enum loop_io io, char choice[static 160], struct ratls_error *err)
{
	int rc;

	/* Not touched until used: the kernel gives pages as traffic needs them. */
	l->chunks = mmap(NULL, LOOP_CHUNKS * CHUNK_STRIDE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);
	if (l->chunks == MAP_FAILED) {
		l->chunks = NULL;
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	}
	for (unsigned id = LOOP_CHUNKS; id > 0; id--)
		l->free_chunks[l->n_chunks++] = id - 1;
	l->wake_fd = eventfd(0, EFD_CLOEXEC);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->wake_fd < 0 || l->epoll_fd < 0)
		return err_set(err, RATLS_E_IO, "could not create an eventfd or an epoll instance: %s", strerror(errno));
	loop_tick(l);
	rc = loop_watch_wake(l, err);
	return rc == RATLS_OK ? choose(l, io, choice, err) : rc;
}

int loop_new(enum loop_io io, struct loop **ret, char ret_choice[static 160], struct ratls_error *err)
{
	struct loop *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	l->wake_fd = l->epoll_fd = -1;
	l->work_last = &l->work;
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
	ring_free(l->ring);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
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

int loop_patience(const struct loop *l)
{
	int64_t ms;

	if (l->n_timers == 0)
		return -1;
	ms = l->timers[0]->at - l->now;
	return ms < 0 ? 0 : ms > PATIENCE_MAX_MS ? PATIENCE_MAX_MS : (int)ms;
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
	if (l->ring != NULL)
		ring_enable(l->ring);
	while (!atomic_load(&l->stopping)) {
		loop_wait(l);
		run_timers(l);
	}
}

/* ---- buffers ------------------------------------------------------------------------------------------------ */

bool loop_chunk_borrow(struct loop *l, struct loop_chunk *ret)
{
	if (l->n_chunks == 0)
		return false;
	ret->id = l->free_chunks[--l->n_chunks];
	ret->p = l->chunks + ret->id * CHUNK_STRIDE;
	return true;
}

void loop_chunk_release(struct loop *l, struct loop_chunk *c)
{
	if (c->p != NULL)
		l->free_chunks[l->n_chunks++] = c->id;
	*c = (struct loop_chunk){0};
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
