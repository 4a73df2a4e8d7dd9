/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's contract, with and without a ring, on real sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "relay/loop_private.h"
#include "relay/pool.h"

struct fixture {
	struct loop *loop;
	int pair[2];
	struct sock left, right;
	unsigned open;
	size_t want, got;
	uint8_t sum;
	int last_result;
	bool released_late;
	struct loop_chunk kept[LOOP_CHUNKS];
	unsigned n_kept;
};

static struct fixture *f; /* one test at a time */

static enum loop_io io_of(void **state)
{
	return *(enum loop_io *)*state;
}

static bool start(void **state)
{
	char choice[160];
	struct ratls_error err;

	f = calloc(1, sizeof(*f));
	if (loop_new(io_of(state), &f->loop, choice, &err) != RATLS_OK) {
		print_message("skipped: %s\n", err.message);
		free(f);
		skip();
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, f->pair), 0);
	return true;
}

static void closed_twice(struct sock *s)
{
	(void)s;
	fail_msg("a socket was closed twice");
}

static void closed(struct sock *s)
{
	s->closed = closed_twice;
	if (--f->open == 0)
		loop_stop(f->loop);
}

static void finish(void)
{
	assert_int_equal(f->loop->n_chunks, LOOP_CHUNKS); /* all came back */
	loop_free(f->loop);
	free(f);
}

static void open_pair(void)
{
	f->left.closed = f->right.closed = closed;
	assert_int_equal(sock_open(&f->left, f->loop, f->pair[0], NULL), RATLS_OK);
	assert_int_equal(sock_open(&f->right, f->loop, f->pair[1], NULL), RATLS_OK);
	f->open = 2;
}

static void close_pair(void)
{
	sock_close(&f->left);
	sock_close(&f->right);
}

/* The left one only: its other end is the test's. */
static void open_left(void)
{
	f->left.closed = closed;
	assert_int_equal(sock_open(&f->left, f->loop, f->pair[0], NULL), RATLS_OK);
	f->open = 1;
}

/* ---- what the kernel is asked ----------------------------------------------------------------------------------- */

static unsigned n_sends, n_receives, n_batches, n_waits, interruptions;

ssize_t __real_send(int fd, const void *p, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *p, size_t len, int flags);
ssize_t __real_recv(int fd, void *p, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *p, size_t len, int flags);
int __real_epoll_wait(int fd, struct epoll_event *events, int n, int timeout);
int __wrap_epoll_wait(int fd, struct epoll_event *events, int n, int timeout);
void __real_ring_run(struct ring *r);
void __wrap_ring_run(struct ring *r);

static bool interrupted(void)
{
	if (interruptions == 0)
		return false;
	interruptions--;
	errno = EINTR;
	return true;
}

ssize_t __wrap_send(int fd, const void *p, size_t len, int flags)
{
	n_sends++;
	return interrupted() ? -1 : __real_send(fd, p, len, flags);
}

ssize_t __wrap_recv(int fd, void *p, size_t len, int flags)
{
	n_receives++;
	return interrupted() ? -1 : __real_recv(fd, p, len, flags);
}

int __wrap_epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	n_waits++;
	return __real_epoll_wait(fd, events, n, timeout);
}

void __wrap_ring_run(struct ring *r)
{
	n_batches++;
	__real_ring_run(r);
}

/* ---- bytes arrive whole and in order, then EOF ---------------------------------------------------------- */

static void count(struct sock *s, int result, struct loop_chunk chunk)
{
	for (size_t i = 0; i < chunk.len; i++)
		assert_int_equal(chunk.p[i], (uint8_t)(f->got + i));
	f->got += chunk.len;
	f->last_result = result;
	assert_int_equal(chunk.p != NULL, result > 0);
	loop_chunk_release(s->loop, &chunk);
	if (result > 0)
		sock_receive(s);
	else
		close_pair();
}

static void then_half_close(struct sock *s, int result)
{
	assert_int_equal(result, 0);
	sock_shutdown_send(s);
}

static void bytes_arrive_whole_then_eof(void **state)
{
	size_t len = 3 << 20;
	uint8_t *bytes = malloc(len);

	if (!start(state)) {
		free(bytes);
		return;
	}
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)i;
	open_pair();
	f->left.sent = then_half_close;
	f->right.received = count;
	sock_receive(&f->right);
	sock_send(&f->left, bytes, len);
	loop_run(f->loop);
	assert_int_equal(f->got, len);
	assert_int_equal(f->last_result, 0);
	free(bytes);
	finish();
}

#define CROWD 300 /* more than one turn of the loop serves at once */

static struct member {
	struct sock near, far;
	uint8_t bytes[3000];
	size_t got;
} crowd[CROWD];

