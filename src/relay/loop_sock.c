/* SPDX-License-Identifier: Apache-2.0
 *
 * The sockets of a loop. They are watched edge-triggered from birth to death, so that nothing is re-armed; a short
 * read means drained, and costs no second attempt. Those that can proceed wait in a list and take turns: in a turn
 * all of them receive and send, then their owners learn of it. So what one wake-up brought goes out together, in one
 * system call where there is a ring.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/err.h"
#include "relay/loop_private.h"

#define EVENTS    256
#define TURNS     8                  /* over the list before the kernel is asked for news again */
#define JOBS      (RING_ENTRIES / 2) /* of a turn: each may receive and send */
#define BATCH_MIN 3                  /* fewer are quicker by themselves */
#define ACCEPTS   64

/* The pointer in an event: a sock, an acceptor (lowest bit set), or NULL for the eventfd. */
#define ACCEPTOR_BIT 1u

/* ---- those that may proceed ------------------------------------------------------------------------------- */

static void enqueue(struct sock *s)
{
	struct loop *l = s->loop;

	if (s->queued)
		return;
	s->queued = true;
	s->next = NULL;
	*l->work_last = s;
	l->work_last = &s->next;
}

/* Those that wait for a buffer are served between turns, each with one in hand: in the turn itself those who come
 * first would take them all, turn by turn. */
static void starve(struct sock *s)
{
	struct loop *l = s->loop;

	s->starved = true;
	s->next_starved = NULL;
	*l->starved_last = s;
	l->starved_last = &s->next_starved;
}

static void starve_no_more(struct sock *s)
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

static void feed_starved(struct loop *l)
{
	struct sock *s;

	while ((s = l->starved_first) != NULL && loop_chunk_borrow(l, &s->lent)) {
		starve_no_more(s);
		enqueue(s);
	}
}

/* ---- operations ------------------------------------------------------------------------------------------- */

static int watch(struct loop *l, int fd, uint32_t events, void *pointer, struct ratls_error *err)
{
	struct epoll_event e = {.events = events, .data.ptr = pointer};

	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
		return err_set(err, RATLS_E_IO, "could not watch a socket: %s", strerror(errno));
	return RATLS_OK;
}

int loop_watch_wake(struct loop *l, struct ratls_error *err)
{
	return watch(l, l->wake_fd, EPOLLIN, NULL, err);
}

int sock_open(struct sock *s, struct loop *l, int fd, struct ratls_error *err)
{
	int rc;

	s->fd = fd;
	s->loop = l;
	s->readable = false; /* the first event tells */
	s->writable = true;
	s->hangup = false;
	rc = watch(l, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, s, err);
	if (rc != RATLS_OK)
		s->fd = -1;
	return rc;
}

void sock_connect(struct sock *s, const struct sockaddr *address, socklen_t len)
{
	int error = connect(s->fd, address, len) < 0 ? errno : 0;

	s->connecting = true;
	s->writable = error != EINPROGRESS;
	if (s->writable) {
		s->error = error; /* SO_ERROR does not know of a failure that was told at once */
		enqueue(s);
	}
}

void sock_receive(struct sock *s)
{
	if (s->receiving || s->closing)
		return;
	s->receiving = true;
	if (s->readable)
		enqueue(s);
}

void sock_send(struct sock *s, const uint8_t *p, size_t len)
{
	s->send_p = p;
	s->send_left = len;
	s->sending = true;
	if (s->writable)
		enqueue(s);
}

void sock_shutdown_send(struct sock *s)
{
	if (s->fd >= 0 && !s->closing)
		(void)shutdown(s->fd, SHUT_WR);
}

/* What a send did: bytes or -errno. */
static void note_sent(struct sock *s, int result)
{
	if (result == -EINTR)
		return;
	if (result == -EAGAIN) {
		s->writable = false;
	} else if (result >= 0 && (size_t)result < s->send_left) {
		s->send_p += result;
		s->send_left -= (size_t)result;
		s->writable = false; /* a short write means full */
	} else {
		s->error = result < 0 ? -result : 0;
		s->over = true;
	}
}

static int send_now(const struct sock *s)
{
	ssize_t n = send(s->fd, s->send_p, s->send_left, MSG_NOSIGNAL);

	return n < 0 ? -errno : (int)n;
}

static bool can_send(const struct sock *s)
{
	return s->sending && s->writable && !s->over;
}

void loop_flush(struct loop *l)
{
	for (struct sock *s = l->work; s != NULL; s = s->next)
		if (!s->closing && can_send(s))
			note_sent(s, send_now(s));
}

void sock_close(struct sock *s)
{
	if (s->closing)
		return;
	s->closing = true;
	starve_no_more(s);
	loop_chunk_release(s->loop, &s->lent);
	if (can_send(s))
		(void)send_now(s); /* last words */
	/* Closing alone does not do it while a process that is being started shares the socket. */
	epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	close(s->fd);
	s->fd = -1;
	enqueue(s);
}

/* ---- one turn ------------------------------------------------------------------------------------------------- */

/* What a socket does in a turn, and how it went. */
struct job {
	struct sock *s;
	struct loop_chunk chunk; /* to receive into; p is NULL if nothing is received */
	int sent, received;      /* bytes or -errno */
	bool ends, sends;
};

