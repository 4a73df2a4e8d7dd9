/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql connect: a localhost door to an attested server, for any driver.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hostport.h"
#include "base/log.h"
#include "cli/connect.h"
#include "cli/dial.h"
#include "program/errand.h"
#include "program/loopback.h"
#include "tls/relying_party.h"

#define ROW(name, type, member, fallback, arg, help) {name, type, offsetof(struct connect_config, member), fallback, arg, help}

static const struct opt options[] = {
	ROW("listen", OPT_STR, listen, NULL, "ADDR:PORT",
		"where drivers come in; without it 127.0.0.1:15432, or a free port for a COMMAND"),
	ROW("socket-dir", OPT_STR, socket_dir, NULL, "DIR", "where the Unix socket .s.PGSQL.PORT is; without it a private one"),
	ROW("lazy", OPT_BOOL, lazy, NULL, NULL, "listen first, and verify with the first connection"),
	ROW("starttls", OPT_BOOL, starttls, NULL, NULL, "ask the server for TLS as PostgreSQL does"),
	ROW("insecure-remote-clients", OPT_BOOL, insecure_remote_clients, NULL, NULL,
		"allow an address that is not loopback: drivers' way here is plaintext"),
	{.name = NULL},
};

static const struct opt_table shared[] = {
	{appraisal_rows, offsetof(struct connect_config, appraisal)},
	{appraisal_means_rows, offsetof(struct connect_config, appraisal)},
	{appraisal_self_rows, offsetof(struct connect_config, appraisal)},
	{appraisal_agent_rows, offsetof(struct connect_config, appraisal)},
	{daemon_rows, offsetof(struct connect_config, daemon)},
	{cli_rows, offsetof(struct connect_config, cli)},
	{.opts = NULL},
};

/* Drivers' way here is plaintext: it stays on this machine. */
static int check_address(const struct connect_config *c, const char *address, struct ratls_error *err)
{
	if (loopback_authority(address, strlen(address)) || c->insecure_remote_clients)
		return RATLS_OK;
	return err_reason(err, RATLS_E_ARG, REASON_OPTION,
		"--listen: %s is not a loopback address, and drivers' way here is plaintext (--insecure-remote-clients allows it)",
		address);
}

static int check_listen(const struct connect_config *c, struct ratls_error *err)
{
	char host[64];
	uint16_t port;

	if (c->listen == NULL)
		return RATLS_OK;
	if (c->listen[0] == '/' || !hostport_parse(c->listen, host, sizeof(host), &port))
		return err_reason(err, RATLS_E_ARG, REASON_OPTION,
			"--listen is \"%s\", not ADDR:PORT (--socket-dir says where the Unix socket is)", c->listen);
	return check_address(c, c->listen, err);
}

static int check(const void *config, bool files, struct ratls_error *err)
{
	const struct connect_config *c = config;
	struct service_options service;
	int rc = check_listen(c, err);

	if (rc == RATLS_OK && c->socket_dir != NULL && c->socket_dir[0] != '/')
		rc = err_reason(err, RATLS_E_ARG, REASON_OPTION, "--socket-dir is \"%s\", not an absolute path", c->socket_dir);
	if (rc == RATLS_OK)
		rc = daemon_service_options(&c->daemon, &service, err);
	return rc == RATLS_OK && files ? appraisal_check(&c->appraisal, ASKER_USER, err) : rc;
}

static const struct opt_program program = {
	.name = "teesql connect",
	.synopsis = "[OPTION]... [DSN|HOST[:PORT]] [-- COMMAND [ARGUMENT]...]",
	.purpose = "Give any driver on this machine an attested connection to a server.",
	.opts = options,
	.daemon = true,
	.shared = shared,
	.check = check,
	.weakening_variable = APPRAISAL_SIMULATOR,
};

/* ---- the verdict before the door opens ---------------------------------------------------------------------- */

static void say_verified(const struct forwarder *f, const struct verdict *v)
{
	bool full = f->config.cli.verbose;

	if (!v->attested)
		cli_note(&f->config.cli, "accepted %s (INSECURE: without evidence)", f->name);
	else
		cli_note(&f->config.cli, "verified %s: %s, mrtd %.*s%s%s%s", f->name, v->tcb, full ? (int)sizeof(v->mrtd) : 16,
			v->mrtd, full ? "" : "...", f->party.compares ? "" : "; ", f->party.compares ? "" : PARTY_COMPARES_NOTHING);
}

