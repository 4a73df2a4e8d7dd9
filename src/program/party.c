/* SPDX-License-Identifier: Apache-2.0 */
#include "program/party.h"

#include "appraisal/policy.h"
#include "base/err.h"
#include "base/log.h"
#include "tls/identity.h"
#include "tls/keeper.h"
#include "tls/relying_party.h"

static int make_context(const struct party *p, struct identity *id, struct channel_context **ret, struct ratls_error *err)
{
	/* The client's certificate is asked for even when it is not required: it may be told apart by it. */
	struct channel_context_options o = {
		.role = p->role, .identity = id, .request_certificate = p->role == CHANNEL_SERVER};

	return channel_context_new(&o, ret, err);
}

/* ---- renewal: in the keeper's thread ------------------------------------------------------------------------ */

static void renewed(void *self, struct identity *id)
{
	struct party *p = self;
	struct channel_context *context;
	struct ratls_error err;

	if (make_context(p, id, &context, &err) != RATLS_OK) {
		log_event(LOG_LEVEL_ERROR, 0, NULL, "the renewed certificate cannot be used: %s", err.message);
		return;
	}
	service_set_context(p->service, context);
	channel_context_free(context);
	log_event(LOG_LEVEL_INFO, 0, NULL, "our certificate was renewed");
}

static void renewal_failed(void *self, const struct ratls_error *err)
{
	(void)self;
	log_event(LOG_LEVEL_WARNING, 0, NULL, "could not renew our certificate, the old one stays: %s", err->message);
}

static int keep(struct party *p, struct ratls_error *err)
{
	struct keeper_options o = {
		.agent = p->agent, .request = p->request, .renewed = renewed, .failed = renewal_failed, .self = p};

	return p->agent != NULL && p->identity != NULL ? keeper_start(&o, p->identity, &p->keeper, err) : RATLS_OK;
}

/* ---- from start to end -------------------------------------------------------------------------------------- */

int party_believe(struct party *p, struct ratls_error *err)
{
	struct relying_party_options o = {.insecure_allow_simulator = p->options->insecure_allow_simulator};
	struct ratls_policy *policy;
	int rc = appraisal_means_make(p->options, p->asker, &p->means, err);

	if (rc == RATLS_OK)
		rc = appraisal_policy(p->options, &policy, err);
	if (rc != RATLS_OK)
		return rc;
	p->compares = policy_compares(policy);
	o.by = p->means.verifier;
	return relying_party_new(&o, policy, &p->relying_party, err);
}

int party_serve(struct party *p, struct service_options *o, struct ratls_error *err)
{
	struct channel_context *context;
	char choice[160];
	int rc = make_context(p, p->identity, &context, err);

	if (rc != RATLS_OK)
		return rc;
	o->relying_party = p->relying_party;
	rc = service_start(o, context, &p->service, choice, err);
	channel_context_free(context);
	if (rc != RATLS_OK)
		return rc;
	log_event(p->role == CHANNEL_SERVER ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, 0, NULL, "io: %s", choice);
	return keep(p, err);
}

/* A certificate that came from files, as they are now; *ret stays NULL if it did not. */
static int read_anew(const struct party *p, struct channel_context **ret, struct ratls_error *err)
{
	struct identity *id = NULL;
	int rc;

	if (p->identity == NULL || p->agent != NULL)
		return RATLS_OK;
	rc = appraisal_identity(p->options, &id, err);
	if (rc == RATLS_OK)
		rc = make_context(p, id, ret, err);
	identity_free(id);
	return rc;
}

void party_reload(void *self)
{
	struct party *p = self;
	struct channel_context *context = NULL;
	struct ratls_policy *policy;
	struct ratls_error err;
	bool compares = false;
	int rc = read_anew(p, &context, &err);

	if (rc == RATLS_OK)
		rc = appraisal_policy(p->options, &policy, &err);
	if (rc == RATLS_OK) {
		compares = policy_compares(policy);
		rc = relying_party_set_policy(p->relying_party, policy, &err);
	}
	if (rc != RATLS_OK) {
		channel_context_free(context);
		log_event(LOG_LEVEL_ERROR, 0, NULL, "reload failed, nothing was changed: %s", err.message);
		return;
	}
	if (context != NULL)
		service_set_context(p->service, context);
	if (p->keeper != NULL)
		keeper_kick(p->keeper);
	if (!compares)
		log_event(LOG_LEVEL_WARNING, 0, NULL, "%s", PARTY_COMPARES_NOTHING);
	log_event(LOG_LEVEL_INFO, 0, NULL, "reloaded: the policy%s",
		context != NULL     ? " and our certificate"
		: p->keeper != NULL ? "; our certificate is asked for anew"
				    : "");
	channel_context_free(context);
}

void party_done(struct party *p)
{
	keeper_stop(p->keeper);
	appraisal_means_stop(&p->means);
	service_free(p->service);
	relying_party_free(p->relying_party);
	appraisal_means_done(&p->means);
	agent_free(p->agent);
	identity_free(p->identity);
}
