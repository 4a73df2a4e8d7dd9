/* SPDX-License-Identifier: Apache-2.0
 *
 * Both ends of a load that needs no Postgres: a stand-in server that answers a StartupMessage as Postgres
 * would and then echoes, and clients that open sessions with it through whatever stands between, as fast as
 * they can (rate) or to keep them open (hold). Postgres itself takes 20 ms for a session; a proxy takes one.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	CHUNK = 16384,          /* the largest message that is sent or echoed at once */
	MAX_FDS = 65536,        /* descriptors that the stand-in keeps apart */
	MAX_THREADS = 256,      /* of rate */
	MAX_SESSIONS = 1000000, /* of rate and hold */
	PATIENCE_S = 20,        /* a client gives up on a silent peer */
	SMALL = 64,             /* bytes of the round trip of a new session */
};

/* PostgreSQL's protocol 3.0 (documentation, section 55.7): StartupMessage for user and database "bench",
 * AuthenticationOk with ReadyForQuery, Terminate. */
static const uint8_t startup[] = "\0\0\0\x23\0\3\0\0user\0bench\0database\0bench\0";
static const uint8_t welcome[] = "R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
static const uint8_t terminate[] = "X\0\0\0\x04";
enum {
	STARTUP_SIZE = sizeof(startup),
	WELCOME_SIZE = sizeof(welcome) - 1,
	TERMINATE_SIZE = sizeof(terminate) - 1,
};
_Static_assert(STARTUP_SIZE == 0x23, "the StartupMessage names its own length");

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

static void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("load: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(2);
}

static size_t number_parse(const char *text, size_t max)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno != 0 || end == text || (*end != '\0' && *end != '\n') || n > max)
		die("not a number up to %zu: %s", max, text);
	return (size_t)n;
}

/* "127.0.0.1:PORT", or the path of a Unix socket. */
static struct address address_parse(const char *text)
{
	struct address a = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_un *un = (struct sockaddr_un *)&a.sa;
	struct sockaddr_in *in = (struct sockaddr_in *)&a.sa;
	const char *colon = strrchr(text, ':');
	char host[64];

	if (text[0] == '/') {
		if (strlen(text) >= sizeof(un->sun_path))
			die("socket path too long: %s", text);
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, text, strlen(text) + 1);
		a.len = sizeof(*un);
		return a;
	}
	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		die("not ADDRESS:PORT or a path: %s", text);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)number_parse(colon + 1, UINT16_MAX));
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		die("not an IPv4 address: %s", host);
	return a;
}

static double clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool send_all(int fd, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool recv_all(int fd, uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = recv(fd, p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* ---- the stand-in for Postgres ---- */

static int backend_listen(const char *where)
{
	struct address a = address_parse(where);
	int fd = socket(a.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a.sa, a.len) != 0 || listen(fd, 4096) != 0)
		die("could not listen on %s: %s", where, strerror(errno));
	return fd;
}

static void backend_watch(int ep, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0)
		die("could not watch a socket: %s", strerror(errno));
}

static void backend_accept(int ep, int listener, bool *started)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int one = 1;

	if (fd < 0)
		return;
	if (fd >= MAX_FDS) {
		close(fd);
		return;
	}
	setsockopt(
		fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* fails on a Unix socket: nothing lost */
	started[fd] = false;
	backend_watch(ep, fd);
}

/* Answer what came. A StartupMessage and a Terminate arrive whole, because their senders wait. */
static bool backend_answer(int fd, bool *started)
{
	uint8_t bytes[CHUNK];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	if (n <= 0)
		return false;
	if (!*started) {
		*started = true;
		return n >= 8 && send_all(fd, welcome, WELCOME_SIZE);
	}
	if (n == TERMINATE_SIZE && memcmp(bytes, terminate, TERMINATE_SIZE) == 0)
		return false;
	return send_all(fd, bytes, (size_t)n);
}

/* Serves until it is killed. */
static void backend_main(char **where) __attribute__((noreturn));

static void backend_main(char **where)
{
	static bool started[MAX_FDS];
	static bool listener[MAX_FDS];
	struct epoll_event events[64];
	int ep = epoll_create1(EPOLL_CLOEXEC);

	for (; *where != NULL; where++) {
		int fd = backend_listen(*where);

		listener[fd] = true;
		backend_watch(ep, fd);
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(ep, events, 64, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (listener[fd])
				backend_accept(ep, fd, started);
			else if (!backend_answer(fd, &started[fd]))
				close(fd);
		}
	}
}

/* ---- one session of a client ---- */

/* Connect and start up; -1 if anything else than a welcome comes back, which is then shown. */
static int session_open(const struct address *a)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	uint8_t answer[WELCOME_SIZE];
	char rest[512] = "";
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&a->sa, a->len) == 0 &&
		send_all(fd, startup, STARTUP_SIZE) && recv_all(fd, answer, WELCOME_SIZE)) {
		if (memcmp(answer, welcome, WELCOME_SIZE) == 0)
			return fd;
		recv(fd, rest, sizeof(rest) - 1, 0);
		fprintf(stderr, "load: refused: %.*s%s\n", WELCOME_SIZE, (const char *)answer, rest);
	}
	close(fd);
	return -1;
}

