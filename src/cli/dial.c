/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/reason.h"
#include "tls/channel.h"

#define RECEIVE_MAX ((size_t)64 << 10)
#define SEND_MAX    ((size_t)64 << 10)

/* PostgreSQL 15, documentation section 55.7 "Message Formats": SSLRequest. */
static const uint8_t ssl_request[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};

struct line {
	int fd;
	int64_t deadline; /* monotonic milliseconds */
	struct channel *channel;
	struct cur in;
	struct channel_out out;
	uint8_t received[RECEIVE_MAX], sending[SEND_MAX];
};

static bool wait_for(int fd, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int64_t left = deadline - clock_monotonic_ms();
		int n;

		if (left <= 0) {
			errno = ETIME; /* ETIMEDOUT is the network's own word */
			return false;
		}
		n = poll(&p, 1, left < 3600000 ? (int)left : 3600000);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

/* ---- connecting -------------------------------------------------------------------------------------- */

static bool connect_finish(int fd, int64_t deadline)
{
	int failure = 0;
	socklen_t len = sizeof(failure);

	if (errno != EINPROGRESS || !wait_for(fd, POLLOUT, deadline))
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) < 0)
		return false;
	errno = failure;
	return failure == 0;
}

/* A connected socket, or -1 with errno. */
static int connect_address(const struct addrinfo *a, int64_t deadline)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), saved, one = 1;

	if (fd < 0)
		return -1;
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && !connect_finish(fd, deadline)) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void format_address(const struct addrinfo *a, char text[static 80])
{
	char host[64], port[8];

	if (getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(text, 80, "?");
	else
		snprintf(text, 80, a->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static int connect_host(const struct dsn_host *host, int64_t timeout_ms, struct peer *peer, int *ret_fd,
	struct ratls_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list;
	int64_t start = clock_monotonic_ms();
	char port[8];
	int failure, fd = -1;

	snprintf(port, sizeof(port), "%u", host->port);
	if (host->address[0] != '\0')
		hints.ai_flags |= AI_NUMERICHOST;
	failure = getaddrinfo(host->address[0] != '\0' ? host->address : host->name, port, &hints, &list);
	peer->dns_ms = clock_monotonic_ms() - start;
	if (failure != 0)
		return err_reason(err, RATLS_E_IO, REASON_UNREACHABLE,
			"could not translate host name \"%.128s\" to address: %s",
			host->address[0] != '\0' ? host->address : host->name,
			gai_strerror(failure));
	for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
		start = clock_monotonic_ms();
		format_address(a, peer->address);
		fd = connect_address(a, start + timeout_ms);
		failure = errno;
		peer->tcp_ms = clock_monotonic_ms() - start;
	}
	freeaddrinfo(list);
	if (fd < 0)
		return err_reason(err, RATLS_E_IO, REASON_UNREACHABLE,
			"could not connect to \"%.128s\" (%s): %s", host->name, peer->address,
			failure == ETIME ? "no answer in time" : strerror(failure));
	peer->host = *host;
	*ret_fd = fd;
	return RATLS_OK;
}

static int connect_any(const struct dial_options *o, struct peer *peer, int *ret_fd, struct ratls_error *err)
{
	int rc = err_reason(err, RATLS_E_ARG, REASON_TARGET, "there is no host to connect to");

	for (size_t i = 0; i < o->n_hosts; i++) {
		rc = connect_host(&o->hosts[i], o->timeout_ms, peer, ret_fd, err);
		if (rc == RATLS_OK)
			break;
	}
	return rc;
}

/* ---- shaking hands ----------------------------------------------------------------------------------- */

static int fail_io(const struct peer *peer, const char *what, int64_t timeout_ms, struct ratls_error *err)
{
	if (errno == ETIME)
		return err_reason(err, RATLS_E_TLS, REASON_TLS_HANDSHAKE,
			"upstream TLS handshake timed out after %lld ms (%s)", (long long)timeout_ms,
			peer->address);
	return err_reason(err, RATLS_E_TLS, REASON_TLS_HANDSHAKE, "could not %s %s: %s", what, peer->address,
		strerror(errno));
}

static bool send_all(struct line *l, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = send(l->fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			if (!wait_for(l->fd, POLLOUT, l->deadline))
				return false;
			continue;
		}
		if (n < 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* Bytes received, 0 at the end of the stream, -1 with errno. */
static ssize_t receive(struct line *l, uint8_t *p, size_t len)
{
	for (;;) {
		ssize_t n = recv(l->fd, p, len, 0);

		if (n >= 0 || (errno != EAGAIN && errno != EINTR))
			return n;
		if (!wait_for(l->fd, POLLIN, l->deadline))
			return -1;
	}
}

/* Exactly one byte is read: whatever stands behind it belongs to TLS (CVE-2021-23222). */
static int ask_for_tls(struct line *l, const struct peer *peer, int64_t timeout_ms, struct ratls_error *err)
{
	uint8_t answer = 0;
	ssize_t n;

	if (!send_all(l, ssl_request, sizeof(ssl_request)))
		return fail_io(peer, "send to", timeout_ms, err);
	n = receive(l, &answer, 1);
	if (n < 0)
		return fail_io(peer, "receive from", timeout_ms, err);
	if (n == 1 && answer == 'S')
		return RATLS_OK;
	return err_reason(err, RATLS_E_TLS, REASON_TLS_HANDSHAKE, "%s %s", peer->address,
		n == 0          ? "closed the connection instead of answering SSLRequest"
		: answer == 'N' ? "does not offer TLS"
				: "gave no valid answer to SSLRequest");
}

static bool send_pending(struct line *l)
{
	do {
		if (!send_all(l, l->out.p, l->out.len))
			return false;
		l->out.len = 0;
		channel_flush(l->channel, &l->out);
	} while (l->out.len > 0);
	return true;
}

static int shake_hands(struct line *l, const struct peer *peer, int64_t timeout_ms, struct ratls_error *err)
{
	for (;;) {
		enum channel_status status = channel_handshake(l->channel, &l->in, &l->out, err);
		bool sent = send_pending(l);
		ssize_t n;

		if (status == CHANNEL_FAILED)
			return err_prefix(err, RATLS_E_TLS, "%s", peer->address);
		if (!sent)
			return fail_io(peer, "send to", timeout_ms, err);
		if (status == CHANNEL_OK)
			return RATLS_OK;
		n = status == CHANNEL_CLOSED ? 0 : receive(l, l->received, sizeof(l->received));
		if (n < 0)
			return fail_io(peer, "receive from", timeout_ms, err);
		if (n == 0)
			return err_reason(err, RATLS_E_TLS, REASON_TLS_HANDSHAKE,
				"%s closed the connection during the TLS handshake", peer->address);
		l->in = cur_of(l->received, (size_t)n);
	}
}

static int take_what_it_presented(struct line *l, struct peer *peer, struct ratls_error *err)
{
	struct channel_info info;
	int rc = channel_peer_certificate(l->channel, &peer->leaf, err);

	if (rc == RATLS_OK)
		rc = channel_peer_chain_pem(l->channel, &peer->chain_pem, err);
	if (rc != RATLS_OK)
		return rc;
	channel_info(l->channel, &info);
	peer->tls_version = info.version;
	peer->cipher = info.cipher;
	memcpy(peer->alpn, info.alpn, sizeof(peer->alpn));
	return RATLS_OK;
}

static int look(const struct dial_options *o, struct line *l, struct peer *peer, struct ratls_error *err)
{
	struct channel_context_options options = {.role = CHANNEL_CLIENT, .identity = o->identity};
	struct channel_context *context = NULL;
	int rc = channel_context_new(&options, &context, err);

	if (rc == RATLS_OK)
		rc = channel_new(context, peer->host.name, &l->channel, err);
	if (rc == RATLS_OK && o->starttls)
		rc = ask_for_tls(l, peer, o->timeout_ms, err);
	if (rc == RATLS_OK)
		rc = shake_hands(l, peer, o->timeout_ms, err);
	if (rc == RATLS_OK)
		rc = take_what_it_presented(l, peer, err);
	if (rc == RATLS_OK) {
		channel_close(l->channel, &l->out);
		(void)send_pending(l); /* a courtesy: what we came for is here */
	}
	channel_free(l->channel);
	channel_context_free(context);
	return rc;
}

int dial(const struct dial_options *options, struct peer *ret, struct ratls_error *err)
{
	struct line *l = calloc(1, sizeof(*l));
	struct peer peer = {0};
	int64_t start;
	int rc, fd = -1;

	if (l == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	rc = connect_any(options, &peer, &fd, err);
	if (rc == RATLS_OK) {
		start = clock_monotonic_ms();
		l->fd = fd;
		l->deadline = start + options->timeout_ms;
		l->in = cur_of(NULL, 0);
		l->out = (struct channel_out){.p = l->sending, .cap = sizeof(l->sending)};
		rc = look(options, l, &peer, err);
		peer.tls_ms = clock_monotonic_ms() - start;
		close(fd);
	}
	free(l);
	if (rc == RATLS_OK)
		*ret = peer;
	else
		peer_done(&peer);
	return rc;
}

void peer_done(struct peer *p)
{
	buf_done(&p->leaf);
	buf_done(&p->chain_pem);
}
