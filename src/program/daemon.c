/* SPDX-License-Identifier: Apache-2.0 */
#include "program/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "program/streams.h"

#define LINGER_MS 2000 /* for a refused client to read why */

#define ROW(name, type, member, fallback, arg, help) \
	{name, type, offsetof(struct daemon_options, member), fallback, arg, help}

const struct opt daemon_rows[] = {
	ROW("threads", OPT_UINT, threads, "0", "N", "loops; 0 is half of the processors"),
	ROW("io", OPT_CHOICE, io, "auto", "auto|uring|epoll", "how the kernel is asked"),
	ROW("max-connections", OPT_UINT, max_connections, "5000", "N", "open at once; 0 is no limit"),
	ROW("max-connections-per-peer", OPT_UINT, max_connections_per_peer, "0", "N",
		"open at once from one address; 0 is no limit of its own"),
	ROW("max-handshakes", OPT_UINT, max_handshakes, "1000", "N",
		"being set up at once, 0 is no limit; to a sidecar one address has no more than are left for others"),
	ROW("max-appraisals", OPT_UINT, max_appraisals, "256", "N", "waiting at once"),
	ROW("handshake-timeout", OPT_TIME, handshake_timeout, "15s", "TIME",
		"for the first bytes, for TLS, and for the startup packet, each"),
	ROW("appraisal-timeout", OPT_TIME, appraisal_timeout, "30s", "TIME", "for a verdict"),
	ROW("connect-timeout", OPT_TIME, connect_timeout, "10s", "TIME", "to reach the server"),
	ROW("idle-timeout", OPT_TIME, idle_timeout, "0", "TIME", "of a session; 0 is none"),
	ROW("session-lifetime", OPT_TIME, session_lifetime, "0", "TIME", "of a session; 0 is none"),
	ROW("drain-timeout", OPT_TIME, drain_timeout, "30s", "TIME", "how long sessions may go on after SIGTERM"),
	ROW("log-format", OPT_CHOICE, log_format, "text", LOG_FORMAT_WORDS, "of the lines on standard error"),
	ROW("log-level", OPT_CHOICE, log_level, "info", LOG_LEVEL_WORDS, "the least severe lines that are written"),
	{.name = NULL},
};

static struct {
	bool known;
	struct rlimit files, core;
} found; /* the limits before daemon_begin */

void daemon_restore_limits(void)
{
	if (!found.known)
		return;
	setrlimit(RLIMIT_NOFILE, &found.files);
	setrlimit(RLIMIT_CORE, &found.core);
}

static void waited_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGQUIT);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
	sigaddset(set, SIGCHLD);
}

void daemon_begin(const char *program, const struct daemon_options *o)
{
	struct rlimit files;
	sigset_t set;

	streams_hold();
	log_setup(program, o->log_level, o->log_format);
	found.known = getrlimit(RLIMIT_NOFILE, &found.files) == 0 && getrlimit(RLIMIT_CORE, &found.core) == 0;
	secret_forbid_core_dumps();
	if (found.known) {
		files = found.files;
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	waited_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* who started us may ignore his children, and we would ours */
}

#define SOCKETS_FIRST 3 /* SD_LISTEN_FDS_START */
#define SOCKETS_MAX   16

static int adopt(long n, const int **ret, struct ratls_error *err)
{
	static int sockets[SOCKETS_MAX + 1];

	if (n < 0 || n > SOCKETS_MAX)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION, "LISTEN_FDS is not a number up to %d", SOCKETS_MAX);
	for (long i = 0; i < n; i++) {
		sockets[i] = SOCKETS_FIRST + (int)i;
		fcntl(sockets[i], F_SETFD, FD_CLOEXEC);
	}
	sockets[n] = -1;
	*ret = n > 0 ? sockets : NULL;
	return RATLS_OK;
}

/* A number and nothing else, else -1. */
static long number(const char *text)
{
	char *end;
	long n = text != NULL && text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : -1;

	return n >= 0 && *end == '\0' ? n : -1;
}

int daemon_sockets(const int **ret, struct ratls_error *err)
{
	const char *count = getenv("LISTEN_FDS");
	int rc = RATLS_OK;

	*ret = NULL;
	if (count != NULL && number(getenv("LISTEN_PID")) == getpid())
		rc = adopt(number(count), ret, err);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return rc;
}

