/* SPDX-License-Identifier: Apache-2.0 */
#include "program/appraisal_options.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/err.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/secret.h"
#include "program/loopback.h"
#include "source/agent.h"
#include "tls/identity.h"

const struct opt appraisal_self_rows[] = {
	{"client-cert", OPT_STR, offsetof(struct appraisal_options, client_cert), "auto", "auto|none|DIR",
		"present a certificate from the guest agent if there is one, none, or that of client-cert in "
		"DIR"},
	{.name = NULL},
};

const struct opt appraisal_agent_rows[] = {
	{"agent", OPT_STR, offsetof(struct appraisal_options, agent), NULL, "PATH|URL",
		"the guest agent; else DSTACK_SIMULATOR_ENDPOINT, else dstack's sockets"},
	{"insecure-remote-agent", OPT_BOOL, offsetof(struct appraisal_options, insecure_remote_agent), NULL, NULL,
		"allow a guest agent on another machine over http: private keys come in plaintext"},
	{.name = NULL},
};

static int load(const char *dir, const char *name, struct buf *ret, struct ratls_error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return file_read(path, AGENT_PEM_MAX, ret, err);
}

const char *appraisal_agent_endpoint(const struct appraisal_options *o)
{
	return o->agent != NULL ? o->agent : env_get(APPRAISAL_SIMULATOR);
}

/* What a guest agent answers is our private key. */
int appraisal_check_agent(const struct appraisal_options *o, struct ratls_error *err)
{
	const char *endpoint = appraisal_agent_endpoint(o);
	const char *authority = endpoint != NULL && strncmp(endpoint, "http://", 7) == 0 ? endpoint + 7 : NULL;

	if (authority == NULL || o->insecure_remote_agent || loopback_authority(authority, strcspn(authority, "/?#")))
		return RATLS_OK;
	return err_reason(err, RATLS_E_ARG, REASON_OPTION,
		"the guest agent %.200s is not on this machine, and private keys would come in plaintext "
		"(--insecure-remote-agent allows it)", endpoint);
}

int appraisal_agent(const struct appraisal_options *o, struct agent **ret, struct ratls_error *err)
{
	const char *endpoint = appraisal_agent_endpoint(o);
	int rc = appraisal_check_agent(o, err);

	return rc == RATLS_OK ? agent_new(endpoint, NULL, NULL, ret, err) : rc;
}

const struct agent_tls_key_request appraisal_key_request = {
	.subject = "teesql", .server_auth = true, .client_auth = true};

static int identity_from_agent_if_there(const struct appraisal_options *o, struct identity **ret, struct ratls_error *err)
{
	struct ratls_error failure = {0};
	struct agent *agent = NULL;
	int rc = appraisal_agent(o, &agent, &failure);

	if (rc == RATLS_OK)
		rc = identity_from_agent(agent, &appraisal_key_request, ret, &failure);
	agent_free(agent);
	/* Outside of a confidential VM there is none, which is no mistake unless it was named. */
	if (rc != RATLS_OK && appraisal_agent_endpoint(o) == NULL && failure.reason == REASON_AGENT_UNREACHABLE)
		return RATLS_OK;
	if (rc != RATLS_OK && err != NULL)
		*err = failure;
	return rc;
}

static int identity_from_dir(const char *dir, struct identity **ret, struct ratls_error *err)
{
	struct buf key = {0}, chain = {0};
	int rc = load(dir, "client-cert.pem", &chain, err);

	if (rc == RATLS_OK)
		rc = load(dir, "client-key.pem", &key, err);
	if (rc == RATLS_OK)
		rc = identity_from_pem(cur_of(key.p, key.len), cur_of(chain.p, chain.len), ret, err);
	secret_buf_done(&key);
	buf_done(&chain);
	if (rc == RATLS_E_ARG && err != NULL && err->reason == 0) {
		err->reason = REASON_FILE;
		return err_prefix(err, rc, "--client-cert: \"%.200s\"", dir);
	}
	return rc != RATLS_OK ? err_prefix(err, rc, "--client-cert") : rc;
}

int appraisal_identity(const struct appraisal_options *o, struct identity **ret, struct ratls_error *err)
{
	struct identity *identity = NULL;
	int rc = RATLS_OK;

	if (o->client_cert == NULL || strcmp(o->client_cert, "auto") == 0)
		rc = identity_from_agent_if_there(o, &identity, err);
	else if (strcmp(o->client_cert, "none") != 0)
		rc = identity_from_dir(o->client_cert, &identity, err);
	if (rc == RATLS_OK)
		*ret = identity;
	return rc;
}