/* ---- the end of a send --------------------------------------------------------------------------------------- */

static void note_failure(struct sock *s, int result)
{
	(void)s;
	f->last_result = result;
	close_pair();
}

static void a_send_to_nobody_fails(void **state)
{
	static const uint8_t byte;

	if (!start(state))
		return;
	shutdown(f->pair[0], SHUT_WR);
	open_pair();
	f->left.sent = note_failure;
	sock_send(&f->left, &byte, 1);
	loop_run(f->loop);
	assert_int_equal(f->last_result, -EPIPE);
	finish();
}

static void note_many_failures(struct sock *s, int result)
{
	assert_int_equal(result, -EPIPE);
	sock_close(s);
}

static void open_crowd(size_t n);

/* So many that it is one system call where there is a ring. */
static void sends_to_nobody_fail_together(void **state)
{
	if (!start(state))
		return;
	close(f->pair[0]);
	close(f->pair[1]);
	open_crowd(4);
	for (size_t i = 0; i < 4; i++) {
		sock_close(&crowd[i].far);
		crowd[i].near.sent = note_many_failures;
		sock_send(&crowd[i].near, crowd[i].bytes, 1);
	}
	loop_run(f->loop);
	finish();
}

static void closing_ends_a_send(void **state)
{
	static const uint8_t byte;

	if (!start(state))
		return;
	open_pair();
	f->left.sent = note_failure;
	f->last_result = 1;
	sock_send(&f->left, &byte, 1);
	close_pair();
	loop_run(f->loop);
	assert_int_equal(f->last_result, 1);
	finish();
}

static void last_words_go_out(void **state)
{
	char got[8];

	if (!start(state))
		return;
	open_left();
	f->left.sent = note_failure;
	sock_send(&f->left, (const uint8_t *)"words", 5);
	sock_close(&f->left);
	loop_run(f->loop);
	assert_int_equal(read(f->pair[1], got, sizeof(got)), 5);
	assert_int_equal(read(f->pair[1], got, sizeof(got)), 0);
	close(f->pair[1]);
	finish();
}

static void then_close(struct sock *s, int result)
{
	assert_int_equal(result, 0);
	sock_close(s);
}

static void send_and_flush(struct loop_timer *t)
{
	char got[8];

	(void)t;
	sock_send(&f->left, (const uint8_t *)"words", 5);
	loop_flush(f->loop);
	assert_int_equal(read(f->pair[1], got, sizeof(got)), 5);
}

/* At once, and once. */
static void what_is_flushed_is_sent_now(void **state)
{
	struct loop_timer t = {.fire = send_and_flush};
	char got[8];

	if (!start(state))
		return;
	open_left();
	f->left.sent = then_close;
	assert_true(loop_timer_set(f->loop, &t, 1));
	loop_run(f->loop);
	assert_int_equal(read(f->pair[1], got, sizeof(got)), 0);
	close(f->pair[1]);
	finish();
}

/* ---- what is asked of the kernel is asked when it can be had -------------------------------------------------- */

static void close_left(struct loop_timer *t)
{
	(void)t;
	sock_close(&f->left);
}

/* Whether it was full before, or becomes so. */
static void who_cannot_send_does_not_try(void **state)
{
	static const uint8_t bytes[1 << 20];

	for (int full = 0; full <= 1; full++) {
		struct loop_timer t = {.fire = close_left};

		if (!start(state))
			return;
		while (full && write(f->pair[0], bytes, sizeof(bytes)) > 0)
			;
		open_left();
		n_sends = 0;
		sock_send(&f->left, bytes, sizeof(bytes));
		assert_true(loop_timer_set(f->loop, &t, 20));
		loop_run(f->loop);
		assert_in_range(n_sends, 1, 3);
		close(f->pair[1]);
		finish();
	}
}

static void nothing_to_do(struct loop_post *p)
{
	(void)p;
}

/* Nothing is left that would wake it without end. */
static void a_loop_without_work_sleeps(void **state)
{
	struct loop_timer t = {.fire = close_left};
	struct loop_post p = {.run = nothing_to_do};

	if (!start(state))
		return;
	open_left();
	sock_receive(&f->left);
	loop_post(f->loop, &p);
	assert_true(loop_timer_set(f->loop, &t, 50));
	n_waits = 0;
	loop_run(f->loop);
	assert_in_range(n_waits, 1, 12);
	close(f->pair[1]);
	finish();
}

static void get_y(struct sock *s, int result, struct loop_chunk chunk)
{
	assert_int_equal(result, 1);
	assert_int_equal(chunk.p[0], 'y');
	loop_chunk_release(s->loop, &chunk);
	sock_close(s);
}