int daemon_service_options(const struct daemon_options *o, struct service_options *ret, struct ratls_error *err)
{
	if (o->threads > 256)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION, "--threads is more than 256");
	if (o->max_appraisals == 0 || o->max_appraisals > 100000)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION, "--max-appraisals is not between 1 and 100000");
	ret->io = o->io;
	ret->threads = (unsigned)o->threads;
	ret->timeouts = (struct service_timeouts){
		.greeting = o->handshake_timeout,
		.handshake = o->handshake_timeout,
		.startup = o->handshake_timeout,
		.appraise = o->appraisal_timeout,
		.dial = o->connect_timeout,
		.linger = LINGER_MS,
		.idle = o->idle_timeout,
		.lifetime = o->session_lifetime,
	};
	ret->limits = (struct service_limits){
		.connections = o->max_connections,
		.per_peer = o->max_connections_per_peer,
		.setups = o->max_handshakes,
		.appraisals = o->max_appraisals,
	};
	return RATLS_OK;
}

static void warn_insecure(const char *name)
{
	log_event(LOG_LEVEL_INSECURE, 0, NULL, "INSECURE: --%s weakens a check", name);
}

void daemon_warn_insecure(const struct opt_program *program, const void *config)
{
	opt_each_insecure(program, config, warn_insecure);
}

/* sd_notify(3) without its library: nothing happens without NOTIFY_SOCKET. */
static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;
	int fd;

	if (len == 0 || len >= sizeof(a.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(a.sun_path, path, len);
	if (path[0] == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&a,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void daemon_ready(const struct service *s)
{
	struct buf line = {0};
	const char *name;
	unsigned addresses = 0;

	buf_str(&line, "ready");
	for (size_t i = 0; (name = service_listening(s, i)) != NULL; i++) {
		if (name[0] == '/')
			buf_fmt(&line, " socket=%s", name);
		else if (++addresses == 1)
			buf_fmt(&line, " listen=%s", name);
		else
			buf_fmt(&line, " listen%u=%s", addresses, name);
	}
	buf_str(&line, "\n");
	if (!line.bad)
		(void)!write(STDERR_FILENO, line.p, line.len);
	buf_done(&line);
	notify("READY=1");
}

/* The next signal within ms (-1: whenever), 0 if none came. */
static int next_signal(int64_t ms, siginfo_t *ret)
{
	struct timespec limit = {ms / 1000, ms % 1000 * 1000000};
	sigset_t set;
	int sig;

	waited_signals(&set);
	do
		sig = ms < 0 ? sigwaitinfo(&set, ret) : sigtimedwait(&set, ret, &limit);
	while (sig < 0 && errno == EINTR);
	return sig > 0 ? sig : 0;
}

static void drain(struct service *s, const struct daemon_options *o)
{
	int64_t until = clock_monotonic_ms() + o->drain_timeout;
	const struct service_counters *counters = service_counters(s);
	char status[80];
	siginfo_t info;
	int sig;

	service_drain(s);
	log_event(LOG_LEVEL_INFO, 0, NULL, "draining: no new connections; %llu sessions are open",
		(unsigned long long)atomic_load(&counters->open));
	while (atomic_load(&counters->open) > 0 && clock_monotonic_ms() < until) {
		snprintf(status, sizeof(status), "STOPPING=1\nSTATUS=draining, %llu sessions",
			(unsigned long long)atomic_load(&counters->open));
		notify(status);
		sig = next_signal(50, &info);
		if (sig == SIGTERM || sig == SIGINT || sig == SIGQUIT)
			return;
	}
}

int daemon_wait(struct service *s, const struct daemon_options *o, void (*reload)(void *self), void *self,
	int child)
{
	siginfo_t info;
	int status = 0;

	for (;;) {
		int sig = next_signal(-1, &info);

		if (sig == SIGCHLD && child > 0 && waitpid(child, &status, WNOHANG) == child)
			return status;
		if (child > 0) {
			/* A terminal sends to the whole group, so that the child has it already; but that it was hung up it
			 * tells the leader alone. */
			if (sig != SIGCHLD && (info.si_code != SI_KERNEL || sig == SIGHUP))
				kill(child, sig);
			continue;
		}
		if (sig == SIGHUP && reload != NULL)
			reload(self);
		if (sig == SIGQUIT)
			return 0;
		if (sig == SIGTERM || sig == SIGINT)
			break;
	}
	drain(s, o);
	return 0;
}
