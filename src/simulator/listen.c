/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hostport.h"

#define BACKLOG 64

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
	char host[LISTEN_TEXT_SIZE], service[8];
	uint16_t port = 0;
	bool good = hostport_parse(address, host, sizeof(host), &port);
	int fd = -1, on = 1;

	snprintf(service, sizeof(service), "%u", port);
	if (!good || getaddrinfo(host, service, &hints, &info) != 0)
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
