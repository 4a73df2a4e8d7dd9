/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql-sidecar: terminates mutual RA-TLS in front of PostgreSQL, inside the confidential VM.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/err.h"
#include "base/hostport.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/reason.h"
#include "base/utf8.h"
#include "program/appraisal_options.h"
#include "program/daemon.h"
#include "program/loopback.h"
#include "program/party.h"
#include "source/agent.h"
#include "tls/identity.h"

struct config {
	char **listen, *backend, **server_name;
	unsigned http;
	enum requirement { REQUIRED_AUTO, REQUIRED_YES, REQUIRED_NO } require_client_attestation;
	bool insecure_remote_backend;
	struct appraisal_options appraisal;
	struct daemon_options daemon;
};

#define ROW(name, type, member, fallback, arg, help) {name, type, offsetof(struct config, member), fallback, arg, help}

static const struct opt options[] = {
	ROW("listen", OPT_LIST, listen, "0.0.0.0:5433", "ADDR:PORT", "where attested clients come in"),
	ROW("http", OPT_CHOICE, http, "off", "off", "this version has no HTTP endpoints"),
	ROW("backend", OPT_STR, backend, "127.0.0.1:5432", "HOST:PORT|/DIR[:PORT]", "where PostgreSQL is"),
	ROW("insecure-remote-backend", OPT_BOOL, insecure_remote_backend, NULL, NULL,
		"allow a backend that is not on this machine: the way there is plaintext"),
	ROW("server-name", OPT_LIST, server_name, NULL, "NAME", "put this name into the certificate"),
	ROW("require-client-attestation", OPT_CHOICE, require_client_attestation, "auto", "auto|yes|no",
		"refuse clients without evidence; auto: yes, unless a simulator is configured"),
	{.name = NULL},
};

static const struct opt_table shared[] = {
	{appraisal_rows, offsetof(struct config, appraisal)},
	{appraisal_means_rows, offsetof(struct config, appraisal)},
	{appraisal_agent_rows, offsetof(struct config, appraisal)},
	{daemon_rows, offsetof(struct config, daemon)},
	{.opts = NULL},
};

#define BACKEND_SIZE 256

/* Everything that lives as long as the program. */
struct sidecar {
	struct config config;
	struct service_target target;
	char host[BACKEND_SIZE];
	struct party party;
};

/* Where a simulator is the guest agent, clients may come without; where "yes" or "no" is said, it is that. */
static bool requires_attestation(const struct config *c)
{
	if (c->require_client_attestation == REQUIRED_AUTO)
		return env_get(APPRAISAL_SIMULATOR) == NULL || c->appraisal.agent != NULL;
	return c->require_client_attestation == REQUIRED_YES;
}

static const char *weakened_by(const void *config)
{
	return requires_attestation(config) ? NULL : "require-client-attestation";
}

/* "HOST:PORT", "[ADDR6]:PORT", "/DIR" or "/DIR:PORT". */
static int parse_backend(const struct config *c, char ret_host[static BACKEND_SIZE], uint16_t *ret_port,
	struct ratls_error *err)
{
	const char *text = c->backend;
	size_t size = text[0] == '/' ? SERVICE_DIR_MAX : BACKEND_SIZE;
	bool good;

	*ret_port = 5432;
	if (text[0] == '/' && strchr(text, ':') == NULL)
		good = (size_t)snprintf(ret_host, size, "%s", text) < size;
	else
		good = hostport_parse(text, ret_host, size, ret_port);
	if (!good || *ret_port == 0)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION, "--backend is \"%s\", not HOST:PORT or /DIR", text);
	if (ret_host[0] != '/' && !loopback_host(ret_host) && !c->insecure_remote_backend)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION,
			"--backend %s is not on this machine and the way there is plaintext (--insecure-remote-backend allows it)",
			text);
	return RATLS_OK;
}

static int check_listen(const struct config *c, struct ratls_error *err)
{
	char host[256];
	uint16_t port;

	for (size_t i = 0; c->listen[i] != NULL; i++)
		if (c->listen[i][0] != '/' && !hostport_parse(c->listen[i], host, sizeof(host), &port))
			return err_reason(err, RATLS_E_ARG, REASON_OPTION, "--listen is \"%s\", not ADDR:PORT", c->listen[i]);
	return RATLS_OK;
}