/* False if there is none. */
static bool take_chunk(struct sock *s, struct loop_chunk *ret)
{
	*ret = s->lent;
	s->lent = (struct loop_chunk){0};
	return ret->p != NULL || loop_chunk_borrow(s->loop, ret);
}

/* False if there is nothing to do. */
static bool prepare(struct job *j, struct sock *s)
{
	*j = (struct job){.s = s, .ends = s->closing};
	s->queued = false;
	if (s->closing || s->connecting)
		return s->closing || s->writable;
	j->sends = can_send(s);
	if (s->receiving && s->readable && !s->starved && !take_chunk(s, &j->chunk))
		starve(s);
	return j->sends || s->over || j->chunk.p != NULL;
}

static void perform(struct ring *ring, struct job *j)
{
	if (j->sends && ring != NULL)
		ring_send(ring, j->s->fd, j->s->send_p, j->s->send_left, &j->sent);
	else if (j->sends)
		j->sent = send_now(j->s);
	if (j->chunk.p != NULL && ring != NULL) {
		ring_receive(ring, j->s->fd, j->chunk.p, LOOP_CHUNK_SIZE, &j->received);
	} else if (j->chunk.p != NULL) {
		j->received = (int)recv(j->s->fd, j->chunk.p, LOOP_CHUNK_SIZE, 0);
		if (j->received < 0)
			j->received = -errno;
	}
}

/* Of all of them before any owner hears of his: who closes a socket then sends no byte of it twice. */
static void note(const struct job *j)
{
	if (j->sends)
		note_sent(j->s, j->sent);
}

static void tell_connected(struct sock *s)
{
	int error = s->error;
	socklen_t len = sizeof(error);

	if (error == 0)
		getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	s->connecting = false;
	s->connected(s, -error);
}

static void tell_received(struct sock *s, int result, struct loop_chunk chunk)
{
	if (result == -EAGAIN || result == -EINTR) {
		s->readable = result == -EINTR;
		loop_chunk_release(s->loop, &chunk);
		return;
	}
	s->readable = result == (int)LOOP_CHUNK_SIZE || s->hangup; /* a short read means drained */
	s->receiving = false;
	chunk.len = result > 0 ? (size_t)result : 0;
	if (result <= 0)
		loop_chunk_release(s->loop, &chunk);
	s->received(s, result, chunk);
}

/* A socket that an earlier completion of this turn has closed is told of nothing more. */
static void tell(struct job *j)
{
	struct sock *s = j->s;

	if (j->ends) {
		s->closed(s);
		return;
	}
	if (s->connecting && !s->closing) {
		tell_connected(s);
		return;
	}
	if (s->over && !s->closing) {
		s->over = s->sending = false;
		s->sent(s, -s->error);
	}
	if (j->chunk.p != NULL && s->closing)
		loop_chunk_release(s->loop, &j->chunk);
	else if (j->chunk.p != NULL)
		tell_received(s, j->received, j->chunk);
	if (!s->closing && (can_send(s) || (s->receiving && s->readable && !s->starved)))
		enqueue(s);
}

/* Only those that wait now: what their owners begin is for the next turn. */
static void take_turns(struct loop *l)
{
	struct sock *s = l->work;

	l->work = NULL;
	l->work_last = &l->work;
	while (s != NULL) {
		struct job jobs[JOBS];
		struct ring *ring;
		size_t n = 0;

		for (; s != NULL && n < JOBS; s = s->next)
			n += prepare(&jobs[n], s);
		ring = n >= BATCH_MIN ? l->ring : NULL;
		for (size_t i = 0; i < n; i++)
			perform(ring, &jobs[i]);
		if (ring != NULL)
			ring_run(ring);
		for (size_t i = 0; i < n; i++)
			note(&jobs[i]);
		for (size_t i = 0; i < n; i++)
			tell(&jobs[i]);
	}
}

static void proceed(struct loop *l)
{
	feed_starved(l);
	for (int i = 0; i < TURNS && l->work != NULL; i++) {
		take_turns(l);
		feed_starved(l);
	}
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
			epoll_ctl(a->loop->epoll_fd, EPOLL_CTL_DEL, a->fd, NULL);
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

int loop_accept(struct loop *l, struct loop_acceptor *a, struct ratls_error *err)
{
	a->loop = l;
	a->stopped = false;
	a->retry.fire = retry_accept;
	return watch_acceptor(a, err);
}

void loop_accept_stop(struct loop_acceptor *a)
{
	if (a->stopped)
		return;
	a->stopped = true;
	loop_timer_clear(a->loop, &a->retry);
	epoll_ctl(a->loop->epoll_fd, EPOLL_CTL_DEL, a->fd, NULL);
}

/* ---- waiting --------------------------------------------------------------------------------------------------- */

static void note_event(struct loop *l, const struct epoll_event *event)
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

void loop_wait(struct loop *l)
{
	struct epoll_event events[EVENTS];
	int n;

	proceed(l); /* which may set timers */
	n = epoll_wait(l->epoll_fd, events, EVENTS, l->work != NULL ? 0 : loop_patience(l));
	loop_tick(l);
	/* Memory of a socket is freed only in a turn, so every pointer of this batch is still good. */
	for (int i = 0; i < n; i++)
		note_event(l, &events[i]);
	proceed(l);
}
