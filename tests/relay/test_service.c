/* SPDX-License-Identifier: Apache-2.0
 *
 * What must hold between a forwarder and a sidecar, on both back ends of the loop.
 */
#include "service_stage.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- what must hold --------------------------------------------------------------------------------------------- */

static void bytes_cross_both_ways_and_half_close_is_honoured(void **state)
{
	struct pair p;
	char end;
	int fd;

	if (!pair_start(&p, state, false))
		return;
	fd = dial(port_of(p.forwarder));
	say(fd, startup, sizeof(startup));
	hear(fd, startup, sizeof(startup));
	say(fd, "last words", 10);
	shutdown(fd, SHUT_WR);
	hear(fd, "last words", 10); /* the other direction is still open */
	assert_int_equal(read(fd, &end, 1), 0);
	close(fd);
	await_counter(&service_counters(p.sidecar)->open, 0);
	await_counter(&service_counters(p.forwarder)->open, 0);
	pair_end(&p);
}

/* Invariant no_bytes_before_verdict, for a client that the sidecar refuses. */
static void no_bytes_before_verdict(void **state)
{
	struct pair p;
	char text[1024] = {0};
	int fd, before = atomic_load(&backend.accepted);

	if (!pair_start(&p, state, true))
		return;
	fd = dial(port_of(p.forwarder));
	say(fd, startup, sizeof(startup));
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_int_equal(text[0], 'E');
	assert_non_null(memmem(text, sizeof(text), "28000", 5));
	assert_non_null(memmem(text, sizeof(text), "client attestation was refused", 30));
	close(fd);
	await_counter(&service_counters(p.sidecar)->open, 0);
	assert_int_equal(atomic_load(&service_counters(p.sidecar)->refused_verdict), 1);
	assert_int_equal(atomic_load(&backend.accepted), before);
	pair_end(&p);
}