/* One CopyData message of len bytes there and back. */
static bool session_echo(int fd, size_t len)
{
	uint8_t out[CHUNK] = {'d'};
	uint8_t in[CHUNK];

	out[3] = (uint8_t)((len - 1) >> 8);
	out[4] = (uint8_t)(len - 1);
	memset(out + 5, 'x', len - 5);
	return send_all(fd, out, len) && recv_all(fd, in, len) && memcmp(in, out, len) == 0;
}

static void session_close(int fd)
{
	send_all(fd, terminate, TERMINATE_SIZE);
	close(fd);
}

/* ---- rate: new sessions per second ---- */

struct rate {
	struct address to;
	double until;
	size_t max; /* sessions at most, so that a fast path does not use up the ports */
	double *ms; /* one time for each session that worked */
	size_t done;
	size_t errors;
};

static void *rate_run(void *arg)
{
	struct rate *r = arg;

	while (r->done + r->errors < r->max && clock_now() < r->until) {
		double began = clock_now();
		int fd = session_open(&r->to);
		bool ok = fd >= 0 && session_echo(fd, SMALL);

		if (ok)
			r->ms[r->done++] = (clock_now() - began) * 1e3;
		else
			r->errors++;
		if (fd >= 0)
			session_close(fd);
	}
	return NULL;
}

static int rate_compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static int rate_main(const char *where, size_t threads, size_t seconds, size_t max)
{
	struct rate *rates = calloc(threads, sizeof(*rates));
	pthread_t *ids = calloc(threads, sizeof(*ids));
	double *ms = calloc(max, sizeof(*ms));
	double began = clock_now();
	size_t share = max / threads;
	size_t done = 0;
	size_t errors = 0;
	double took;

	if (rates == NULL || ids == NULL || ms == NULL)
		die("out of memory");
	for (size_t i = 0; i < threads; i++) {
		rates[i] = (struct rate){
			address_parse(where), began + (double)seconds, share, ms + i * share, 0, 0};
		if (pthread_create(&ids[i], NULL, rate_run, &rates[i]) != 0)
			die("could not start a thread");
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		memmove(ms + done, rates[i].ms, rates[i].done * sizeof(*ms));
		done += rates[i].done;
		errors += rates[i].errors;
	}
	took = clock_now() - began;
	qsort(ms, done, sizeof(*ms), rate_compare);
	printf("{\"sessions\": %zu, \"errors\": %zu, \"seconds\": %.4f, \"p50_ms\": %.4f, \"p99_ms\": "
	       "%.4f}\n",
		done, errors, took, done > 0 ? ms[done / 2] : 0, done > 0 ? ms[done * 99 / 100] : 0);
	free(ms);
	free(ids);
	free(rates);
	return 0;
}

/* ---- hold: many sessions at once ---- */

/* Opens the sessions, then for each number of KiB on standard input echoes that much on every session; holds
 * them until standard input ends. After each step a line says how many are alive. */
static int hold_main(const char *where, size_t count)
{
	struct address to = address_parse(where);
	int *fds = calloc(count, sizeof(*fds));
	size_t alive = 0;
	char line[32];

	if (fds == NULL)
		die("out of memory");
	for (size_t i = 0; i < count; i++) {
		int fd = session_open(&to);

		if (fd >= 0 && session_echo(fd, SMALL))
			fds[alive++] = fd;
	}
	printf("%zu\n", alive);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		size_t chunks = number_parse(line, 1 << 20) * 1024 / CHUNK;
		size_t good = 0;

		for (size_t i = 0; i < alive; i++) {
			bool ok = true;

			for (size_t k = 0; ok && k < chunks; k++)
				ok = session_echo(fds[i], CHUNK);
			good += ok;
		}
		printf("%zu\n", good);
		fflush(stdout);
	}
	for (size_t i = 0; i < alive; i++)
		session_close(fds[i]);
	free(fds);
	return 0;
}

static void descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	descriptors_raise();
	if (strcmp(verb, "backend") == 0)
		backend_main(argv + 2);
	if (strcmp(verb, "rate") == 0 && argc == 6) {
		size_t threads = number_parse(argv[3], MAX_THREADS);

		return rate_main(argv[2], threads > 0 ? threads : 1, number_parse(argv[4], 3600),
			number_parse(argv[5], MAX_SESSIONS));
	}
	if (strcmp(verb, "hold") == 0 && argc == 4)
		return hold_main(argv[2], number_parse(argv[3], MAX_SESSIONS));
	die("usage: load backend ADDR... | rate ADDR THREADS SECONDS MAX | hold ADDR COUNT");
}
