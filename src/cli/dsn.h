/* SPDX-License-Identifier: Apache-2.0
 *
 * Connection strings as libpq reads them: postgresql:// URIs and `keyword = value` lists. Both become a
 * list of keywords, in which `host` and `port` may hold several, separated by commas.
 */
#ifndef CLI_DSN_H
#define CLI_DSN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "ratls.h"

#define DSN_HOSTS_MAX 16

struct dsn;

/* Does it look like a connection string at all (a URI, or with a "=" in it)? */
bool dsn_looks_like(const char *text);

/* RATLS_E_ARG says what is wrong, and never quotes the text: it may hold a password. */
int dsn_parse(const char *text, struct dsn **ret, struct ratls_error *err);
void dsn_free(struct dsn *d); /* wipes the values */

/* The value of a keyword, owned by d; NULL if it is not there. */
const char *dsn_get(const struct dsn *d, const char *keyword);

/* Replace or add; a NULL value removes. RATLS_E_NOMEM, or RATLS_E_ARG if there are too many keywords. */
int dsn_set(struct dsn *d, const char *keyword, const char *value, struct ratls_error *err);

struct dsn_host {
	char name[256]; /* name, address without brackets, or the folder of a Unix socket */
	char address[64]; /* of hostaddr: where it is, while its name stays what it is; "" if none is given */
	uint16_t port;
};

/* The hosts, their addresses and ports, in order; default_port where none is given. At least one, at most
 * DSN_HOSTS_MAX. RATLS_E_ARG if there is no host, or the numbers of them do not agree. */
int dsn_hosts(const struct dsn *d, uint16_t default_port, struct dsn_host hosts[static DSN_HOSTS_MAX],
	size_t *ret_n, struct ratls_error *err);

/* As a URI; with_password false leaves the password out (for display). */
void dsn_append_uri(const struct dsn *d, bool with_password, struct buf *out);

/* "host:port", with brackets round an IPv6 address. */
void dsn_host_format(const struct dsn_host *h, struct buf *out);

/* "HOST", "HOST:PORT", "[V6]:PORT" or a bare IPv6 address. RATLS_E_ARG names the text. */
int dsn_host_parse(const char *text, uint16_t default_port, struct dsn_host *ret, struct ratls_error *err);

#endif
