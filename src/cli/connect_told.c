/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql connect: what the user pastes, or the command gets.
 */
#include "cli/connect.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/env.h"
#include "base/err.h"
#include "program/errand.h"
#include "program/streams.h"

const char *connect_session_wanted(const struct forwarder *f)
{
	const char *wanted = f->target.dsn != NULL ? dsn_get(f->target.dsn, "target_session_attrs") : NULL;

	return wanted != NULL ? wanted : env_get("PGTARGETSESSIONATTRS");
}

/* The DSN with the door in place of the server. */
static int local_dsn(struct forwarder *f, bool with_password, struct buf *ret, struct ratls_error *err)
{
	static const char *const theirs[] = {"hostaddr", "sslnegotiation", "sslrootcert", "sslcert", "sslkey", "sslcrl",
		"channel_binding", "load_balance_hosts", "requiressl", "gssencmode"};
	const char *port = service_port(f->party.service);
	struct dsn *d = f->target.dsn;
	int rc = d == NULL ? dsn_parse("postgresql://", &f->target.dsn, err) : RATLS_OK;

	d = f->target.dsn;
	for (size_t i = 0; rc == RATLS_OK && i < sizeof(theirs) / sizeof(theirs[0]); i++)
		rc = dsn_set(d, theirs[i], NULL, err);
	if (rc == RATLS_OK)
		rc = dsn_set(d, "host", f->host, err);
	if (rc == RATLS_OK)
		rc = dsn_set(d, "port", port, err);
	if (rc == RATLS_OK)
		rc = dsn_set(d, "sslmode", "disable", err);
	if (rc == RATLS_OK)
		dsn_append_uri(d, with_password, ret);
	return rc;
}

/* The connection string is the result: without it nobody finds the door. */
void connect_say_how(struct forwarder *f)
{
	const char *port = service_port(f->party.service);
	const char *dir = f->config.socket_dir != NULL ? f->config.socket_dir : f->own_dir;
	struct ratls_error err = {0};
	struct buf uri = {0};
	char *text = local_dsn(f, false, &uri, NULL) == RATLS_OK ? buf_take_str(&uri) : NULL;

	if (f->config.cli.json)
		cli_print_json(json_pack("{s:s, s:s?, s:s, s:s, s:s}", "schema", "teesql.connect/1", "dsn", text, "host",
			f->host, "port", port, "socket_dir", dir));
	else if (text != NULL)
		puts(text);
	if (streams_flush(&err) != RATLS_OK)
		cli_warn("%s", err.message); /* and yet it is there, at an address that may be known */
	cli_note(&f->config.cli, "  psql 'host=%s port=%s sslmode=disable'", dir, port);
	free(text);
	buf_done(&uri);
}

/* In the child: only this thread exists here, and it is about to become another program. */
static void become(struct forwarder *f, char **command)
{
	static const char *const misleading[] = {"PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGHOSTADDR",
		"PGSSLNEGOTIATION", "PGCHANNELBINDING", "PGREQUIRESSL", "PGGSSENCMODE"};
	const char *session = connect_session_wanted(f);
	struct ratls_error err = {0};
	struct buf uri = {0};
	char *text;
	sigset_t none;
	int reason;

	if (command[0] == NULL || local_dsn(f, true, &uri, NULL) != RATLS_OK ||
		(text = buf_take_str(&uri)) == NULL)
		_exit(126);
	setenv("PGHOST", f->host, 1);
	setenv("PGPORT", service_port(f->party.service), 1);
	setenv("PGSSLMODE", "disable", 1);
	setenv("DATABASE_URL", text, 1);
	/* What would lead libpq past the door, or make it ask for what the door does not have. */
	for (size_t i = 0; i < sizeof(misleading) / sizeof(misleading[0]); i++)
		unsetenv(misleading[i]);
	if (session != NULL)
		setenv("PGTARGETSESSIONATTRS", session, 1);
	daemon_restore_limits();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp(command[0], command);
	reason = errno;
	err_set(&err, RATLS_E_IO, "could not run \"%s\": %s", command[0], strerror(reason));
	(void)cli_fail(&(struct cli){.json = false}, &err); /* what is on standard output is the command's */
	_exit(reason == ENOENT ? 127 : 126);
}

int connect_run_command(struct forwarder *f, char **command)
{
	int status = errand_told_to_end(true); /* the command would not hear of it */
	struct ratls_error err = {0};
	pid_t child;

	if (status != 0)
		return 128 + status;
	child = fork();
	if (child < 0) {
		err_set(&err, RATLS_E_IO, "could not start a process: %s", strerror(errno));
		return cli_fail(&f->config.cli, &err);
	}
	if (child == 0)
		become(f, command);
	status = daemon_wait(f->party.service, &f->config.daemon, NULL, NULL, child);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
