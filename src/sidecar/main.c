/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql-sidecar: terminates mutual RA-TLS in front of PostgreSQL, inside the confidential VM.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/reason.h"
#include "program/appraisal_options.h"
#include "program/daemon.h"
#include "source/agent.h"
#include "tls/channel.h"
#include "tls/identity.h"
#include "tls/keeper.h"
#include "tls/verifier.h"

struct config {
	char **listen, *http, *backend, **server_name, *require_client_attestation;
	bool insecure_remote_backend;
	struct appraisal_options appraisal;
	struct daemon_options daemon;
};

#define ROW(name, type, member, fallback, arg, help) {name, type, offsetof(struct config, member), fallback, arg, help}

static const struct opt options[] = {
	ROW("listen", OPT_LIST, listen, "0.0.0.0:5433", "ADDR:PORT", "where attested clients come in"),
	ROW("http", OPT_STR, http, "off", "ADDR:PORT|off", "where /health, /attestation and /metrics are"),
	ROW("backend", OPT_STR, backend, "127.0.0.1:5432", "HOST:PORT|/DIR[:PORT]", "where PostgreSQL is"),
	ROW("insecure-remote-backend", OPT_BOOL, insecure_remote_backend, NULL, NULL,
		"allow a backend that is not on this machine: the way there is plaintext"),
	ROW("server-name", OPT_LIST, server_name, NULL, "NAME", "put this name into the certificate"),
	ROW("require-client-attestation", OPT_STR, require_client_attestation, "auto", "yes|no",
		"refuse clients without evidence; without it: yes, unless a simulator is configured"),
	ROW("agent", OPT_STR, appraisal.agent, NULL, "PATH|URL",
		"the guest agent; else DSTACK_SIMULATOR_ENDPOINT, else dstack's sockets"),
	{.name = NULL},
};

static const struct opt_table shared[] = {
	{appraisal_rows, offsetof(struct config, appraisal)},
	{daemon_rows, offsetof(struct config, daemon)},
	{.opts = NULL},
};


/* Everything that lives as long as the program. */
struct sidecar {
	struct config config;
	struct service_target target;
	char host[256];
	struct buf root;
	struct ratls_source *source;
	struct verifier *verifier;
	struct agent *agent;
	struct keeper *keeper;
	struct service *service;
	bool require_attestation;
};

static bool is_one_of(const char *text, const char *const words[4])
{
	for (int i = 0; i < 4; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

/* Where a simulator is the guest agent, clients may come without; where "yes" or "no" is said, it is that. */
static bool requires_attestation(const struct config *c)
{
	static const char *const no[] = {"no", "off", "false", "0"};
	const char *simulator = getenv("DSTACK_SIMULATOR_ENDPOINT");

	if (strcmp(c->require_client_attestation, "auto") == 0)
		return simulator == NULL || simulator[0] == '\0' || c->appraisal.agent != NULL;
	return !is_one_of(c->require_client_attestation, no);
}

static const char *weakened_by(const void *config)
{
	return requires_attestation(config) ? NULL : "require-client-attestation";
}

static const struct opt_program program = {
	.name = "teesql-sidecar",
	.synopsis = "[OPTION]...",
	.purpose = "Terminate mutual RA-TLS in front of PostgreSQL.",
	.opts = options,
	.daemon = true,
	.shared = shared,
	.weakened_by = weakened_by,
};

static int parse_requirement(struct sidecar *s, struct ratls_error *err)
{
	static const char *const words[][4] = {
		{"yes", "on", "true", "1"}, {"no", "off", "false", "0"}, {"auto", "auto", "auto", "auto"}};
	const char *text = s->config.require_client_attestation;

	s->require_attestation = requires_attestation(&s->config);
	for (int i = 0; i < 3; i++)
		if (is_one_of(text, words[i]))
			return RATLS_OK;
	return err_reason(err, RATLS_E_ARG, REASON_OPTION, "--require-client-attestation is \"%s\", not yes or no", text);
}

static bool is_local(const char *host)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return host[0] == '/' || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

/* "HOST:PORT", "[ADDR6]:PORT", "/DIR" or "/DIR:PORT". */
static int parse_backend(struct sidecar *s, struct ratls_error *err)
{
	const char *text = s->config.backend;
	const char *colon = strrchr(text, ':');
	bool bracket = text[0] == '[' && colon != NULL && colon > text && colon[-1] == ']';
	size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);
	char *end = NULL;
	unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 5432;

	if ((colon == NULL && text[0] != '/') || len == 0 || len >= (text[0] == '/' ? SERVICE_DIR_MAX : sizeof(s->host)) ||
		port == 0 || port > 65535 ||
		(end != NULL && *end != '\0'))
		return err_reason(err, RATLS_E_ARG, REASON_OPTION, "--backend is \"%s\", not HOST:PORT or /DIR", text);
	memcpy(s->host, text + bracket, len - (bracket ? 2 : 0));
	s->host[len - (bracket ? 2 : 0)] = '\0';
	s->target = (struct service_target){s->host, (uint16_t)port};
	if (!is_local(s->host) && !s->config.insecure_remote_backend)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION,
			"--backend %s is not on this machine and the way there is plaintext (--insecure-remote-backend allows it)",
			text);
	return RATLS_OK;
}

/* ---- identity --------------------------------------------------------------------------------------------- */

static int server_context(struct identity *id, struct channel_context **ret, struct ratls_error *err)
{
	/* The certificate is asked for even when it is not required: a client may be told apart by it. */
	struct channel_context_options o = {
		.role = CHANNEL_SERVER, .identity = id, .request_certificate = true};

	return channel_context_new(&o, ret, err);
}