static void write_y(struct loop_timer *t)
{
	(void)t;
	assert_int_equal(write(f->pair[1], "y", 1), 1);
}

static void receive_late(struct loop_timer *t)
{
	static struct loop_timer later = {.fire = write_y};
	char byte;

	(void)t;
	if (f->want > 0) { /* it is there no more */
		assert_int_equal(read(f->pair[0], &byte, 1), 1);
		assert_true(loop_timer_set(f->loop, &later, 5));
	}
	sock_receive(&f->left);
}

/* What came before it was wanted is received; what is there no more when it is wanted is waited for. */
static void what_came_early_is_received(void **state)
{
	for (int gone = 0; gone <= 1; gone++) {
		struct loop_timer t = {.fire = receive_late};

		if (!start(state))
			return;
		open_left();
		f->want = (size_t)gone;
		f->left.received = get_y;
		n_receives = 0;
		assert_int_equal(write(f->pair[1], "y", 1), 1);
		assert_true(loop_timer_set(f->loop, &t, 5));
		loop_run(f->loop);
		assert_in_range(n_receives, 1, 2);
		close(f->pair[1]);
		finish();
	}
}

static void who_is_interrupted_tries_again(void **state)
{
	if (!start(state))
		return;
	open_left();
	interruptions = 1;
	f->left.sent = then_close;
	sock_send(&f->left, (const uint8_t *)"y", 1);
	loop_run(f->loop);
	close(f->pair[1]);
	finish();
	if (!start(state))
		return;
	open_left();
	interruptions = 1;
	f->left.received = get_y;
	sock_receive(&f->left);
	assert_int_equal(write(f->pair[1], "y", 1), 1);
	loop_run(f->loop);
	assert_int_equal(interruptions, 0);
	close(f->pair[1]);
	finish();
}

/* ---- many at once ---------------------------------------------------------------------------------------------- */

static struct member *member_of(struct sock *far)
{
	return (void *)((char *)far - offsetof(struct member, far));
}

static void open_crowd(size_t n)
{
	memset(crowd, 0, sizeof(crowd));
	for (size_t i = 0; i < n; i++) {
		struct member *m = &crowd[i];
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
		assert_int_equal(sock_open(&m->near, f->loop, pair[0], NULL), RATLS_OK);
		assert_int_equal(sock_open(&m->far, f->loop, pair[1], NULL), RATLS_OK);
		m->near.closed = m->far.closed = closed;
		memset(m->bytes, (int)i, sizeof(m->bytes));
	}
	f->open = 2 * (unsigned)n;
}

static void close_crowd(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sock_close(&crowd[i].near);
		sock_close(&crowd[i].far);
	}
}

static void member_received(struct sock *s, int result, struct loop_chunk chunk)
{
	struct member *m = member_of(s);

	assert_true(result > 0);
	for (size_t i = 0; i < chunk.len; i++)
		assert_int_equal(chunk.p[i], m->bytes[0]);
	m->got += chunk.len;
	loop_chunk_release(s->loop, &chunk);
	if (m->got < sizeof(m->bytes)) {
		sock_receive(s);
		return;
	}
	assert_int_equal(m->got, sizeof(m->bytes));
	if (++f->got == CROWD)
		close_crowd(CROWD);
}

static void member_sent(struct sock *s, int result)
{
	(void)s;
	assert_int_equal(result, 0);
	f->want++;
}

static void a_crowd_is_served_each_with_its_own(void **state)
{
	if (!start(state))
		return;
	close(f->pair[0]);
	close(f->pair[1]);
	open_crowd(CROWD);
	for (size_t i = 0; i < CROWD; i++) {
		crowd[i].far.received = member_received;
		crowd[i].near.sent = member_sent;
		sock_receive(&crowd[i].far);
		sock_send(&crowd[i].near, crowd[i].bytes, sizeof(crowd[i].bytes));
	}
	n_batches = 0;
	loop_run(f->loop);
	assert_int_equal(f->got, CROWD);
	assert_int_equal(f->want, CROWD);
	assert_int_equal(n_batches > 0, io_of(state) == LOOP_IO_URING);
	finish();
}

/* The first of them to hear that it has sent closes all the others, whose sends of the same turn are over too. */
static void first_closes_all(struct sock *s, int result)
{
	(void)s;
	assert_int_equal(result, 0);
	if (f->got++ > 0)
		fail_msg("a completion of a closed socket ran");
	for (size_t i = 0; i < 4; i++)
		sock_close(&crowd[i].near);
}