static int check(const void *config, bool files, struct ratls_error *err)
{
	const struct config *c = config;
	struct service_options service;
	char host[BACKEND_SIZE];
	uint16_t port;
	int rc = parse_backend(c, host, &port, err);

	if (rc == RATLS_OK)
		rc = check_listen(c, err);
	if (rc == RATLS_OK)
		rc = daemon_service_options(&c->daemon, &service, err);
	return rc == RATLS_OK && files ? appraisal_check(&c->appraisal, ASKER_DAEMON, err) : rc;
}

static const struct opt_program program = {
	.name = "teesql-sidecar",
	.synopsis = "[OPTION]...",
	.purpose = "Terminate mutual RA-TLS in front of PostgreSQL.",
	.opts = options,
	.daemon = true,
	.shared = shared,
	.weakened_by = weakened_by,
	.check = check,
	.weakening_variable = APPRAISAL_SIMULATOR,
};

static struct agent_tls_key_request key_request(const struct sidecar *s)
{
	return (struct agent_tls_key_request){
		.subject = s->config.server_name != NULL ? s->config.server_name[0] : "teesql-sidecar",
		.alt_names = (const char *const *)s->config.server_name,
		.server_auth = true,
	};
}

/* ---- start and end ---------------------------------------------------------------------------------------- */

static int serve(struct sidecar *s, struct ratls_error *err)
{
	struct service_options o = {
		.role = SERVICE_SIDECAR,
		.targets = &s->target,
		.n_targets = 1,
		.require_attestation = requires_attestation(&s->config),
	};
	int rc = daemon_sockets(&o.listen_fds, err);

	if (o.listen_fds == NULL)
		o.listen = (const char *const *)s->config.listen;
	if (rc == RATLS_OK)
		rc = daemon_service_options(&s->config.daemon, &o, err);
	return rc == RATLS_OK ? party_serve(&s->party, &o, err) : rc;
}

static int start(struct sidecar *s, struct ratls_error *err)
{
	int rc = parse_backend(&s->config, s->host, &s->target.port, err);

	s->target.host = s->host;
	if (!requires_attestation(&s->config))
		log_event(LOG_LEVEL_INSECURE, 0, NULL, "client attestation is not required");
	s->party.options = &s->config.appraisal;
	s->party.role = CHANNEL_SERVER;
	s->party.request = key_request(s);
	if (rc == RATLS_OK)
		rc = party_believe(&s->party, err);
	if (rc == RATLS_OK && !s->party.compares && requires_attestation(&s->config))
		log_event(LOG_LEVEL_WARNING, 0, NULL,
			"clients are compared with nothing: the policy names no measurement, so any TDX machine passes");
	if (rc == RATLS_OK)
		rc = appraisal_agent(&s->config.appraisal, &s->party.agent, err);
	if (rc == RATLS_OK)
		rc = identity_from_agent(s->party.agent, &s->party.request, &s->party.identity, err);
	return rc == RATLS_OK ? serve(s, err) : rc;
}

static void finish(struct sidecar *s)
{
	party_done(&s->party);
	opt_free(&program, &s->config);
}

static int fail(struct sidecar *s, const struct ratls_error *err)
{
	const struct reason_row *row = reason_find(err->reason);
	char message[RATLS_ERROR_MESSAGE_SIZE];

	snprintf(message, sizeof(message), "%s", err->message);
	utf8_tame(message, strlen(message)); /* in which an agent's words may stand */
	fprintf(stderr, "teesql-sidecar: %s\n", message);
	if (row != NULL)
		fprintf(stderr, "HINT: %s\n", row->remedy);
	finish(s);
	return row != NULL ? (int)row->class : CLASS_USAGE;
}

int main(int argc, char **argv)
{
	static struct sidecar s;
	struct ratls_error err = {0};
	enum opt_action action;
	char **rest;
	int rc;

	(void)argc;
	rc = opt_parse(&program, argv, &s.config, &action, &rest, &err);
	if (rc != RATLS_OK)
		return fail(&s, &err);
	if (action == OPT_EXIT) {
		free(rest);
		finish(&s);
		return 0;
	}
	if (rest[0] != NULL)
		rc = err_reason(&err, RATLS_E_ARG, REASON_OPTION, "unexpected argument \"%s\"", rest[0]);
	free(rest);
	if (rc == RATLS_OK) {
		daemon_begin("teesql-sidecar", &s.config.daemon);
		daemon_warn_insecure(&program, &s.config);
		rc = start(&s, &err);
	}
	if (rc != RATLS_OK)
		return fail(&s, &err);
	daemon_ready(s.party.service);
	daemon_wait(s.party.service, &s.config.daemon, party_reload, &s.party, 0);
	finish(&s);
	return 0;
}
