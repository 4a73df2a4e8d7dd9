/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's contract, on both back ends and real sockets.
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
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "relay/loop.h"
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

static void closed(struct sock *s)
{
	(void)s;
	if (--f->open == 0)
		loop_stop(f->loop);
}

static void finish(void)
{
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

/* ---- bytes arrive whole and in order, then EOF ---------------------------------------------------------- */

static void count(struct sock *s, int result, struct loop_chunk chunk)
{
	for (size_t i = 0; i < chunk.len; i++)
		assert_int_equal(chunk.p[i], (uint8_t)(f->got + i));
	f->got += chunk.len;
	f->last_result = result;
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

static void arrive_whole(void **state, void (*begin)(struct sock *, const uint8_t *, size_t))
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
	begin(&f->left, bytes, len);
	loop_run(f->loop);
	assert_int_equal(f->got, len);
	assert_int_equal(f->last_result, 0);
	free(bytes);
	finish();
}

static void bytes_arrive_whole_then_eof(void **state)
{
	arrive_whole(state, sock_send);
}

static void a_quiet_send_that_does_not_fit_arrives_whole(void **state)
{
	arrive_whole(state, sock_send_quietly);
}

/* ---- quiet sends --------------------------------------------------------------------------------------------- */

static void then_once_more(struct sock *s, int result)
{
	static const uint8_t byte;

	assert_int_equal(result, 0);
	if (++f->got == 100) {
		close_pair();
		return;
	}
	sock_send_quietly(s, &byte, 1);
	sock_await_sent(s);
}

/* Nobody reads: but for the word that somebody waits, nothing more would happen in this loop. */
static void who_waits_for_a_quiet_send_is_told(void **state)
{
	if (!start(state))
		return;
	open_pair();
	f->left.sent = then_once_more;
	then_once_more(&f->left, 0);
	loop_run(f->loop);
	assert_int_equal(f->got, 100);
	finish();
}

static void note_failure(struct sock *s, int result)
{
	(void)s;
	f->last_result = result;
	close_pair();
}

static void a_quiet_send_to_nobody_fails(void **state)
{
	static const uint8_t byte;

	if (!start(state))
		return;
	shutdown(f->pair[0], SHUT_WR);
	open_pair();
	f->left.sent = note_failure;
	sock_send_quietly(&f->left, &byte, 1);
	loop_run(f->loop);
	assert_int_equal(f->last_result, -EPIPE);
	finish();
}

static void closing_ends_a_quiet_send(void **state)
{
	static const uint8_t byte;

	if (!start(state))
		return;
	open_pair();
	f->left.sent = note_failure;
	f->last_result = 1;
	sock_send_quietly(&f->left, &byte, 1);
	close_pair();
	loop_run(f->loop);
	assert_int_equal(f->last_result, 1);
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
	int clients[3];

	if (!start(state)) {
		close(a.fd);
		return;
	}
	assert_int_equal(listen(a.fd, 8), 0);
	assert_int_equal(loop_accept(f->loop, &a, NULL), RATLS_OK);
	for (int i = 0; i < 3; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(clients[i], (struct sockaddr *)&address, sizeof(address)), 0);
	}
	loop_run(f->loop);
	assert_int_equal(f->got, 3);
	for (int i = 0; i < 3; i++)
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

static void stop_at_once(struct loop_timer *t)
{
	(void)t;
	loop_stop(f->loop);
}

static void *run_loop(void *arg)
{
	loop_run(arg);
	return NULL;
}

/* More receives than a ring's queue holds, from a thread whose submissions the kernel refuses. */
static _Noreturn void overfill(void)
{
	static struct sock socks[4096];
	struct loop_timer t = {.fire = stop_at_once};
	struct rlimit no_core = {0, 0};
	pthread_t issuer;

	setrlimit(RLIMIT_CORE, &no_core);
	loop_timer_set(f->loop, &t, 0);
	if (pthread_create(&issuer, NULL, run_loop, f->loop) != 0 || pthread_join(issuer, NULL) != 0)
		_exit(1);
	for (size_t i = 0; i < sizeof(socks) / sizeof(socks[0]); i++) {
		if (sock_open(&socks[i], f->loop, f->pair[0], NULL) != RATLS_OK)
			_exit(2);
		sock_receive(&socks[i]);
	}
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
		overfill();
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
		ON_BOTH(a_quiet_send_that_does_not_fit_arrives_whole),
		ON_BOTH(who_waits_for_a_quiet_send_is_told),
		ON_BOTH(a_quiet_send_to_nobody_fails),
		ON_BOTH(closing_ends_a_quiet_send),
		ON_BOTH(close_cancels_a_pending_receive),
		ON_BOTH(a_receive_waits_for_a_buffer),
		ON_BOTH(connect_tells_success_and_failure),
		ON_BOTH(connections_come_by_themselves),
		ON_BOTH(accepting_outlives_a_shortage_of_descriptors),
		ON_BOTH(accepting_outlives_a_shortage_of_memory),
		{"a_broken_ring_ends_the_program", a_broken_ring_ends_the_program, NULL, NULL, &uring},
		cmocka_unit_test(auto_falls_back_when_a_ring_cannot_start),
		ON_BOTH(timers_fire_in_order_unless_cleared),
		ON_BOTH(completions_know_the_time_after_the_wait),
		ON_BOTH(jobs_run_elsewhere_and_come_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