static void who_is_closed_in_the_turn_of_its_send_sends_nothing_twice(void **state)
{
	uint8_t bytes[2 * sizeof(crowd[0].bytes)];
	int far[4];

	if (!start(state))
		return;
	close(f->pair[0]);
	close(f->pair[1]);
	open_crowd(4);
	for (size_t i = 0; i < 4; i++) {
		far[i] = dup(crowd[i].far.fd);
		sock_close(&crowd[i].far);
		crowd[i].near.sent = first_closes_all;
		sock_send(&crowd[i].near, crowd[i].bytes, sizeof(crowd[i].bytes));
	}
	loop_run(f->loop);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(read(far[i], bytes, sizeof(bytes)), sizeof(crowd[i].bytes));
		assert_int_equal(read(far[i], bytes, sizeof(bytes)), 0);
		close(far[i]);
	}
	finish();
}

static void first_receives_and_closes_all(struct sock *s, int result, struct loop_chunk chunk)
{
	assert_int_equal(result, 1);
	loop_chunk_release(s->loop, &chunk);
	if (f->got++ > 0)
		fail_msg("a completion of a closed socket ran");
	close_crowd(4);
}

static void who_is_closed_in_the_turn_of_its_receive_is_told_nothing(void **state)
{
	if (!start(state))
		return;
	close(f->pair[0]);
	close(f->pair[1]);
	open_crowd(4);
	for (size_t i = 0; i < 4; i++) {
		crowd[i].far.received = first_receives_and_closes_all;
		sock_receive(&crowd[i].far);
		assert_int_equal(write(crowd[i].near.fd, "x", 1), 1);
	}
	loop_run(f->loop);
	assert_int_equal(f->got, 1);
	finish();
}

/* ---- closing cancels: no completion but `closed` ---------------------------------------------------------- */

static void must_not_come(struct sock *s, int result, struct loop_chunk chunk)
{
	(void)s;
	(void)chunk;
	fail_msg("a completion of a closed socket ran (result %d)", result);
}

static void close_now(struct loop_timer *t)
{
	(void)t;
	close_pair();
}

static void close_cancels_a_pending_receive(void **state)
{
	struct loop_timer t = {.fire = close_now};

	if (!start(state))
		return;
	open_pair();
	f->left.received = f->right.received = must_not_come;
	sock_receive(&f->left);
	sock_receive(&f->right);
	assert_true(loop_timer_set(f->loop, &t, 5));
	loop_run(f->loop);
	assert_int_equal(f->open, 0);
	finish();
}

static void write_x(struct loop_timer *t)
{
	(void)t;
	assert_int_equal(write(f->pair[1], "x", 1), 1);
}

/* A process that is being started has it too. */
static void a_closed_socket_is_heard_of_no_more_though_it_is_shared(void **state)
{
	struct loop_timer close_it = {.fire = close_left}, t = {.fire = write_x}, end = {.fire = close_now};
	int shared, other[2];

	if (!start(state))
		return;
	open_left();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, other), 0);
	f->right.closed = closed;
	assert_int_equal(sock_open(&f->right, f->loop, other[0], NULL), RATLS_OK);
	f->open = 2;
	shared = dup(f->pair[0]);
	f->left.received = must_not_come;
	sock_receive(&f->left);
	assert_true(loop_timer_set(f->loop, &close_it, 1));
	assert_true(loop_timer_set(f->loop, &t, 5));
	assert_true(loop_timer_set(f->loop, &end, 10));
	loop_run(f->loop);
	close(shared);
	close(other[1]);
	close(f->pair[1]);
	finish();
}

/* ---- when all buffers are held, a receive waits for one -------------------------------------------------- */

static uint8_t flood[LOOP_CHUNKS * LOOP_CHUNK_SIZE / 16];

static void keep(struct sock *s, int result, struct loop_chunk chunk)
{
	assert_true(result > 0);
	f->got += chunk.len;
	if (f->released_late) {
		loop_chunk_release(s->loop, &chunk);
	} else {
		f->kept[f->n_kept++] = chunk;
	}
	if (f->got >= sizeof(flood) * 2)
		close_pair();
	else
		sock_receive(s);
}

static void release_all(struct loop_timer *t)
{
	(void)t;
	f->released_late = true;
	while (f->n_kept > 0)
		loop_chunk_release(f->loop, &f->kept[--f->n_kept]);
}

static void send_again(struct sock *s, int result)
{
	assert_int_equal(result, 0);
	if (f->want++ == 0)
		sock_send(s, flood, sizeof(flood));
}

