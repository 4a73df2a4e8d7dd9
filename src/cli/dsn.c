/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar is that of PostgreSQL 15, documentation section 34.1.1 "Connection Strings".
 */
#include "cli/dsn.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/reason.h"
#include "base/secret.h"

#define KEYWORDS_MAX 64

struct dsn {
	struct {
		char *keyword, *value;
	} v[KEYWORDS_MAX];
	size_t n;
};

static int bad(struct ratls_error *err, const char *what)
{
	return err_reason(err, RATLS_E_ARG, REASON_TARGET, "connection string: %s", what);
}

/* ---- the list ---------------------------------------------------------------------------------------- */

static size_t find(const struct dsn *d, const char *keyword)
{
	size_t i = 0;

	while (i < d->n && strcmp(d->v[i].keyword, keyword) != 0)
		i++;
	return i;
}

const char *dsn_get(const struct dsn *d, const char *keyword)
{
	size_t i = find(d, keyword);

	return i < d->n ? d->v[i].value : NULL;
}

static void drop(struct dsn *d, size_t i)
{
	free(d->v[i].keyword);
	secret_str_free(d->v[i].value);
	d->v[i] = d->v[--d->n];
}

static int append(struct dsn *d, const char *keyword, char *value)
{
	char *name = d->n < KEYWORDS_MAX ? strdup(keyword) : NULL;

	if (name == NULL)
		return RATLS_E_NOMEM;
	d->v[d->n].keyword = name;
	d->v[d->n++].value = value;
	return RATLS_OK;
}

int dsn_set(struct dsn *d, const char *keyword, const char *value, struct ratls_error *err)
{
	size_t i = find(d, keyword);
	char *copy;

	if (value == NULL) {
		if (i < d->n)
			drop(d, i);
		return RATLS_OK;
	}
	if (i == KEYWORDS_MAX)
		return bad(err, "too many keywords");
	copy = strdup(value);
	if (copy == NULL || (i == d->n && append(d, keyword, copy) != RATLS_OK)) {
		secret_str_free(copy);
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	}
	if (d->v[i].value != copy) {
		secret_str_free(d->v[i].value);
		d->v[i].value = copy;
	}
	return RATLS_OK;
}

void dsn_free(struct dsn *d)
{
	while (d != NULL && d->n > 0)
		drop(d, d->n - 1);
	free(d);
}

/* ---- keyword = value --------------------------------------------------------------------------------- */

static const char *skip_space(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

/* A bare word, or text in single quotes; a backslash takes the next character as it is. NULL if it does
 * not end. */
static const char *take_value(const char *p, struct buf *ret)
{
	bool quoted = *p == '\'';

	p += quoted;
	while (*p != '\0' && (quoted ? *p != '\'' : !isspace((unsigned char)*p))) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		buf_u8(ret, (uint8_t)*p++);
	}
	if (quoted && *p != '\'')
		return NULL;
	buf_u8(ret, '\0');
	return p + quoted;
}

static int set_bytes(struct dsn *d, const char *keyword, struct buf *value, struct ratls_error *err)
{
	int rc;

	if (value->bad)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	else
		rc = dsn_set(d, keyword, (const char *)value->p, err);
	secret_buf_done(value);
	return rc;
}

static int parse_keywords(struct dsn *d, const char *p, struct ratls_error *err)
{
	int rc = RATLS_OK;

	for (p = skip_space(p); *p != '\0' && rc == RATLS_OK; p = skip_space(p)) {
		size_t len = strcspn(p, "= \t\r\n");
		struct buf value = {0};
		char keyword[64];

		if (len == 0 || len >= sizeof(keyword))
			return bad(err, "a keyword is missing before \"=\"");
		memcpy(keyword, p, len);
		keyword[len] = '\0';
		p = skip_space(p + len);
		if (*p != '=')
			return bad(err, "\"=\" is missing after a keyword");
		p = take_value(skip_space(p + 1), &value);
		if (p == NULL) {
			secret_buf_done(&value);
			return bad(err, "a quoted value does not end");
		}
		rc = set_bytes(d, keyword, &value, err);
	}
	return rc;
}

