/* SPDX-License-Identifier: Apache-2.0
 *
 * What else a loop does: connecting, accepting, shortages, the choice of the engine, timers, posts.
 */
#include "loop_stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "relay/pool.h"

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
	static const uint8_t byte;

	(void)t;
	sock_send(&f->left, &byte, 1);
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
	const struct CMUnitTest tests[] = {
		ON_BOTH(connect_tells_success_and_failure),
		ON_BOTH(a_failure_to_connect_that_is_known_at_once_is_told),
		ON_BOTH(connections_come_by_themselves),
		ON_BOTH(accepting_outlives_a_shortage_of_descriptors),
		ON_BOTH(accepting_outlives_a_shortage_of_memory),
		ON_BOTH(timers_fire_in_order_unless_cleared),
		ON_BOTH(a_timer_set_last_fires),
		ON_BOTH(completions_know_the_time_after_the_wait),
		ON_BOTH(jobs_run_elsewhere_and_come_home),
		{"a_broken_ring_ends_the_program", a_broken_ring_ends_the_program, NULL, NULL, &with_ring},
		cmocka_unit_test(auto_falls_back_when_a_ring_cannot_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