static void a_receive_waits_for_a_buffer(void **state)
{
	struct loop_timer t = {.fire = release_all};
	int small = 4096;

	if (!start(state))
		return;
	setsockopt(f->pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	open_pair();
	f->left.sent = send_again;
	f->right.received = keep;
	sock_receive(&f->right);
	sock_send(&f->left, flood, sizeof(flood));
	assert_true(loop_timer_set(f->loop, &t, 200));
	loop_run(f->loop);
	assert_int_equal(f->got, sizeof(flood) * 2);
	finish();
}

/* ---- who waits for a buffer is served, and in his turn ------------------------------------------------------- */

static void hold_all(void)
{
	while (loop_chunk_borrow(f->loop, &f->kept[f->n_kept]))
		f->n_kept++;
}

static void tick(struct sock *s, int result)
{
	assert_int_equal(result, 0);
	if (--f->want > 0) {
		sock_send(s, flood, 1);
		return;
	}
	while (f->n_kept > 0)
		loop_chunk_release(s->loop, &f->kept[--f->n_kept]);
}

static void got_it(struct sock *s, int result, struct loop_chunk chunk)
{
	assert_int_equal(result, 1);
	loop_chunk_release(s->loop, &chunk);
	close_pair();
}

/* Whatever the turn after which buffers come back and nothing else is left to do. What is sent and received comes from
 * and goes to sockets that the loop does not know, so that no event helps. */
static void a_buffer_that_comes_back_last_is_used(void **state)
{
	for (size_t turns = 1; turns < 40; turns++) {
		int other[2];

		if (!start(state))
			return;
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, other), 0);
		f->left.closed = f->right.closed = closed;
		f->right.received = got_it;
		f->left.sent = tick;
		assert_int_equal(sock_open(&f->left, f->loop, other[0], NULL), RATLS_OK);
		assert_int_equal(sock_open(&f->right, f->loop, f->pair[0], NULL), RATLS_OK);
		assert_int_equal(write(f->pair[1], "x", 1), 1);
		f->open = 2;
		f->want = turns;
		hold_all();
		sock_receive(&f->right);
		sock_send(&f->left, flood, 1);
		loop_run(f->loop);
		close(f->pair[1]);
		close(other[1]);
		finish();
	}
}

static void close_left_and_release(struct loop_timer *t)
{
	close_left(t);
	release_all(t);
}

static void who_is_closed_while_it_waits_for_a_buffer_gets_none(void **state)
{
	struct loop_timer t = {.fire = close_left_and_release}, end = {.fire = close_now};

	if (!start(state))
		return;
	open_pair();
	hold_all();
	f->left.received = must_not_come;
	sock_receive(&f->left);
	assert_int_equal(write(f->right.fd, "x", 1), 1);
	assert_true(loop_timer_set(f->loop, &t, 5));
	assert_true(loop_timer_set(f->loop, &end, 10));
	loop_run(f->loop);
	finish();
}

static void close_all_and_left(struct sock *s, int result)
{
	(void)s;
	assert_int_equal(result, 0);
	sock_close(&f->left);
	close_crowd(CROWD);
}

static void release_and_send(struct loop_timer *t)
{
	release_all(t);
	for (size_t i = 0; i < CROWD; i++)
		sock_send(&crowd[i].near, crowd[i].bytes, 1);
}

/* It has one in hand, but those before it in the turn are so many that it has not used it. */
static void who_is_closed_with_a_lent_buffer_gives_it_back(void **state)
{
	struct loop_timer t = {.fire = release_and_send};

	if (!start(state))
		return;
	open_left();
	open_crowd(CROWD);
	f->open = 2 * CROWD + 1;
	hold_all();
	for (size_t i = 0; i < CROWD; i++)
		crowd[i].near.sent = close_all_and_left;
	f->left.received = must_not_come;
	sock_receive(&f->left);
	assert_int_equal(write(f->pair[1], "x", 1), 1);
	assert_true(loop_timer_set(f->loop, &t, 5));
	loop_run(f->loop);
	close(f->pair[1]);
	finish();
}

#define GREEDY (3 * LOOP_CHUNKS) /* each of whom always has more */

static void refill(struct sock *far)
{
	assert_int_equal(send(member_of(far)->near.fd, flood, LOOP_CHUNK_SIZE, MSG_DONTWAIT), LOOP_CHUNK_SIZE);
}

static void greedily(struct sock *s, int result, struct loop_chunk chunk)
{
	assert_int_equal(result, LOOP_CHUNK_SIZE);
	loop_chunk_release(s->loop, &chunk);
	member_of(s)->got++;
	if (++f->got == (size_t)20 * GREEDY) {
		close_crowd(GREEDY);
		return;
	}
	refill(s);
	sock_receive(s);
}

static void buffers_go_round(void **state)
{
	if (!start(state))
		return;
	close(f->pair[0]);
	close(f->pair[1]);
	open_crowd(GREEDY);
	for (size_t i = 0; i < GREEDY; i++) {
		crowd[i].far.received = greedily;
		refill(&crowd[i].far);
		refill(&crowd[i].far);
		sock_receive(&crowd[i].far);
	}
	loop_run(f->loop);
	for (size_t i = 0; i < GREEDY; i++)
		assert_true(crowd[i].got >= 10);
	finish();
}

