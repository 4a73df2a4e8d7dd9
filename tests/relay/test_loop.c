/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's contract, with and without a ring, on real sockets: bytes, and the end of a socket.
 */
#include "loop_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

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

int main(void)
{
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