/* Fail fast, with the reason, where the user sees it. The verdict stays in the relying party's cache. */
static int verify_first(struct forwarder *f, struct ratls_error *err)
{
	struct dial_options o = {
		.hosts = f->target.hosts,
		.n_hosts = f->target.n_hosts,
		.identity = f->party.identity,
		.starttls = f->config.starttls,
		.timeout_ms = f->config.daemon.handshake_timeout > 0 ? f->config.daemon.handshake_timeout : INT32_MAX,
	};
	struct peer peer = {0};
	struct verdict verdict;
	int rc = dial(&o, &peer, err);

	if (rc != RATLS_OK)
		return rc;
	relying_party_decide(f->party.relying_party, cur_of(peer.leaf.p, peer.leaf.len), &verdict);
	if (!verdict.accepted)
		rc = err_reason(err, RATLS_E_ARG, verdict.reason, "%s is refused: %s%.200s", peer.address,
			verdict.reason == REASON_NO_EVIDENCE ? "upstream " : "", verdict.message);
	else
		say_verified(f, &verdict);
	peer_done(&peer);
	return rc;
}

/* ---- the door ------------------------------------------------------------------------------------------------ */

/* Sockets that we were started with are where drivers come in, in place of --listen. */
static int check_sockets(const struct forwarder *f, const int *sockets, struct ratls_error *err)
{
	char name[SERVICE_NAME_SIZE];
	int rc = RATLS_OK;

	for (size_t i = 0; rc == RATLS_OK && sockets[i] >= 0; i++) {
		rc = service_socket_name(sockets[i], name, err);
		if (rc == RATLS_OK && name[0] != '/')
			rc = check_address(&f->config, name, err);
		else if (rc == RATLS_OK && i == 0) /* whose port is that of all */
			rc = err_reason(err, RATLS_E_ARG, REASON_OPTION, "the first socket of LISTEN_FDS is \"%s\", not ADDR:PORT",
				name);
	}
	return rc;
}

static int make_socket_dir(struct forwarder *f, struct ratls_error *err)
{
	if (f->config.socket_dir != NULL)
		return RATLS_OK;
	snprintf(f->own_dir, sizeof(f->own_dir), "/tmp/teesql-XXXXXX");
	if (mkdtemp(f->own_dir) == NULL) {
		f->own_dir[0] = '\0';
		return err_set(err, RATLS_E_IO, "could not make a folder for the Unix socket: %s", strerror(errno));
	}
	return RATLS_OK;
}

static int open_door(struct forwarder *f, const char *listen, const int *sockets, struct ratls_error *err)
{
	const char *const addresses[] = {sockets == NULL ? listen : NULL, NULL};
	struct service_options o = {
		.role = SERVICE_FORWARDER,
		.listen = addresses,
		.listen_fds = sockets,
		.listen_twin = sockets == NULL,
		.socket_dir = f->config.socket_dir != NULL ? f->config.socket_dir : f->own_dir,
		.targets = f->targets,
		.n_targets = f->target.n_hosts,
		.require_attestation = true,
		.starttls = f->config.starttls,
	};
	int rc = daemon_service_options(&f->config.daemon, &o, err);

	return rc == RATLS_OK ? party_serve(&f->party, &o, err) : rc;
}

/* The first address that is listened on, as drivers of this machine reach it. */
static int find_host(struct forwarder *f, struct ratls_error *err)
{
	const char *listening = service_listening(f->party.service, 0);
	uint16_t port;

	if (listening == NULL || !hostport_parse(listening, f->host, sizeof(f->host), &port))
		return err_set(err, RATLS_E_IO, "could not tell the address that is listened on");
	if (strcmp(f->host, "0.0.0.0") == 0)
		snprintf(f->host, sizeof(f->host), "127.0.0.1");
	else if (strcmp(f->host, "::") == 0)
		snprintf(f->host, sizeof(f->host), "::1");
	return RATLS_OK;
}

/* Only a certificate of the guest agent can be renewed. */
static int identify(struct forwarder *f, struct ratls_error *err)
{
	int rc = appraisal_identity(&f->config.appraisal, &f->party.identity, err);

	if (rc != RATLS_OK || f->party.identity == NULL || strcmp(f->config.appraisal.client_cert, "auto") != 0)
		return rc;
	return appraisal_agent(&f->config.appraisal, &f->party.agent, err);
}

/* What kind of session is wanted only the driver can ask, behind the door: with one server it does. Which of several
 * servers is behind the door the driver cannot say. */