/* Send what nobody reads the echo of, until nothing more goes. */
static void stall(int fd)
{
	static const uint8_t nothing[65536];
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	while (poll(&p, 1, 20) == 1 && send(fd, nothing, sizeof(nothing), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
}

/* Invariant bounded_by_configuration: refusing to serve one peer, or waiting for it, never costs another. There
 * are more of those that do not read than the loops have buffers. */
static void slow_readers_stop_nobody_else(void **state)
{
	int fds[2 * LOOP_CHUNKS + 8], live;
	size_t n = sizeof(fds) / sizeof(fds[0]);
	struct pair p;

	if (!pair_start(&p, state, false))
		return;
	for (size_t i = 0; i < n; i++) {
		fds[i] = dial(port_of(p.forwarder));
		say(fds[i], startup, sizeof(startup));
		hear(fds[i], startup, sizeof(startup));
	}
	for (size_t i = 0; i < n; i++)
		stall(fds[i]);
	live = dial(port_of(p.forwarder));
	say(live, startup, sizeof(startup));
	hear(live, startup, sizeof(startup));
	close(live);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	pair_end(&p);
}

/* ---- a back end that reads nothing -------------------------------------------------------------------------- */

#define PIECE ((size_t)16000)

/* False if the sidecar could not pass on all of what was sent so far. */
static bool passed_on(const struct pair *p, uint64_t bytes)
{
	for (int i = 0; i < 5000; i++) {
		if (atomic_load(&service_counters(p->sidecar)->bytes_up) >= bytes)
			return true;
		usleep(100);
	}
	return false;
}

/* How many pieces the sidecar takes of a session: the last of them is on its way and goes no further. */
static size_t pieces_until_stuck(const struct pair *p, int fd, uint64_t *total)
{
	static const uint8_t piece[PIECE];
	size_t n = 0;

	do {
		say(fd, piece, PIECE);
		*total += PIECE;
	} while (passed_on(p, *total) && ++n < 1000);
	*total -= PIECE; /* it waits in the sidecar */
	assert_in_range(n, 1, 999);
	return n;
}

/* Invariant bounded_by_configuration, for those who send to one that does not read: each of them was still listened to
 * when what he had sent got stuck, because buffers were plenty then, and all of them say more only later. */
static void who_speaks_to_the_deaf_stops_nobody_else(void **state)
{
	static const uint8_t piece[PIECE];
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char dir[] = "/tmp/teesql-test-XXXXXX";
	int fds[2 * LOOP_CHUNKS + 32], deaf = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), live;
	size_t n = sizeof(fds) / sizeof(fds[0]), pieces = 0;
	uint64_t total = 0;
	struct pair p;

	if (!pair_start(&p, state, false)) {
		close(deaf);
		return;
	}
	service_free(p.forwarder);
	service_free(p.sidecar);
	assert_non_null(mkdtemp(dir));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/.s.PGSQL.5432", dir);
	assert_int_equal(bind(deaf, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(deaf, 256), 0);
	p.to_backend = (struct service_target){.host = dir, .port = 5432};
	p.sidecar = start(*(enum loop_io *)*state, SERVICE_SIDECAR, &p.server, &p.to_backend);
	p.to_sidecar.port = port_of(p.sidecar);
	p.forwarder = start(*(enum loop_io *)*state, SERVICE_FORWARDER, &p.client, &p.to_sidecar);
	for (size_t i = 0; i < n; i++) {
		fds[i] = dial(port_of(p.forwarder));
		say(fds[i], startup, sizeof(startup));
		await_counter(&service_counters(p.sidecar)->established, i + 1);
		total += sizeof(startup);
		if (i == 0)
			pieces = pieces_until_stuck(&p, fds[i], &total);
		for (size_t j = 0; i > 0 && j < pieces; j++) {
			say(fds[i], piece, PIECE);
			total += PIECE;
			(void)passed_on(&p, total);
		}
	}
	for (size_t i = 1; i < n; i++)
		say(fds[i], piece, PIECE);
	await_counter(&service_counters(p.forwarder)->bytes_up, total + n * PIECE);
	live = dial(port_of(p.forwarder));
	say(live, startup, sizeof(startup));
	await_counter(&service_counters(p.sidecar)->established, n + 1);
	close(live);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	close(deaf);
	pair_end(&p);
	unlink(a.sun_path);
	rmdir(dir);
}

/* Does a new handshake with the service present the key of this name? */
static bool presents(const struct service *s, const char *name)
{
	EVP_PKEY *key = forge_key(seed, name);
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *tls = SSL_new(context);
	int fd = dial(port_of(s));
	bool same;

	SSL_set_fd(tls, fd);
	assert_int_equal(SSL_connect(tls), 1);
	same = EVP_PKEY_eq(X509_get0_pubkey(SSL_get0_peer_certificate(tls)), key) == 1;
	SSL_free(tls);
	SSL_CTX_free(context);
	EVP_PKEY_free(key);
	close(fd);
	return same;
}

static void rotate_to(struct pair *p, const char *name)
{
	struct identity *renewed = make_identity(&p->server.machine, name, false);
	struct channel_context_options o = {.role = CHANNEL_SERVER, .request_certificate = true, .identity = renewed};
	struct channel_context *context;

	assert_int_equal(channel_context_new(&o, &context, NULL), RATLS_OK);
	service_set_context(p->sidecar, context);
	channel_context_free(context);
	identity_free(renewed);
	assert_int_equal(relying_party_set_policy(p->server.relying_party, NULL, NULL), RATLS_OK);
}

/* Invariant rotation_drops_nothing: another key, another certificate and a policy read anew are those of the next
 * sessions, and those that began before go on. */
static void rotation_drops_nothing(void **state)
{
	static const char *const names[] = {"leaf", "second leaf", "third leaf"};
	int fds[3];
	struct pair p;

	if (!pair_start(&p, state, false))
		return;
	for (int i = 0; i < 3; i++) {
		if (i > 0) {
			assert_false(presents(p.sidecar, names[i]));
			rotate_to(&p, names[i]);
		}
		assert_true(presents(p.sidecar, names[i]));
		fds[i] = dial(port_of(p.forwarder));
		say(fds[i], startup, sizeof(startup));
		hear(fds[i], startup, sizeof(startup));
		for (int j = 0; j <= i; j++) {
			say(fds[j], "still here", 10);
			hear(fds[j], "still here", 10);
		}
	}
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	pair_end(&p);
}

/* ---- a resolver that does not answer ---------------------------------------------------------------------------- */

static sem_t resolving, answering; /* posted when it is asked; waited for until it answers */

int __real_getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **ret);
int __wrap_getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **ret);

int __wrap_getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **ret)
{
	if (name == NULL || strcmp(name, "slow.example.org") != 0)
		return __real_getaddrinfo(name, port, hints, ret);
	sem_post(&resolving);
	sem_wait(&answering);
	return EAI_AGAIN;
}

