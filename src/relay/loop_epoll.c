/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop on epoll, for kernels and containers that forbid io_uring. Sockets are watched edge-triggered
 * from birth to death, so that nothing is re-armed; a short read means drained, and costs no second
 * attempt. Operations that can proceed wait in a list, are tried once a turn, and complete from there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/err.h"
#include "relay/backend.h"

#define EVENTS 256
#define TURNS  8 /* over the list before the kernel is asked for news again */
#define ACCEPTS 64

struct epoll {
	int fd;
	struct sock_list work;
	unsigned free_ids[LOOP_CHUNKS];
	unsigned n_free;
};

/* The pointer in an event: a sock, an acceptor (lowest bit set), or NULL for the eventfd. */
#define ACCEPTOR_BIT 1u

static struct epoll *epoll_of(struct loop *l)
{
	return l->state;
}

static int watch(struct loop *l, int fd, uint32_t events, void *pointer, struct ratls_error *err)
{
	struct epoll_event e = {.events = events, .data.ptr = pointer};

	if (epoll_ctl(epoll_of(l)->fd, EPOLL_CTL_ADD, fd, &e) < 0)
		return err_set(err, RATLS_E_IO, "could not watch a socket: %s", strerror(errno));
	return RATLS_OK;
}

static void epoll_stop(struct loop *l)
{
	struct epoll *e = epoll_of(l);

	close(e->fd);
	free(e);
	l->state = NULL;
}

static int epoll_start(struct loop *l, struct ratls_error *err)
{
	struct epoll *e = calloc(1, sizeof(*e));
	int rc;

	if (e == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	e->fd = epoll_create1(EPOLL_CLOEXEC);
	if (e->fd < 0) {
		free(e);
		return err_set(err, RATLS_E_IO, "could not create an epoll instance: %s", strerror(errno));
	}
	sock_list_init(&e->work);
	for (unsigned id = 0; id < LOOP_CHUNKS; id++)
		e->free_ids[e->n_free++] = LOOP_CHUNKS - 1 - id;
	l->state = e;
	rc = watch(l, l->wake_fd, EPOLLIN, NULL, err);
	if (rc != RATLS_OK)
		epoll_stop(l);
	return rc;
}

static void enqueue(struct sock *s)
{
	sock_list_push(&epoll_of(s->loop)->work, s);
}

static int epoll_open(struct sock *s, struct ratls_error *err)
{
	s->readable = false; /* the first event tells */
	s->writable = true;
	s->hangup = false;
	return watch(s->loop, s->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, s, err);
}

static void epoll_connect(struct sock *s, const struct sockaddr *address, socklen_t len)
{
	int error = connect(s->fd, address, len) < 0 ? errno : 0;

	s->connecting = true;
	s->writable = error != EINPROGRESS;
	if (s->writable) {
		s->error = error; /* SO_ERROR does not know of a failure that was told at once */
		enqueue(s);
	}
}

static void epoll_receive(struct sock *s)
{
	if (s->readable)
		enqueue(s);
}

/* True when it is over: all has gone, or it has failed. */
static bool push(struct sock *s)
{
	ssize_t n = send(s->fd, s->send_p, s->send_left, MSG_NOSIGNAL);

	s->error = 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		s->writable = errno == EINTR;
		if (s->writable)
			enqueue(s);
		return false;
	}
	if (n > 0 && (size_t)n < s->send_left) {
		s->send_p += n;
		s->send_left -= (size_t)n;
		s->writable = false; /* a short write means full */
		return false;
	}
	if (n < 0)
		s->error = errno;
	return true;
}

/* At once, so that last words are out even if the socket is closed next; the completion comes in a turn. */
static void epoll_send(struct sock *s, bool quietly)
{
	(void)quietly; /* the kernel is not waited for */
	s->over = s->writable && push(s);
	if (s->over)
		enqueue(s);
}

static void epoll_close(struct sock *s)
{
	loop_feed_no_more(s);
	/* Closing alone does not do it while a process that is being started shares the socket. */
	epoll_ctl(epoll_of(s->loop)->fd, EPOLL_CTL_DEL, s->fd, NULL);
	close(s->fd);
	s->fd = -1;
	enqueue(s);
}

/* ---- one turn ------------------------------------------------------------------------------------------------- */

static void try_connect(struct sock *s)
{
	int error = s->error;
	socklen_t len = sizeof(error);

	if (error == 0)
		getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	s->connecting = false;
	s->connected(s, -error);
}

static void try_receive(struct sock *s)
{
	struct loop *l = s->loop;
	struct epoll *e = epoll_of(l);
	struct loop_chunk chunk = {0};
	ssize_t n;

	if (e->n_free == 0) {
		loop_starve(s);
		return;
	}
	chunk.id = e->free_ids[--e->n_free];
	l->n_chunks--;
	chunk.p = l->chunks + chunk.id * CHUNK_STRIDE;
	n = recv(s->fd, chunk.p, LOOP_CHUNK_SIZE, 0);
	if (n <= 0) {
		e->free_ids[e->n_free++] = chunk.id;
		l->n_chunks++;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		s->readable = errno == EINTR;
		if (s->readable)
			enqueue(s);
		return;
	}
	if (n <= 0)
		chunk = (struct loop_chunk){0};
	else
		chunk.len = (size_t)n;
	s->readable = n == (ssize_t)LOOP_CHUNK_SIZE || s->hangup; /* a short read means drained */
	s->receiving = false;
	s->received(s, n < 0 ? -errno : (int)n, chunk);
}

