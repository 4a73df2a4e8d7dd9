/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>

#define LOOPBACK_NET 127 /* RFC 1122, section 3.2.1.3 */

static bool stays_here(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return ntohl(v4.sin_addr.s_addr) >> 24 == LOOPBACK_NET;
	}
	memcpy(&v6, address, sizeof(v6));
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == LOOPBACK_NET);
}

void tcp_tune(int fd, const struct sockaddr *address)
{
	int on = 1;

	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	/* Where the machine's default is BBR the kernel paces its own memory by timers, which costs a tenth of a bulk
	 * transfer. Every kernel has Reno, which paces nothing, and nothing is lost on the way. */
	if (stays_here(address))
		setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", strlen("reno"));
}
