/* SPDX-License-Identifier: Apache-2.0 */
#include "program/loopback.h"

#include <arpa/inet.h>
#include <string.h>

bool loopback_host(const char *host)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

/* The length of text without ":digits" at its end. */
static size_t without_port(const char *text, size_t len)
{
	size_t end = len;

	while (end > 0 && text[end - 1] >= '0' && text[end - 1] <= '9')
		end--;
	return end > 0 && end < len && text[end - 1] == ':' ? end - 1 : len;
}

bool loopback_authority(const char *text, size_t len)
{
	char host[INET6_ADDRSTRLEN];
	size_t n = without_port(text, len);

	if (n == 5 && memcmp(text, "[::1]", 5) == 0)
		return true;
	if (n >= sizeof(host) || memchr(text, ':', n) != NULL || memchr(text, '\0', n) != NULL)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	return loopback_host(host);
}