/* ---- postgresql:// ----------------------------------------------------------------------------------- */

static const char *after_scheme(const char *text)
{
	if (strncmp(text, "postgresql://", 13) == 0)
		return text + 13;
	return strncmp(text, "postgres://", 11) == 0 ? text + 11 : NULL;
}

/* A URI of something else, such as what SQLAlchemy calls a server. */
static bool has_other_scheme(const char *text)
{
	size_t n = strcspn(text, "/= ");

	return n > 1 && strncmp(text + n - 1, "://", 3) == 0 && after_scheme(text) == NULL;
}

/* Decode %XX in text[0..len) and set the keyword; what is empty is not set. */
static int set_encoded(
	struct dsn *d, const char *keyword, const char *text, size_t len, struct ratls_error *err)
{
	struct buf value = {0};

	if (len == 0)
		return RATLS_OK;
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)text[i];

		if (byte == '%' && (len - i < 3 || !hex_decode(text + i + 1, 2, &byte, 1) || byte == 0)) {
			secret_buf_done(&value);
			return bad(err, "a percent-encoded character is not valid");
		}
		i += text[i] == '%' ? 2 : 0;
		buf_u8(&value, byte);
	}
	buf_u8(&value, '\0');
	return set_bytes(d, keyword, &value, err);
}

/* One host[:port] from p up to stop, appended to the two lists. */
static bool append_hostspec(const char *p, const char *stop, struct buf *hosts, struct buf *ports)
{
	const char *host_end, *colon;

	if (p < stop && *p == '[') {
		p++;
		host_end = memchr(p, ']', (size_t)(stop - p));
		if (host_end == NULL)
			return false;
		colon = host_end + 1;
		if (colon < stop && *colon != ':')
			return false;
	} else {
		colon = memchr(p, ':', (size_t)(stop - p));
		colon = colon != NULL ? colon : stop;
		host_end = colon;
	}
	buf_bytes(hosts, p, (size_t)(host_end - p));
	if (colon < stop)
		buf_bytes(ports, colon + 1, (size_t)(stop - colon - 1));
	return true;
}

/* host[:port][,host[:port]...]: two lists of equal length, as libpq keeps them. */
static int parse_hostspecs(struct dsn *d, const char *text, size_t len, struct ratls_error *err)
{
	struct buf hosts = {0}, ports = {0};
	const char *end = text + len, *stop;
	int rc = RATLS_OK;

	for (const char *p = text; p <= end && rc == RATLS_OK; p = stop + 1) {
		stop = memchr(p, ',', (size_t)(end - p));
		stop = stop != NULL ? stop : end;
		if (!append_hostspec(p, stop, &hosts, &ports))
			rc = bad(err, "an IPv6 address in brackets does not end");
		if (stop < end) {
			buf_u8(&hosts, ',');
			buf_u8(&ports, ',');
		}
	}
	if (rc == RATLS_OK && (hosts.bad || ports.bad))
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	if (rc == RATLS_OK)
		rc = set_encoded(d, "host", (const char *)hosts.p, hosts.len, err);
	if (rc == RATLS_OK)
		rc = set_encoded(d, "port", (const char *)ports.p, ports.len, err);
	buf_done(&hosts);
	buf_done(&ports);
	return rc;
}

static int parse_userinfo(struct dsn *d, const char *text, size_t len, struct ratls_error *err)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len = colon != NULL ? (size_t)(colon - text) : len;
	int rc = set_encoded(d, "user", text, user_len, err);

	if (rc == RATLS_OK && colon != NULL)
		rc = set_encoded(d, "password", colon + 1, len - user_len - 1, err);
	return rc;
}

static int parse_parameters(struct dsn *d, const char *p, struct ratls_error *err)
{
	int rc = RATLS_OK;

	while (*p != '\0' && rc == RATLS_OK) {
		size_t len = strcspn(p, "&"), name_len = strcspn(p, "=&");
		char keyword[64];

		if (name_len == 0 || name_len >= sizeof(keyword) || p[name_len] != '=')
			return bad(err, "a parameter is not of the form name=value");
		memcpy(keyword, p, name_len);
		keyword[name_len] = '\0';
		rc = set_encoded(d, keyword, p + name_len + 1, len - name_len - 1, err);
		p += len + (p[len] == '&');
	}
	return rc;
}