static void renewed(void *self, struct identity *id)
{
	struct sidecar *s = self;
	struct channel_context *context;
	struct ratls_error err;

	if (server_context(id, &context, &err) != RATLS_OK) {
		log_event(LOG_LEVEL_ERROR, 0, NULL, "the renewed certificate cannot be used: %s", err.message);
		return;
	}
	service_set_context(s->service, context);
	channel_context_free(context);
	log_event(LOG_LEVEL_INFO, 0, NULL, "the certificate was renewed");
}

static void renewal_failed(void *self, const struct ratls_error *err)
{
	(void)self;
	log_event(LOG_LEVEL_WARNING, 0, NULL, "could not renew the certificate, the old one stays: %s", err->message);
}

static struct agent_tls_key_request key_request(const struct sidecar *s)
{
	return (struct agent_tls_key_request){
		.subject = s->config.server_name != NULL ? s->config.server_name[0] : "teesql-sidecar",
		.alt_names = (const char *const *)s->config.server_name,
		.server_auth = true,
	};
}

/* ---- start, reload, end ----------------------------------------------------------------------------------- */

static void reload(void *self)
{
	struct sidecar *s = self;
	struct ratls_policy *policy;
	struct ratls_error err;

	/* The new one first; a bad file changes nothing. */
	if (appraisal_policy(&s->config.appraisal, &policy, &err) != RATLS_OK ||
		verifier_set_policy(s->verifier, policy, &err) != RATLS_OK) {
		log_event(LOG_LEVEL_ERROR, 0, NULL, "reload failed, nothing was changed: %s", err.message);
		return;
	}
	keeper_kick(s->keeper);
	log_event(LOG_LEVEL_INFO, 0, NULL, "reloaded");
}

static int make_verifier(struct sidecar *s, struct ratls_error *err)
{
	struct ratls_policy *policy;
	struct verifier_options o = {.insecure_allow_simulator = s->config.appraisal.insecure_allow_simulator};
	int rc = appraisal_trust_root(&s->config.appraisal, &s->root, err);

	if (rc == RATLS_OK)
		rc = appraisal_source(&s->config.appraisal, &s->root, &s->source, err);
	if (rc != RATLS_OK)
		return rc;
	o.source = s->source;
	rc = appraisal_policy(&s->config.appraisal, &policy, err);
	return rc == RATLS_OK ? verifier_new(&o, policy, &s->verifier, err) : rc;
}

static int serve(struct sidecar *s, struct identity *id, struct ratls_error *err)
{
	struct service_options o = {
		.role = SERVICE_SIDECAR,
		.listen = (const char *const *)s->config.listen,
		.targets = &s->target,
		.n_targets = 1,
		.verifier = s->verifier,
		.require_attestation = s->require_attestation,
		.name = "PostgreSQL",
	};
	struct keeper_options keeper = {.agent = s->agent, .request = key_request(s), .renewed = renewed,
		.failed = renewal_failed, .self = s};
	struct channel_context *context;
	char choice[160];
	int rc = daemon_service_options(&s->config.daemon, &o, err);

	if (rc == RATLS_OK)
		rc = server_context(id, &context, err);
	if (rc != RATLS_OK)
		return rc;
	rc = service_start(&o, context, &s->service, choice, err);
	channel_context_free(context);
	if (rc == RATLS_OK)
		rc = keeper_start(&keeper, id, &s->keeper, err);
	if (rc != RATLS_OK)
		return rc;
	log_event(LOG_LEVEL_INFO, 0, NULL, "io: %s", choice);
	return RATLS_OK;
}

static int check_http(const struct sidecar *s, struct ratls_error *err)
{
	if (strcmp(s->config.http, "off") == 0)
		return RATLS_OK;
	return err_reason(err, RATLS_E_ARG, REASON_OPTION,
		"--http %s: this version has no HTTP endpoints, only \"off\" is possible", s->config.http);
}

static int start(struct sidecar *s, struct ratls_error *err)
{
	struct agent_tls_key_request request = key_request(s);
	struct identity *id;
	int rc = parse_requirement(s, err);

	if (rc == RATLS_OK && !s->require_attestation)
		log_event(LOG_LEVEL_WARNING, 0, NULL, "client attestation is not required");
	if (rc == RATLS_OK)
		rc = check_http(s, err);

	if (rc == RATLS_OK)
		rc = parse_backend(s, err);
	if (rc == RATLS_OK)
		rc = make_verifier(s, err);
	if (rc == RATLS_OK)
		rc = agent_new(appraisal_agent_endpoint(&s->config.appraisal), NULL, NULL, &s->agent, err);
	if (rc == RATLS_OK)
		rc = identity_from_agent(s->agent, &request, &id, err);
	if (rc != RATLS_OK)
		return rc;
	rc = serve(s, id, err);
	identity_free(id);
	return rc;
}

static void finish(struct sidecar *s)
{
	keeper_stop(s->keeper);
	service_free(s->service);
	verifier_free(s->verifier);
	ratls_source_free(s->source);
	agent_free(s->agent);
	buf_done(&s->root);
	opt_free(&program, &s->config);
}

static int fail(struct sidecar *s, const struct ratls_error *err)
{
	const struct reason_row *row = reason_find(err->reason);

	fprintf(stderr, "teesql-sidecar: %s\n", err->message);
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
	if (rc == RATLS_OK)
		rc = daemon_begin("teesql-sidecar", &s.config.daemon, &err);
	if (rc == RATLS_OK) {
		daemon_warn_insecure(&program, &s.config);
		rc = start(&s, &err);
	}
	if (rc != RATLS_OK)
		return fail(&s, &err);
	daemon_ready(s.service);
	daemon_wait(s.service, &s.config.daemon, reload, &s, 0);
	finish(&s);
	return 0;
}