static void without_end(struct sock *s, int result, struct loop_chunk chunk)
{
	assert_int_equal(result, LOOP_CHUNK_SIZE);
	loop_chunk_release(s->loop, &chunk);
	refill(s);
	sock_receive(s);
}

static void close_the_first(struct loop_timer *t)
{
	(void)t;
	close_crowd(1);
}

static void who_always_has_more_stops_no_timer(void **state)
{
	struct loop_timer t = {.fire = close_the_first};

	if (!start(state))
		return;
	close(f->pair[0]);
	close(f->pair[1]);
	open_crowd(1);
	crowd[0].far.received = without_end;
	refill(&crowd[0].far);
	refill(&crowd[0].far);
	sock_receive(&crowd[0].far);
	assert_true(loop_timer_set(f->loop, &t, 5));
	loop_run(f->loop);
	finish();
}

/* ---- connecting ------------------------------------------------------------------------------------------------- */

static void on_connected(struct sock *s, int result)
{
	f->last_result = result;
	sock_close(s);
}

static int listening_socket(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof(*address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	return fd;
}

static void connect_tells_success_and_failure(void **state)
{
	for (int listening = 0; listening <= 1; listening++) {
		struct sockaddr_in address;
		int fd = listening_socket(&address);

		if (!start(state)) {
			close(fd);
			return;
		}
		if (listening)
			assert_int_equal(listen(fd, 1), 0);
		f->left.connected = on_connected;
		f->left.closed = closed;
		f->open = 1;
		assert_int_equal(sock_open(&f->left, f->loop,
					 socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), NULL),
			RATLS_OK);
		sock_connect(&f->left, (struct sockaddr *)&address, sizeof(address));
		loop_run(f->loop);
		assert_int_equal(f->last_result, listening ? 0 : -ECONNREFUSED);
		close(fd);
		close(f->pair[0]);
		close(f->pair[1]);
		finish();
	}
}

static void on_first_connected(struct sock *s, int result)
{
	(void)s;
	f->last_result = result;
	if (f->got++ > 0)
		fail_msg("a completion of a closed socket ran");
	close_pair();
}

static void a_failure_to_connect_that_is_known_at_once_is_told(void **state)
{
	struct sockaddr_un nobody = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/socket"};

	if (!start(state))
		return;
	for (int i = 0; i < 2; i++) {
		close(f->pair[i]);
		f->pair[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
	open_pair();
	f->left.connected = f->right.connected = on_first_connected;
	sock_connect(&f->left, (struct sockaddr *)&nobody, sizeof(nobody));
	sock_connect(&f->right, (struct sockaddr *)&nobody, sizeof(nobody));
	loop_run(f->loop);
	assert_int_equal(f->last_result, -ENOENT);
	finish();
}

/* ---- accepting -------------------------------------------------------------------------------------------------- */

static void on_accepted(struct loop_acceptor *a, int fd)
{
	close(fd);
	if (++f->got == 3) {
		loop_accept_stop(a);
		loop_stop(a->loop);
	}
}

static void connections_come_by_themselves(void **state)
{
	struct sockaddr_in address;
	struct loop_acceptor a = {.fd = listening_socket(&address), .accepted = on_accepted};
	int clients[5]; /* two of them after it was stopped */

	if (!start(state)) {
		close(a.fd);
		return;
	}
	assert_int_equal(listen(a.fd, 8), 0);
	assert_int_equal(loop_accept(f->loop, &a, NULL), RATLS_OK);
	for (int i = 0; i < 5; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(clients[i], (struct sockaddr *)&address, sizeof(address)), 0);
	}
	loop_run(f->loop);
	assert_int_equal(f->got, 3);
	for (int i = 0; i < 5; i++)
		close(clients[i]);
	close(a.fd);
	close(f->pair[0]);
	close(f->pair[1]);
	finish();
}

/* ---- a shortage passes ------------------------------------------------------------------------------------------ */

static struct rlimit plenty;
static bool memory_is_short;

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);

/* Memory that is short once, where there are no descriptors either; then there are both again. */
void *__wrap_realloc(void *p, size_t size)
{
	if (!memory_is_short)
		return __real_realloc(p, size);
	memory_is_short = false;
	setrlimit(RLIMIT_NOFILE, &plenty);
	return NULL;
}

static void end_shortage(struct loop_timer *t)
{
	(void)t;
	setrlimit(RLIMIT_NOFILE, &plenty);
}