static void turn(struct sock *s)
{
	if (s->closing) {
		s->closed(s);
		return;
	}
	if (s->connecting && s->writable) {
		try_connect(s);
		return;
	}
	if (s->sending && (s->over || (s->writable && push(s)))) {
		s->over = s->sending = false;
		s->sent(s, -s->error);
	}
	if (!s->closing && s->receiving && s->readable && !s->queued && !s->starved)
		try_receive(s);
}

static void run_turns(struct loop *l)
{
	struct epoll *e = epoll_of(l);

	for (int i = 0; i < TURNS; i++) {
		struct sock *end = NULL, *s;

		for (unsigned n = e->n_free; n > 0 && (s = loop_next_starved(l)) != NULL; n--)
			enqueue(s);
		if (e->work.first == NULL)
			return;

		/* Only those that wait now: what they enqueue is the next turn. */
		for (s = e->work.first; s != NULL; s = s->next)
			end = s;
		do {
			s = sock_list_pop(&e->work);
			turn(s);
		} while (s != end);
	}
}

static void epoll_chunk_release(struct loop *l, unsigned id)
{
	struct epoll *e = epoll_of(l);

	e->free_ids[e->n_free++] = id;
}

/* ---- accepting ------------------------------------------------------------------------------------------------ */

static void accept_some(struct loop_acceptor *a)
{
	for (int i = 0; i < ACCEPTS && !a->stopped; i++) {
		int fd = accept4(a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			a->accepted(a, fd);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		/* A shortage of descriptors or memory: level-triggered events would come without end. They may,
		 * where there is no memory for a timer either. */
		if (loop_timer_set(a->loop, &a->retry, LOOP_ACCEPT_RETRY_MS))
			epoll_ctl(epoll_of(a->loop)->fd, EPOLL_CTL_DEL, a->fd, NULL);
		return;
	}
}

static int watch_acceptor(struct loop_acceptor *a, struct ratls_error *err)
{
	return watch(a->loop, a->fd, EPOLLIN, (void *)((uintptr_t)a | ACCEPTOR_BIT), err);
}

static void retry_accept(struct loop_timer *t)
{
	struct loop_acceptor *a = (void *)((char *)t - offsetof(struct loop_acceptor, retry));

	if (!a->stopped && watch_acceptor(a, NULL) != RATLS_OK)
		(void)loop_timer_set(a->loop, &a->retry, LOOP_ACCEPT_RETRY_MS); /* the place it had is free again */
}

static int epoll_accept(struct loop_acceptor *a, struct ratls_error *err)
{
	a->retry.fire = retry_accept;
	return watch_acceptor(a, err);
}

static void epoll_accept_stop(struct loop_acceptor *a)
{
	loop_timer_clear(a->loop, &a->retry);
	epoll_ctl(epoll_of(a->loop)->fd, EPOLL_CTL_DEL, a->fd, NULL);
}

/* ---- waiting --------------------------------------------------------------------------------------------------- */

static void note(struct loop *l, const struct epoll_event *event)
{
	uintptr_t pointer = (uintptr_t)event->data.ptr;
	struct sock *s = event->data.ptr;
	uint64_t value;

	if (pointer == 0) {
		(void)!read(l->wake_fd, &value, sizeof(value));
		loop_run_posts(l);
		return;
	}
	if (pointer & ACCEPTOR_BIT) {
		accept_some((struct loop_acceptor *)(pointer & ~(uintptr_t)ACCEPTOR_BIT));
		return;
	}
	if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		s->hangup = true;
	if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		s->readable = true;
	if (event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		s->writable = true;
	if ((s->receiving && s->readable) || ((s->sending || s->connecting) && s->writable))
		enqueue(s);
}

static void epoll_wait_turns(struct loop *l, int64_t timeout_ms)
{
	struct epoll *e = epoll_of(l);
	struct epoll_event events[EVENTS];
	int timeout = timeout_ms > 60000 ? 60000 : (int)timeout_ms;
	int n;

	run_turns(l);
	n = epoll_wait(e->fd, events, EVENTS, e->work.first != NULL ? 0 : timeout);
	loop_tick(l);
	/* Memory of a socket is freed only in a turn, so every pointer of this batch is still good. */
	for (int i = 0; i < n; i++)
		note(l, &events[i]);
	run_turns(l);
}

const struct backend backend_epoll = {
	.start = epoll_start,
	.stop = epoll_stop,
	.wait = epoll_wait_turns,
	.open = epoll_open,
	.connect = epoll_connect,
	.receive = epoll_receive,
	.send = epoll_send,
	.close = epoll_close,
	.accept = epoll_accept,
	.accept_stop = epoll_accept_stop,
	.chunk_release = epoll_chunk_release,
};