static int check_session(const struct forwarder *f, struct ratls_error *err)
{
	const char *wanted = connect_session_wanted(f);

	if (wanted == NULL || strcmp(wanted, "any") == 0 || f->target.n_hosts == 1)
		return RATLS_OK;
	return err_reason(err, RATLS_E_ARG, REASON_TARGET,
		"target_session_attrs is \"%.32s\", and with several hosts each connection gets the first that can be reached "
		"(only \"any\" is possible; or start one forwarder for each host)", wanted);
}

/* All that others have a say in, and may be slow to say. */
static int prepare(void *self, struct ratls_error *err)
{
	struct forwarder *f = self;
	int rc;

	f->party.options = &f->config.appraisal;
	f->party.role = CHANNEL_CLIENT;
	f->party.asker = ASKER_USER;
	f->party.request = appraisal_key_request;
	rc = party_believe(&f->party, err);
	if (rc == RATLS_OK)
		rc = identify(f, err);
	if (rc == RATLS_OK && f->config.lazy && !f->party.compares)
		cli_note(&f->config.cli, "%s", PARTY_COMPARES_NOTHING);
	return rc == RATLS_OK && !f->config.lazy ? verify_first(f, err) : rc;
}

static int start(struct forwarder *f, bool command, struct ratls_error *err)
{
	const char *listen = f->config.listen != NULL ? f->config.listen : command ? "127.0.0.1:0" : "127.0.0.1:15432";
	const int *sockets;
	struct buf name = {0};
	int rc;

	if (f->target.kind != TARGET_SERVER)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION, "\"%s\" is a file, not a server", f->target.path);
	rc = check_session(f, err);
	if (rc == RATLS_OK)
		rc = daemon_sockets(&sockets, err);
	if (rc == RATLS_OK && sockets != NULL)
		rc = check_sockets(f, sockets, err);
	if (rc != RATLS_OK)
		return rc;
	for (size_t i = 0; i < f->target.n_hosts; i++) {
		const struct dsn_host *h = &f->target.hosts[i];

		f->targets[i] = (struct service_target){.host = h->name, .port = h->port,
			.address = h->address[0] != '\0' ? h->address : NULL};
	}
	target_format(&f->target, &name);
	snprintf(f->name, sizeof(f->name), "%.*s", (int)name.len, name.p != NULL ? (const char *)name.p : "");
	buf_done(&name);
	rc = errand_run(prepare, f, command, err);
	if (rc == RATLS_OK)
		rc = make_socket_dir(f, err);
	if (rc == RATLS_OK)
		rc = open_door(f, listen, sockets, err);
	return rc == RATLS_OK ? find_host(f, err) : rc;
}

static void finish(struct forwarder *f)
{
	party_done(&f->party);
	if (f->own_dir[0] != '\0')
		rmdir(f->own_dir);
	target_done(&f->target);
	opt_free(&program, &f->config);
}

/* ---- the command line ------------------------------------------------------------------------------------------ */

static int serve(struct forwarder *f, char **command)
{
	struct ratls_error err = {0};

	if (f->config.cli.quiet && f->config.daemon.log_level > LOG_LEVEL_WARNING)
		f->config.daemon.log_level = LOG_LEVEL_WARNING;
	daemon_begin("teesql", &f->config.daemon);
	if (start(f, command != NULL, &err) != RATLS_OK)
		return cli_fail(&f->config.cli, &err);
	if (command != NULL)
		return connect_run_command(f, command);
	connect_say_how(f);
	daemon_ready(f->party.service);
	daemon_wait(f->party.service, &f->config.daemon, party_reload, &f->party, 0);
	return 0;
}

/* What follows the target: nothing (NULL), or -- and a command. */
static int read_command(char **rest, char ***ret, struct ratls_error *err)
{
	if (rest[0] != NULL && strcmp(rest[0], "--") != 0)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION, "unexpected argument \"%s\" (a command follows --)", rest[0]);
	if (rest[0] != NULL && rest[1] == NULL)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION, "there is no command behind --");
	*ret = rest[0] != NULL ? rest + 1 : NULL;
	return RATLS_OK;
}

int cmd_connect(char **argv)
{
	static struct forwarder f;
	struct ratls_error err = {0};
	char **rest, **command = NULL;
	const char *target = NULL;
	int code, rc;

	if (!cli_parse(&program, argv, &f.config, SIZE_MAX, &rest, &code))
		return code;
	if (rest[0] != NULL && strcmp(rest[0], "--") != 0)
		target = rest[0];
	rc = read_command(rest + (target != NULL), &command, &err);
	if (rc == RATLS_OK)
		rc = target_parse(target, &f.target, &err);
	code = rc == RATLS_OK ? serve(&f, command) : cli_fail(&f.config.cli, &err);
	finish(&f);
	free(rest);
	return code;
}