static void on_accepted_late(struct loop_acceptor *a, int fd)
{
	close(fd);
	f->got++;
	loop_accept_stop(a);
	loop_stop(a->loop);
}

static void accept_with_a_shortage(void **state, bool of_memory)
{
	struct sockaddr_in address;
	struct loop_acceptor a = {.fd = listening_socket(&address), .accepted = on_accepted_late};
	struct loop_timer end = {.fire = end_shortage};
	struct rlimit none;
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!start(state)) {
		close(client);
		close(a.fd);
		return;
	}
	assert_int_equal(listen(a.fd, 8), 0);
	assert_int_equal(loop_accept(f->loop, &a, NULL), RATLS_OK);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &plenty), 0);
	none = (struct rlimit){0, plenty.rlim_max};
	if (!of_memory)
		assert_true(loop_timer_set(f->loop, &end, 1));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	memory_is_short = of_memory;
	loop_run(f->loop);
	assert_int_equal(f->got, 1);
	assert_false(memory_is_short);
	close(client);
	close(a.fd);
	close(f->pair[0]);
	close(f->pair[1]);
	finish();
}

static void accepting_outlives_a_shortage_of_descriptors(void **state)
{
	accept_with_a_shortage(state, false);
}

static void accepting_outlives_a_shortage_of_memory(void **state)
{
	accept_with_a_shortage(state, true);
}

/* ---- a ring that takes nothing any more ------------------------------------------------------------------------- */

static void *enable(void *ring)
{
	ring_enable(ring);
	return NULL;
}

/* The kernel refuses what comes from another thread than the one that enabled the ring. */
static _Noreturn void submit_from_another_thread(void)
{
	struct rlimit no_core = {0, 0};
	pthread_t issuer;
	struct ring *r;
	int result;

	setrlimit(RLIMIT_CORE, &no_core);
	if (ring_new(&r, NULL) != RATLS_OK || pthread_create(&issuer, NULL, enable, r) != 0 ||
		pthread_join(issuer, NULL) != 0)
		_exit(1);
	ring_send(r, f->pair[0], "x", 1, &result);
	ring_run(r);
	_exit(3);
}

static void a_broken_ring_ends_the_program(void **state)
{
	pid_t child;
	int status;

	if (!start(state))
		return;
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		submit_from_another_thread();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	close(f->pair[0]);
	close(f->pair[1]);
	finish();
}

/* ---- the choice of the engine ----------------------------------------------------------------------------------- */

/* In this process, from now on, a ring can be had but not prepared: registering anything with it fails. */
static void forbid_registering(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_register, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
		_exit(1);
}

static _Noreturn void choose_without_registering(void)
{
	char choice[160];
	struct loop *l;

	forbid_registering();
	if (loop_new(LOOP_IO_URING, &l, choice, NULL) == RATLS_OK)
		_exit(2);
	if (loop_new(LOOP_IO_AUTO, &l, choice, NULL) != RATLS_OK)
		_exit(3);
	if (strncmp(choice, "epoll, because", 14) != 0)
		_exit(4);
	loop_free(l);
	_exit(0);
}