static int parse_uri(struct dsn *d, const char *p, struct ratls_error *err)
{
	size_t authority = strcspn(p, "/?");
	const char *at = memrchr(p, '@', authority);
	int rc = RATLS_OK;

	if (at != NULL) {
		rc = parse_userinfo(d, p, (size_t)(at - p), err);
		authority -= (size_t)(at + 1 - p);
		p = at + 1;
	}
	if (rc == RATLS_OK)
		rc = parse_hostspecs(d, p, authority, err);
	p += authority;
	if (rc == RATLS_OK && *p == '/') {
		size_t len = strcspn(p + 1, "?");

		rc = set_encoded(d, "dbname", p + 1, len, err);
		p += 1 + len;
	}
	if (rc == RATLS_OK && *p == '?')
		rc = parse_parameters(d, p + 1, err);
	return rc;
}

/* ---- both -------------------------------------------------------------------------------------------- */

bool dsn_looks_like(const char *text)
{
	return after_scheme(text) != NULL || has_other_scheme(text) || strchr(text, '=') != NULL;
}

int dsn_parse(const char *text, struct dsn **ret, struct ratls_error *err)
{
	struct dsn *d = calloc(1, sizeof(*d));
	const char *uri = after_scheme(text);
	int rc;

	if (d == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	if (has_other_scheme(text)) {
		dsn_free(d);
		return bad(err, "it begins neither with postgresql:// nor with postgres://");
	}
	rc = uri != NULL ? parse_uri(d, uri, err) : parse_keywords(d, text, err);
	if (rc == RATLS_OK)
		*ret = d;
	else
		dsn_free(d);
	return rc;
}

static void append_encoded(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL)
			buf_u8(out, (uint8_t)*text);
		else
			buf_fmt(out, "%%%02X", (unsigned char)*text);
	}
}

/* Hosts and ports go into parameters unless they are the plain single ones that a URI's authority takes. */
static bool in_authority(const struct dsn *d)
{
	const char *host = dsn_get(d, "host"), *port = dsn_get(d, "port");

	return host != NULL && strpbrk(host, ",/") == NULL && (port == NULL || strchr(port, ',') == NULL);
}

static bool is_in_path(const char *keyword, bool authority)
{
	if (strcmp(keyword, "host") == 0 || strcmp(keyword, "port") == 0)
		return authority;
	return strcmp(keyword, "user") == 0 || strcmp(keyword, "password") == 0 ||
	       strcmp(keyword, "dbname") == 0;
}

void dsn_append_uri(const struct dsn *d, bool with_password, struct buf *out)
{
	const char *user = dsn_get(d, "user"), *password = with_password ? dsn_get(d, "password") : NULL;
	const char *host = in_authority(d) ? dsn_get(d, "host") : NULL;
	char separator = '?';

	buf_str(out, "postgresql://");
	if (user != NULL)
		append_encoded(out, user);
	if (password != NULL) {
		buf_u8(out, ':');
		append_encoded(out, password);
	}
	if (user != NULL || password != NULL)
		buf_u8(out, '@');
	if (host != NULL && strchr(host, ':') != NULL)
		buf_fmt(out, "[%s]", host);
	else if (host != NULL)
		append_encoded(out, host);
	if (host != NULL && dsn_get(d, "port") != NULL)
		buf_fmt(out, ":%s", dsn_get(d, "port"));
	buf_u8(out, '/');
	if (dsn_get(d, "dbname") != NULL)
		append_encoded(out, dsn_get(d, "dbname"));
	for (size_t i = 0; i < d->n; i++) {
		const char *value = d->v[i].value;

		if (value == NULL || is_in_path(d->v[i].keyword, host != NULL))
			continue;
		buf_fmt(out, "%c%s=", separator, d->v[i].keyword);
		append_encoded(out, value);
		separator = '&';
	}
}
