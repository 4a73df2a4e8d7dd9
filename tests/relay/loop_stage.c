/* SPDX-License-Identifier: Apache-2.0 */
#include "loop_stage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct fixture *f;
struct member crowd[CROWD];
enum loop_io with_ring = LOOP_IO_URING, without_ring = LOOP_IO_EPOLL;

enum loop_io io_of(void **state)
{
	return *(enum loop_io *)*state;
}

bool start(void **state)
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

void closed(struct sock *s)
{
	s->closed = closed_twice;
	if (--f->open == 0)
		loop_stop(f->loop);
}

void finish(void)
{
	assert_int_equal(f->loop->n_chunks, LOOP_CHUNKS); /* all came back */
	loop_free(f->loop);
	free(f);
}

void open_pair(void)
{
	f->left.closed = f->right.closed = closed;
	assert_int_equal(sock_open(&f->left, f->loop, f->pair[0], NULL), RATLS_OK);
	assert_int_equal(sock_open(&f->right, f->loop, f->pair[1], NULL), RATLS_OK);
	f->open = 2;
}

void close_pair(void)
{
	sock_close(&f->left);
	sock_close(&f->right);
}

void open_left(void)
{
	f->left.closed = closed;
	assert_int_equal(sock_open(&f->left, f->loop, f->pair[0], NULL), RATLS_OK);
	f->open = 1;
}

struct member *member_of(struct sock *far)
{
	return (void *)((char *)far - offsetof(struct member, far));
}

void open_crowd(size_t n)
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

void close_crowd(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sock_close(&crowd[i].near);
		sock_close(&crowd[i].far);
	}
}

void must_not_come(struct sock *s, int result, struct loop_chunk chunk)
{
	(void)s;
	(void)chunk;
	fail_msg("a completion of a closed socket ran (result %d)", result);
}

void close_now(struct loop_timer *t)
{
	(void)t;
	close_pair();
}

void close_left(struct loop_timer *t)
{
	(void)t;
	sock_close(&f->left);
}
