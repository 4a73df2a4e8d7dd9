/* SPDX-License-Identifier: Apache-2.0
 *
 * Reaching the back end: names are resolved on a worker, addresses tried one after another.
 */
#include <errno.h>
#include <netdb.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/conn.h"
#include "relay/tcp.h"

struct resolve_job {
	struct conn_job base;
	char host[256], port[8];
	struct addrinfo *result;
	int error;
};

static void resolve_run(struct pool_job *j)
{
	struct resolve_job *r = (struct resolve_job *)j;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};

	r->error = getaddrinfo(r->host, r->port, &hints, &r->result);
}

static void resolve_free(struct conn_job *j)
{
	struct resolve_job *r = (struct resolve_job *)j;

	if (r->result != NULL)
		freeaddrinfo(r->result);
	free(r);
}

static void resolve_answer(struct conn *c, struct conn_job *j)
{
	struct resolve_job *r = (struct resolve_job *)j;
	struct setup *s = c->setup;

	if (r->error != 0) {
		conn_refuse(c, PG_SQLSTATE_CANNOT_CONNECT, REASON_UNREACHABLE, "could not resolve \"%.100s\": %s",
			r->host, gai_strerror(r->error));
		s->target++;
		return;
	}
	s->addresses = s->address = r->result;
	r->result = NULL;
}

static const char *place_of(const struct service_target *t)
{
	return t->address != NULL ? t->address : t->host;
}

static bool resolve(struct conn *c, const struct service_target *t)
{
	struct resolve_job *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return false;
	r->base.job.run = resolve_run;
	r->base.answer = resolve_answer;
	r->base.free = resolve_free;
	snprintf(r->host, sizeof(r->host), "%s", place_of(t));
	snprintf(r->port, sizeof(r->port), "%u", t->port);
	return conn_job_submit(c, c->service->resolvers, &r->base);
}

/* An address that needs no resolver: a Unix socket or digits. 0 if it needs one. */
static socklen_t numeric(const struct service_target *t, struct sockaddr_storage *ret)
{
	const char *host = place_of(t);
	struct sockaddr_un *local = (void *)ret;
	struct sockaddr_in *v4 = (void *)ret;
	struct sockaddr_in6 *v6 = (void *)ret;

	memset(ret, 0, sizeof(*ret));
	if (host[0] == '/') {
		local->sun_family = AF_UNIX;
		snprintf(local->sun_path, sizeof(local->sun_path), "%.91s/.s.PGSQL.%u", host, t->port);
		return sizeof(*local);
	}
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(t->port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(t->port);
		return sizeof(*v6);
	}
	return 0;
}

static void connected(struct sock *sock, int result)
{
	struct conn *c = sock->owner;
	struct setup *s = c->setup;
	char target[300];

	s->connecting = false;
	s->connected = result == 0;
	if (result < 0) {
		conn_target(c, target);
		conn_refuse(c, PG_SQLSTATE_CANNOT_CONNECT, REASON_UNREACHABLE, "could not connect to %s: %s", target,
			strerror(-result));
		end_close(c, &c->back); /* the next address is tried when it has closed */
	}
	conn_drive(c);
}

static bool begin_connect(struct conn *c, const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || end_open(c, &c->back, fd, NULL) != RATLS_OK) {
		conn_refuse(c, PG_SQLSTATE_CANNOT_CONNECT, REASON_UNREACHABLE, "could not create a socket: %s",
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	tcp_tune(fd, address);
	c->back.sock.connected = connected;
	c->setup->connecting = true;
	sock_connect(&c->back.sock, address, len);
	return true;
}

static void next_target(struct setup *s)
{
	if (s->addresses != NULL)
		freeaddrinfo(s->addresses);
	s->addresses = s->address = NULL;
	s->target++;
}

/* Try the next address, or ask for the addresses of the next target. */
static enum conn_step try_next(struct conn *c)
{
	const struct service_options *o = &c->service->options;
	struct setup *s = c->setup;

	while (s->target < o->n_targets) {
		const struct service_target *t = &o->targets[s->target];
		socklen_t len = numeric(t, &s->numeric);

		s->at = t;
		if (len > 0) {
			s->target++;
			if (begin_connect(c, (struct sockaddr *)&s->numeric, len))
				return STEP_AGAIN;
			continue;
		}
		if (s->addresses == NULL)
			return resolve(c, t) ? STEP_AGAIN : conn_refuse_overload(c);
		if (s->address == NULL) {
			next_target(s);
			continue;
		}
		memcpy(&s->numeric, s->address->ai_addr, s->address->ai_addrlen);
		len = s->address->ai_addrlen;
		s->address = s->address->ai_next;
		if (begin_connect(c, (struct sockaddr *)&s->numeric, len))
			return STEP_AGAIN;
	}
	return STEP_REFUSE;
}

enum conn_step dial_step(struct conn *c)
{
	struct setup *s = c->setup;

	/* Invariant no_bytes_before_verdict: Postgres is not even connected to before the verdict. */
	if (c->service->options.role == SERVICE_SIDECAR && !s->verdict.accepted)
		return STEP_CLOSE;
	if (s->connected)
		return STEP_NEXT;
	if (s->connecting || s->job != NULL || c->back.open)
		return STEP_AGAIN;
	return try_next(c);
}

enum conn_step upgrade_step(struct conn *c)
{
	static const uint8_t request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
	struct end *back = &c->back;
	struct setup *s = c->setup;
	bool yes, more;

	if (!c->service->options.starttls)
		return STEP_NEXT;
	if (!s->asked_tls) {
		s->asked_tls = true;
		return end_send(back, request, sizeof(request)) ? STEP_AGAIN : STEP_CLOSE;
	}
	if (back->out != NULL)
		return STEP_AGAIN;
	if (back->unread.left == 0) {
		if (back->eof)
			return conn_refuse(c, PG_SQLSTATE_CANNOT_CONNECT, REASON_UNREACHABLE,
				"the server closed the connection when asked for TLS");
		end_want(back);
		return STEP_AGAIN;
	}
	yes = cur_is_str(&back->unread, "S");
	more = back->unread.left > 1;
	end_consumed(back);
	if (yes)
		return STEP_NEXT;
	return conn_refuse(c, PG_SQLSTATE_CANNOT_CONNECT, REASON_TLS_HANDSHAKE,
		more ? "the server sent unencrypted bytes behind its answer to SSLRequest"
				: "the server does not support TLS");
}