/* Invariant bounded_by_configuration: who waits for a name takes no worker from who waits for a verdict. */
static void a_slow_resolver_delays_no_verdict(void **state)
{
	int fds[8], stranger;
	struct party other = {0};
	struct service *others;
	struct pair p;

	if (!pair_start(&p, state, false))
		return;
	sem_init(&resolving, 0, 0);
	sem_init(&answering, 0, 0);
	service_free(p.forwarder);
	service_free(p.sidecar);
	p.to_backend.host = "slow.example.org";
	p.sidecar = start(*(enum loop_io *)*state, SERVICE_SIDECAR, &p.server, &p.to_backend);
	p.to_sidecar.port = port_of(p.sidecar);
	p.forwarder = start(*(enum loop_io *)*state, SERVICE_FORWARDER, &p.client, &p.to_sidecar);
	for (int i = 0; i < 8; i++) {
		fds[i] = dial(port_of(p.forwarder));
		say(fds[i], startup, sizeof(startup));
	}
	await_counter(&service_counters(p.forwarder)->established, 8); /* so the sidecar has accepted their evidence */
	sem_wait(&resolving);
	sem_wait(&resolving);
	party_make(&other, CHANNEL_CLIENT, true);
	others = start(*(enum loop_io *)*state, SERVICE_FORWARDER, &other, &p.to_sidecar);
	stranger = dial(port_of(others));
	say(stranger, startup, sizeof(startup));
	await_counter(&service_counters(p.sidecar)->refused_verdict, 1);
	for (int i = 0; i < 64; i++)
		sem_post(&answering);
	close(stranger);
	for (int i = 0; i < 8; i++)
		close(fds[i]);
	service_free(others);
	party_done(&other);
	pair_end(&p);
	sem_destroy(&resolving);
	sem_destroy(&answering);
}

/* A verdict that comes when its connection has gone is dropped. */
static void a_late_answer_is_dropped(void **state)
{
	struct pair p;
	sem_t gate;
	int fd, before = atomic_load(&backend.accepted);

	if (!pair_start(&p, state, false))
		return;
	sem_init(&gate, 0, 0);
	p.client.gate = &gate;
	fd = dial(port_of(p.forwarder));
	say(fd, startup, sizeof(startup));
	sem_wait(&p.client.asked); /* the forwarder's worker is under way */
	close(fd);
	await_counter(&service_counters(p.forwarder)->open, 0); /* and the connection is gone before it comes back */
	for (int i = 0; i < 16; i++)
		sem_post(&gate);
	service_free(p.forwarder);
	p.forwarder = NULL;
	await_counter(&service_counters(p.sidecar)->open, 0);
	assert_int_equal(atomic_load(&backend.accepted), before);
	pair_end(&p);
	sem_destroy(&gate);
}

/* Nobody knows anything about the peer then, and the user is told where to look. */
static void a_verdict_that_takes_too_long_is_told_with_a_reason(void **state)
{
	char text[1024] = {0};
	struct pair p;
	bool started;
	sem_t gate;
	int fd;

	forwarder_patience = 50;
	started = pair_start(&p, state, false);
	forwarder_patience = 20000;
	if (!started)
		return;
	sem_init(&gate, 0, 0);
	p.client.gate = &gate;
	fd = dial(port_of(p.forwarder));
	say(fd, startup, sizeof(startup));
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_int_equal(text[0], 'E');
	assert_non_null(memmem(text, sizeof(text), "appraisal timed out after 50 ms (TQ-5130)", 41));
	close(fd);
	for (int i = 0; i < 16; i++)
		sem_post(&gate);
	pair_end(&p);
	sem_destroy(&gate);
}

int main(void)
{
	static enum loop_io uring = LOOP_IO_URING, epoll = LOOP_IO_EPOLL;
#define ON_BOTH(test)                                                                                         \
	{#test " (io_uring)", test, NULL, NULL, &uring}, {#test " (epoll)", test, NULL, NULL, &epoll}
	const struct CMUnitTest tests[] = {
		ON_BOTH(bytes_cross_both_ways_and_half_close_is_honoured),
		ON_BOTH(no_bytes_before_verdict),
		ON_BOTH(slow_readers_stop_nobody_else),
		ON_BOTH(who_speaks_to_the_deaf_stops_nobody_else),
		ON_BOTH(rotation_drops_nothing),
		ON_BOTH(a_slow_resolver_delays_no_verdict),
		ON_BOTH(a_late_answer_is_dropped),
		ON_BOTH(a_verdict_that_takes_too_long_is_told_with_a_reason),
	};

	return cmocka_run_group_tests(tests, backend_start, backend_stop);
}
