/* SPDX-License-Identifier: Apache-2.0 */
#include "program/appraisal_options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/reason.h"
#include "base/secret.h"
#include "source/agent.h"
#include "tls/identity.h"

#define PEM_FILE_MAX ((size_t)1 << 20)

const struct opt appraisal_self_rows[] = {
	{"client-cert", OPT_STR, offsetof(struct appraisal_options, client_cert), "auto", "auto|none|DIR",
		"present a certificate from the guest agent if there is one, none, or that of client-cert in "
		"DIR"},
	{"agent", OPT_STR, offsetof(struct appraisal_options, agent), NULL, "PATH|URL",
		"the guest agent; else DSTACK_SIMULATOR_ENDPOINT, else dstack's sockets"},
	{.name = NULL},
};

static int load(const char *dir, const char *name, struct buf *ret, struct ratls_error *err)
{
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	rc = file_read(path, PEM_FILE_MAX, ret, err);
	if (rc != RATLS_OK && err != NULL)
		err->reason = REASON_FILE;
	return rc;
}

const char *appraisal_agent_endpoint(const struct appraisal_options *o)
{
	const char *simulator = getenv("DSTACK_SIMULATOR_ENDPOINT");

	if (o->agent != NULL)
		return o->agent;
	return simulator != NULL && *simulator != '\0' ? simulator : NULL;
}

const struct agent_tls_key_request appraisal_key_request = {
	.subject = "teesql", .server_auth = true, .client_auth = true};

static int identity_from_agent_if_there(const char *endpoint, struct identity **ret, struct ratls_error *err)
{
	struct ratls_error failure = {0};
	struct agent *agent = NULL;
	int rc = agent_new(endpoint, NULL, NULL, &agent, &failure);

	if (rc == RATLS_OK)
		rc = identity_from_agent(agent, &appraisal_key_request, ret, &failure);
	agent_free(agent);
	/* Outside of a confidential VM there is none, which is no mistake unless it was named. */
	if (rc != RATLS_OK && endpoint == NULL && failure.reason == REASON_AGENT_UNREACHABLE)
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
	return rc;
}

int appraisal_identity(const struct appraisal_options *o, struct identity **ret, struct ratls_error *err)
{
	struct identity *identity = NULL;
	int rc = RATLS_OK;

	if (o->client_cert == NULL || strcmp(o->client_cert, "auto") == 0)
		rc = identity_from_agent_if_there(appraisal_agent_endpoint(o), &identity, err);
	else if (strcmp(o->client_cert, "none") != 0)
		rc = identity_from_dir(o->client_cert, &identity, err);
	if (rc == RATLS_OK)
		*ret = identity;
	return rc;
}
