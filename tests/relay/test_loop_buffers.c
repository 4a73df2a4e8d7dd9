/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's buffers, which all its sockets share: who waits for one is served, and in his turn.
 */
#include "loop_stage.h"

#include <sys/socket.h>
#include <unistd.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(a_receive_waits_for_a_buffer),
		ON_BOTH(who_is_closed_while_it_waits_for_a_buffer_gets_none),
		ON_BOTH(who_is_closed_with_a_lent_buffer_gives_it_back),
		ON_BOTH(a_buffer_that_comes_back_last_is_used),
		ON_BOTH(buffers_go_round),
		ON_BOTH(who_always_has_more_stops_no_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
