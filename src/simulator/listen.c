/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#define BACKLOG 64

/* Split at the last colon; brackets around an IPv6 address go. */
static bool split(const char *address, char host[static LISTEN_TEXT_SIZE], const char **ret_port)
{
	const char *colon = strrchr(address, ':');
	size_t n = colon != NULL ? (size_t)(colon - address) : 0;

	if (n == 0 || n >= LISTEN_TEXT_SIZE)
		return false;
	if (address[0] == '[' && address[n - 1] == ']') {
		address++;
		n -= 2;
	}
	memcpy(host, address, n);
	host[n] = '\0';
	*ret_port = colon + 1;
	return true;
}

static bool bound_text(int fd, char ret[static LISTEN_TEXT_SIZE])
{
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);
	char host[LISTEN_TEXT_SIZE - 12], port[8];

	if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
		getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return false;
	snprintf(ret, LISTEN_TEXT_SIZE, at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	return true;
}

int listen_tcp(const char *address, int *ret_fd, char ret_bound[static LISTEN_TEXT_SIZE],
	struct ratls_error *err)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				.ai_socktype = SOCK_STREAM},
			*info = NULL;
	char host[LISTEN_TEXT_SIZE];
	const char *port;
	int fd = -1, on = 1;

	if (!split(address, host, &port) || getaddrinfo(host, port, &hints, &info) != 0)
		return err_set(err, RATLS_E_ARG,
			"invalid address \"%s\": expected ADDR:PORT with a numeric address", address);
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
		bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
		!bound_text(fd, ret_bound)) {
		err_set(err, RATLS_E_IO, "could not listen on %s: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(info);
	if (fd < 0)
		return RATLS_E_IO;
	*ret_fd = fd;
	return RATLS_OK;
}
