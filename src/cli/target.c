/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/target.h"

#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/err.h"
#include "base/reason.h"

/* Evidence comes through TLS over TCP; a Unix socket belongs to a Postgres of this machine, or to a
 * forwarder, which shows its verdict by itself. */
static int refuse_unix_sockets(const struct target *t, struct ratls_error *err)
{
	for (size_t i = 0; i < t->n_hosts; i++)
		if (t->hosts[i].address[0] == '\0' && (t->hosts[i].name[0] == '/' || t->hosts[i].name[0] == '@'))
			return err_reason(err, RATLS_E_ARG, REASON_TARGET,
				"\"%.64s\" is a Unix socket, which presents no certificate",
				t->hosts[i].name);
	return RATLS_OK;
}

static int parse_dsn(const char *text, struct target *t, struct ratls_error *err)
{
	int rc = dsn_parse(text, &t->dsn, err);

	if (rc == RATLS_OK)
		rc = dsn_hosts(t->dsn, TARGET_PORT, t->hosts, &t->n_hosts, err);
	return rc == RATLS_OK ? refuse_unix_sockets(t, err) : rc;
}

static int parse_host(const char *text, struct target *t, struct ratls_error *err)
{
	t->n_hosts = 1;
	return dsn_host_parse(text, TARGET_PORT, &t->hosts[0], err);
}

/* PGHOST and PGPORT are lists like those of a connection string. */
static int parse_pghost(struct target *t, struct ratls_error *err)
{
	const char *host = env_get("PGHOST"), *port = env_get("PGPORT"), *address = env_get("PGHOSTADDR");
	int rc;

	if (host == NULL)
		return err_reason(err, RATLS_E_ARG, REASON_TARGET,
			"no target is given, and neither DATABASE_URL nor PGHOST names one");
	rc = dsn_parse("", &t->dsn, err);
	if (rc == RATLS_OK)
		rc = dsn_set(t->dsn, "host", host, err);
	if (rc == RATLS_OK && port != NULL)
		rc = dsn_set(t->dsn, "port", port, err);
	if (rc == RATLS_OK && address != NULL)
		rc = dsn_set(t->dsn, "hostaddr", address, err);
	if (rc == RATLS_OK)
		rc = dsn_hosts(t->dsn, TARGET_PORT, t->hosts, &t->n_hosts, err);
	return rc == RATLS_OK ? refuse_unix_sockets(t, err) : rc;
}

static bool is_file(const char *text)
{
	return strcmp(text, "-") == 0 || strchr(text, '/') != NULL || access(text, F_OK) == 0;
}

int target_parse(const char *text, struct target *ret, struct ratls_error *err)
{
	struct target t = {.kind = TARGET_SERVER};
	const char *url = env_get("DATABASE_URL");
	int rc;

	if (text == NULL && url != NULL)
		rc = parse_dsn(url, &t, err);
	else if (text == NULL)
		rc = parse_pghost(&t, err);
	else if (dsn_looks_like(text) && access(text, F_OK) != 0)
		rc = parse_dsn(text, &t, err);
	else if (is_file(text)) {
		t.kind = TARGET_FILE;
		t.path = text;
		rc = RATLS_OK;
	} else
		rc = parse_host(text, &t, err);
	if (rc == RATLS_OK)
		*ret = t;
	else
		target_done(&t);
	return rc;
}

void target_done(struct target *t)
{
	dsn_free(t->dsn);
	*t = (struct target){0};
}

void target_format(const struct target *t, struct buf *out)
{
	if (t->kind == TARGET_FILE)
		buf_str(out, t->path);
	for (size_t i = 0; i < t->n_hosts; i++) {
		buf_str(out, i > 0 ? "," : "");
		dsn_host_format(&t->hosts[i], out);
	}
}
