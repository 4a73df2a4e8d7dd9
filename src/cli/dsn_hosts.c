/* SPDX-License-Identifier: Apache-2.0
 *
 * Hosts and ports: of a connection string, where each is a list, and of a target written as HOST:PORT.
 */
#include <string.h>

#include "base/err.h"
#include "base/hostport.h"
#include "base/reason.h"
#include "cli/dsn.h"

static int wrong(struct ratls_error *err, const char *what)
{
	return err_reason(err, RATLS_E_ARG, REASON_TARGET, "connection string: %s", what);
}

static int parse_port(const char *text, size_t len, uint16_t *ret, struct ratls_error *err)
{
	uint16_t port;

	if (!hostport_port(text, len, &port) || port == 0)
		return err_reason(err, RATLS_E_ARG, REASON_TARGET, "port \"%.*s\" is not between 1 and 65535",
			(int)(len < 32 ? len : 32), text);
	*ret = port;
	return RATLS_OK;
}

static int set_name(struct dsn_host *h, const char *name, size_t len, struct ratls_error *err)
{
	if (len == 0 || len >= sizeof(h->name))
		return err_reason(err, RATLS_E_ARG, REASON_TARGET,
			len == 0 ? "the host name is empty" : "the host name is too long");
	memcpy(h->name, name, len);
	h->name[len] = '\0';
	return RATLS_OK;
}

int dsn_host_parse(const char *text, uint16_t default_port, struct dsn_host *ret, struct ratls_error *err)
{
	struct dsn_host h = {.port = default_port};
	const char *colon = strrchr(text, ':'), *name = text;
	size_t len = strlen(text);
	int rc;

	if (strchr(text, '@') != NULL) /* what is before it may be a password */
		return err_reason(err, RATLS_E_ARG, REASON_TARGET,
			"there is a \"@\" in the host name (a user has a place in postgresql://USER@HOST)");
	if (*text == '[') {
		const char *bracket = strchr(text, ']');

		if (bracket == NULL || (bracket[1] != '\0' && bracket[1] != ':'))
			return err_reason(err, RATLS_E_ARG, REASON_TARGET,
				"\"%.64s\" is not an IPv6 address in brackets", text);
		name = text + 1;
		len = (size_t)(bracket - name);
		colon = bracket[1] == ':' ? bracket + 1 : NULL;
	} else if (colon != NULL && strchr(text, ':') != colon) {
		colon = NULL; /* a bare IPv6 address */
	} else if (colon != NULL) {
		len = (size_t)(colon - text);
	}
	rc = set_name(&h, name, len, err);
	if (rc == RATLS_OK && colon != NULL)
		rc = parse_port(colon + 1, strlen(colon + 1), &h.port, err);
	if (rc == RATLS_OK)
		*ret = h;
	return rc;
}

static size_t count_items(const char *list)
{
	size_t n = 1;

	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

/* The next of a list, which may be empty; none if there is no list. */
static bool take_address(struct dsn_host *h, const char **list)
{
	size_t len = *list != NULL ? strcspn(*list, ",") : 0;

	if (len >= sizeof(h->address))
		return false;
	if (len > 0)
		memcpy(h->address, *list, len);
	h->address[len] = '\0';
	if (*list != NULL)
		*list += len + 1;
	return true;
}

int dsn_hosts(const struct dsn *d, uint16_t default_port, struct dsn_host hosts[static DSN_HOSTS_MAX],
	size_t *ret_n, struct ratls_error *err)
{
	const char *host = dsn_get(d, "host"), *port = dsn_get(d, "port"), *address = dsn_get(d, "hostaddr");
	size_t n, n_ports;
	int rc = RATLS_OK;

	if (host == NULL) {
		host = address;
		address = NULL;
	}
	if (host == NULL)
		return wrong(err, "there is no host in it");
	port = port != NULL ? port : "";
	n = count_items(host);
	n_ports = count_items(port);
	if (n > DSN_HOSTS_MAX)
		return wrong(err, "there are too many hosts in it");
	if (n_ports != 1 && n_ports != n)
		return wrong(err, "the number of ports differs from the number of hosts");
	if (address != NULL && count_items(address) != n)
		return wrong(err, "the number of addresses (hostaddr) differs from the number of hosts");
	for (size_t i = 0; i < n && rc == RATLS_OK; i++) {
		size_t host_len = strcspn(host, ","), port_len = strcspn(port, ",");

		hosts[i].port = default_port;
		rc = set_name(&hosts[i], host, host_len, err);
		if (rc == RATLS_OK && !take_address(&hosts[i], &address))
			rc = wrong(err, "an address (hostaddr) is too long");
		if (rc == RATLS_OK && port_len > 0)
			rc = parse_port(port, port_len, &hosts[i].port, err);
		host += host_len + 1;
		port += n_ports > 1 ? port_len + 1 : 0;
	}
	if (rc == RATLS_OK)
		*ret_n = n;
	return rc;
}

void dsn_host_format(const struct dsn_host *h, struct buf *out)
{
	bool v6 = strchr(h->name, ':') != NULL;

	buf_fmt(out, "%s%s%s:%u", v6 ? "[" : "", h->name, v6 ? "]" : "", h->port);
}
