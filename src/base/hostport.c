/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hostport.h"

#include <string.h>

bool hostport_port(const char *text, size_t len, uint16_t *ret)
{
	unsigned v = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (unsigned)(text[i] - '0');
		if (v > UINT16_MAX)
			return false;
	}
	if (len == 0)
		return false;
	*ret = (uint16_t)v;
	return true;
}

bool hostport_parse(const char *text, char *ret_host, size_t size, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;

	if (len > 1 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= size || !hostport_port(colon + 1, strlen(colon + 1), ret_port))
		return false;
	memcpy(ret_host, text, len);
	ret_host[len] = '\0';
	return true;
}