static void auto_falls_back_when_a_ring_cannot_start(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		choose_without_registering();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- timers and posts ------------------------------------------------------------------------------------------- */

static int64_t order[16];
static unsigned n_order;

static void note_time(struct loop_timer *t)
{
	order[n_order++] = t->at;
	if (n_order == 7)
		loop_stop(f->loop);
}

static void timers_fire_in_order_unless_cleared(void **state)
{
	static const int64_t after[] = {9, 3, 7, 1, 5, 2, 8, 4};
	struct loop_timer t[8] = {0};

	if (!start(state))
		return;
	n_order = 0;
	for (int i = 0; i < 8; i++) {
		t[i].fire = note_time;
		assert_true(loop_timer_set(f->loop, &t[i], after[i]));
	}
	loop_timer_clear(f->loop, &t[2]);
	loop_timer_clear(f->loop, &t[2]);
	loop_run(f->loop);
	assert_int_equal(n_order, 7);
	for (unsigned i = 1; i < n_order; i++)
		assert_true(order[i - 1] <= order[i]);
	close(f->pair[0]);
	close(f->pair[1]);
	finish();
}

static void note_now(struct sock *s, int result, struct loop_chunk chunk)
{
	assert_int_equal(result, 1);
	loop_chunk_release(s->loop, &chunk);
	order[0] = loop_now(s->loop);
	close_pair();
}

static void close_later(struct sock *s, int result)
{
	static struct loop_timer t = {.fire = close_left};

	assert_int_equal(result, 0);
	assert_true(loop_timer_set(s->loop, &t, 1));
}

static void send_byte(struct loop_timer *t)
{
	(void)t;
	sock_send(&f->left, flood, 1);
}

/* One that a completion sets when the loop is about to wait, for nothing else, is waited for. */
static void a_timer_set_last_fires(void **state)
{
	struct loop_timer t = {.fire = send_byte};

	if (!start(state))
		return;
	f->left.sent = close_later;
	open_left();
	assert_true(loop_timer_set(f->loop, &t, 5));
	loop_run(f->loop);
	close(f->pair[1]);
	finish();
}

/* Else a timer that a completion sets after a long wait has run out already. */
static void completions_know_the_time_after_the_wait(void **state)
{
	int64_t written;

	if (!start(state))
		return;
	open_pair();
	f->right.received = note_now;
	sock_receive(&f->right);
	while ((written = clock_monotonic_ms()) <= loop_now(f->loop))
		;
	assert_int_equal(write(f->pair[0], "x", 1), 1);
	loop_run(f->loop);
	assert_true(order[0] >= written);
	finish();
}

struct counted_job {
	struct pool_job job;
	pthread_t ran_in;
};

static void job_runs(struct pool_job *j)
{
	((struct counted_job *)j)->ran_in = pthread_self();
}

static void job_comes_home(struct pool_job *j)
{
	assert_false(pthread_equal(((struct counted_job *)j)->ran_in, pthread_self()));
	free(j);
	if (++f->got == 100)
		loop_stop(f->loop);
}

static void jobs_run_elsewhere_and_come_home(void **state)
{
	struct pool *pool;

	if (!start(state))
		return;
	assert_int_equal(pool_new(3, 100, &pool, NULL), RATLS_OK);
	for (int i = 0; i < 100; i++) {
		struct counted_job *j = calloc(1, sizeof(*j));

		j->job = (struct pool_job){.run = job_runs, .done = job_comes_home, .home = f->loop};
		assert_true(pool_submit(pool, &j->job));
	}
	loop_run(f->loop);
	assert_int_equal(f->got, 100);
	pool_free(pool);
	close(f->pair[0]);
	close(f->pair[1]);
	finish();
}

int main(void)
{
	static enum loop_io uring = LOOP_IO_URING, epoll = LOOP_IO_EPOLL;
#define ON_BOTH(test)                                                                                         \
	{#test " (io_uring)", test, NULL, NULL, &uring}, {#test " (epoll)", test, NULL, NULL, &epoll}
	const struct CMUnitTest tests[] = {
		ON_BOTH(bytes_arrive_whole_then_eof),
		ON_BOTH(a_send_to_nobody_fails),
		ON_BOTH(sends_to_nobody_fail_together),
		ON_BOTH(closing_ends_a_send),
		ON_BOTH(last_words_go_out),
		ON_BOTH(what_is_flushed_is_sent_now),
		ON_BOTH(who_cannot_send_does_not_try),
		ON_BOTH(a_loop_without_work_sleeps),
		ON_BOTH(what_came_early_is_received),
		ON_BOTH(who_is_interrupted_tries_again),
		ON_BOTH(a_crowd_is_served_each_with_its_own),
		ON_BOTH(who_is_closed_in_the_turn_of_its_send_sends_nothing_twice),
		ON_BOTH(who_is_closed_in_the_turn_of_its_receive_is_told_nothing),
		ON_BOTH(close_cancels_a_pending_receive),
		ON_BOTH(a_closed_socket_is_heard_of_no_more_though_it_is_shared),
		ON_BOTH(a_receive_waits_for_a_buffer),
		ON_BOTH(who_is_closed_while_it_waits_for_a_buffer_gets_none),
		ON_BOTH(who_is_closed_with_a_lent_buffer_gives_it_back),
		ON_BOTH(a_buffer_that_comes_back_last_is_used),
		ON_BOTH(buffers_go_round),
		ON_BOTH(who_always_has_more_stops_no_timer),
		ON_BOTH(connect_tells_success_and_failure),
		ON_BOTH(a_failure_to_connect_that_is_known_at_once_is_told),
		ON_BOTH(connections_come_by_themselves),
		ON_BOTH(accepting_outlives_a_shortage_of_descriptors),
		ON_BOTH(accepting_outlives_a_shortage_of_memory),
		{"a_broken_ring_ends_the_program", a_broken_ring_ends_the_program, NULL, NULL, &uring},
		cmocka_unit_test(auto_falls_back_when_a_ring_cannot_start),
		ON_BOTH(timers_fire_in_order_unless_cleared),
		ON_BOTH(a_timer_set_last_fires),
		ON_BOTH(completions_know_the_time_after_the_wait),
		ON_BOTH(jobs_run_elsewhere_and_come_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
