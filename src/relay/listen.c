/* SPDX-License-Identifier: Apache-2.0
 *
 * Listening sockets and the names of addresses.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hostport.h"
#include "base/listen_unix.h"
#include "base/reason.h"
#include "relay/service_private.h"
#include "relay/tcp.h"

#define BACKLOG 4096

static void name_address(const struct sockaddr_storage *a, char *text, size_t size)
{
	const struct sockaddr_un *local = (const void *)a;
	const struct sockaddr_in *v4 = (const void *)a;
	const struct sockaddr_in6 *v6 = (const void *)a;
	char digits[INET6_ADDRSTRLEN];

	if (a->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, digits, sizeof(digits));
		snprintf(text, size, "%s:%u", digits, ntohs(v4->sin_port));
	} else if (a->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, digits, sizeof(digits));
		snprintf(text, size, "[%s]:%u", digits, ntohs(v6->sin6_port));
	} else {
		snprintf(text, size, "%s", local->sun_path[0] != '\0' ? local->sun_path : "local socket");
	}
}

/* Of a socket that listens. */
static int address_of(int fd, struct sockaddr_storage *ret, struct ratls_error *err)
{
	socklen_t len = sizeof(*ret), size = sizeof(int);
	int listens = 0;

	if (getsockname(fd, (struct sockaddr *)ret, &len) < 0)
		return err_set(err, RATLS_E_ARG, "descriptor %d is no socket: %s", fd, strerror(errno));
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || !listens)
		return err_set(err, RATLS_E_ARG, "descriptor %d is no listening socket", fd);
	return RATLS_OK;
}

int service_socket_name(int fd, char ret[static SERVICE_NAME_SIZE], struct ratls_error *err)
{
	struct sockaddr_storage a = {0};
	int rc = address_of(fd, &a, err);

	if (rc == RATLS_OK)
		name_address(&a, ret, SERVICE_NAME_SIZE);
	return rc;
}

int listen_adopt(int fd, struct listener *ret, struct ratls_error *err)
{
	struct sockaddr_storage a = {0};
	int rc = address_of(fd, &a, err);

	if (rc != RATLS_OK)
		return rc;
	tcp_tune(fd, (struct sockaddr *)&a);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	name_address(&a, ret->name, sizeof(ret->name));
	ret->acceptor.fd = fd;
	return RATLS_OK;
}

static int open_local(const char *path, struct listener *ret, struct ratls_error *err)
{
	int fd, rc = listen_unix(path, &fd, err);

	if (rc != RATLS_OK)
		return rc;
	ret->unlink_path = true;
	return listen_adopt(fd, ret, err);
}

static int open_address(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

int listen_open(const char *where, struct listener *ret, struct ratls_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list;
	char host[128], service[8];
	uint16_t port;
	int fd, rc;

	if (where[0] == '/')
		return open_local(where, ret, err);
	if (!hostport_parse(where, host, sizeof(host), &port))
		return err_set(err, RATLS_E_ARG, "listen address \"%s\" is not ADDR:PORT", where);
	snprintf(service, sizeof(service), "%u", port);
	rc = getaddrinfo(host, service, &hints, &list);
	if (rc != 0)
		return err_set(err, RATLS_E_ARG, "listen address \"%s\": %s", where, gai_strerror(rc));
	fd = open_address(list);
	freeaddrinfo(list);
	if (fd < 0)
		return err_reason(err, RATLS_E_IO, REASON_LISTEN, "could not listen on %s: %s", where, strerror(-fd));
	return listen_adopt(fd, ret, err);
}

bool listen_has_ipv6(void)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

void listen_close(struct listener *l)
{
	if (l->acceptor.fd < 0)
		return;
	close(l->acceptor.fd);
	l->acceptor.fd = -1;
	if (l->unlink_path)
		unlink(l->name);
}

struct peer_key listen_peer(int fd, char *text, size_t size)
{
	struct sockaddr_storage a = {0};
	const struct sockaddr_in *v4 = (const void *)&a;
	const struct sockaddr_in6 *v6 = (const void *)&a;
	struct peer_key key = {0};
	socklen_t len = sizeof(a);

	snprintf(text, size, "unknown");
	if (getpeername(fd, (struct sockaddr *)&a, &len) < 0)
		return key;
	name_address(&a, text, size);
	if (a.ss_family == AF_INET) {
		key.family = AF_INET;
		memcpy(&key.address, &v4->sin_addr, sizeof(v4->sin_addr));
	} else if (a.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		key.family = AF_INET; /* at a socket of both families */
		memcpy(&key.address, &v6->sin6_addr.s6_addr[12], 4);
	} else if (a.ss_family == AF_INET6) {
		key.family = AF_INET6;
		memcpy(&key.address, &v6->sin6_addr, 8); /* whoever has one address of a /64 has all of it */
	}
	return key;
}
