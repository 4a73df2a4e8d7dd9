/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evaluation.h"

#include <stdio.h>

#include "appraisal/appraise.h"
#include "appraisal/report.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/instant.h"

static const struct opt own_opts[] = {
	{"at", OPT_STR, offsetof(struct evaluation_config, at), NULL, "TIME",
		"appraise as of this moment, Unix seconds or RFC 3339; else now"},
	{.name = NULL},
};

const struct opt_table evaluation_tables[] = {
	{appraisal_rows, offsetof(struct evaluation_config, appraisal)},
	{own_opts, 0},
	{appraisal_self_rows, offsetof(struct evaluation_config, appraisal)},
	{appraisal_agent_rows, offsetof(struct evaluation_config, appraisal)},
	{obtain_rows, offsetof(struct evaluation_config, obtain)},
	{cli_rows, offsetof(struct evaluation_config, cli)},
	{.opts = NULL},
};

/* What the options say, before anything is asked of anyone. */
static int prepare(struct evaluation *e, struct ratls_error *err)
{
	const struct appraisal_options *o = &e->config->appraisal;
	int rc = RATLS_OK;

	if (e->config->at != NULL)
		rc = instant_parse(e->config->at, &e->at, err);
	if (rc == RATLS_OK)
		rc = appraisal_policy(o, &e->policy, err);
	if (rc == RATLS_OK)
		rc = appraisal_trust_root(o, &e->root, err);
	if (rc == RATLS_OK)
		rc = appraisal_source(o, ASKER_ONCE, &e->root, &e->source, err);
	return rc;
}

static int obtain_evidence(struct evaluation *e, const char *target, struct ratls_error *err)
{
	const struct evaluation_config *c = e->config;
	int rc = obtain(target, &c->obtain, &c->appraisal, &c->cli, &e->obtained, err);

	if (e->obtained.has_peer) {
		e->times.dns = e->obtained.peer.dns_ms;
		e->times.tcp = e->obtained.peer.tcp_ms;
		e->times.tls = e->obtained.peer.tls_ms;
	}
	return rc == RATLS_OK ? material_evidence(&e->obtained.material, &e->evidence, err) : rc;
}

/* The policy of a bundle counts where no option says what the policy is. */
static int adopt_policy(struct evaluation *e, const struct bundle *b, struct ratls_error *err)
{
	const struct appraisal_options *o = &e->config->appraisal;
	struct ratls_policy *policy = NULL;
	int rc;

	if (appraisal_names_policy(o))
		return RATLS_OK;
	rc = bundle_policy(b, &policy, err);
	if (rc == RATLS_OK)
		rc = appraisal_check_policy(o, "policy of the bundle", policy, err);
	if (rc == RATLS_OK && o->insecure_allow_debug)
		rc = ratls_policy_add(policy, "insecure_allow_debug", "yes", err);
	if (rc == RATLS_OK) {
		ratls_policy_free(e->policy);
		e->policy = policy;
	} else
		ratls_policy_free(policy);
	return rc;
}

/* What a bundle says besides its evidence, as far as no option says it. Its trust root it cannot say. */
static int adopt_bundle(struct evaluation *e, struct ratls_error *err)
{
	const struct bundle *b = &e->obtained.material.bundle;

	if (b->object == NULL)
		return RATLS_OK;
	if (e->config->at == NULL)
		e->at = b->at;
	return adopt_policy(e, b, err);
}

/* Without endorsements the evidence is still appraised: what is forged is found, what is left open is said.
 */
static void obtain_endorsements(struct evaluation *e)
{
	const struct bundle *b = &e->obtained.material.bundle;
	int64_t start = clock_monotonic_ms();

	if (b->object != NULL && e->config->appraisal.collateral == NULL)
		(void)bundle_endorsements(b, &e->root, &e->endorsements, &e->no_endorsements);
	else
		(void)ratls_source_endorse(
			e->source, e->evidence, e->at, &e->endorsements, &e->no_endorsements);
	e->times.collateral = clock_monotonic_ms() - start;
}

static int appraise(struct evaluation *e, struct ratls_error *err)
{
	struct ratls_binding binding = {.kind = RATLS_BINDING_NONE};
	int64_t start = clock_monotonic_ms();
	int rc;

	if (e->obtained.material.kind == MATERIAL_CERTIFICATE)
		binding.kind = RATLS_BINDING_CERTIFICATE;
	rc = ratls_appraise(e->evidence, e->endorsements, e->policy, &binding, e->at, &e->report, err);
	e->times.verify = clock_monotonic_ms() - start;
	return rc;
}

static int verify(struct evaluation *e, const char *target, struct ratls_error *err)
{
	int rc = prepare(e, err);

	if (rc == RATLS_OK)
		rc = obtain_evidence(e, target, err);
	if (rc == RATLS_OK)
		rc = adopt_bundle(e, err);
	if (rc != RATLS_OK)
		return rc;
	obtain_endorsements(e);
	return appraise(e, err);
}

static struct conclusion conclusion_of_report(const struct evaluation *e)
{
	struct conclusion o = {.class = (enum reason_class)ratls_report_class(e->report), .verifiers = APPRAISED_DCAP};
	const char *message = ratls_report_message(e->report);

	/* Two witnesses for the one answer that opens doors. */
	if (o.class == CLASS_ACCEPTED && !ratls_report_accepted(e->report))
		o.class = CLASS_UNDETERMINED;
	o.reason = report_reason(e->report);
	if (o.class == CLASS_UNDETERMINED && e->no_endorsements.code != RATLS_OK) {
		message = e->no_endorsements.message;
		o.reason = e->no_endorsements.reason != 0 ? e->no_endorsements.reason : o.reason;
	}
	snprintf(o.message, sizeof(o.message), "%s", message);
	return o;
}

static struct conclusion conclusion_of_error(const struct evaluation *e)
{
	struct conclusion o = {.class = cli_class(&e->err), .reason = e->err.reason, .verifiers = APPRAISED_DCAP};

	snprintf(o.message, sizeof(o.message), "%s", e->err.message);
	if (e->err.code == RATLS_E_NO_EVIDENCE && e->config->appraisal.insecure_allow_simulator) {
		o = (struct conclusion){.class = CLASS_ACCEPTED, .verifiers = o.verifiers};
		snprintf(o.message, sizeof(o.message),
			"no evidence was presented, which --insecure-allow-simulator lets pass");
	}
	return o;
}

void evaluation_run(struct evaluation *ret, const struct evaluation_config *config, const char *target)
{
	*ret = (struct evaluation){.config = config, .at = clock_now(), .times = {-1, -1, -1, -1, -1}};
	if (verify(ret, target, &ret->err) == RATLS_OK)
		ret->conclusion = conclusion_of_report(ret);
	else
		ret->conclusion = conclusion_of_error(ret);
}

void evaluation_done(struct evaluation *e)
{
	ratls_report_free(e->report);
	ratls_endorsements_free(e->endorsements);
	ratls_evidence_free(e->evidence);
	obtained_done(&e->obtained);
	ratls_source_free(e->source);
	ratls_policy_free(e->policy);
	buf_done(&e->root);
}

int evaluation_bundle(const struct evaluation *e, json_t *report, struct buf *ret, struct ratls_error *err)
{
	static const enum bundle_kind kinds[] = {
		[MATERIAL_CERTIFICATE] = BUNDLE_CERTIFICATE,
		[MATERIAL_QUOTE] = BUNDLE_QUOTE,
		[MATERIAL_ENVELOPE] = BUNDLE_ATTESTATION,
	};
	const struct material *m = &e->obtained.material;
	const struct bundle_content content = {
		.at = e->at,
		.kind = kinds[m->kind],
		.evidence = cur_of(m->bytes.p, m->bytes.len),
		.endorsements = e->endorsements,
		.policy = e->policy,
		.report = report,
	};

	return bundle_write(&content, ret, err);
}

json_t *evaluation_json(const struct evaluation *e)
{
	return verify_json(
		e->report, &e->conclusion, e->at, obtained_endpoint(&e->obtained, e->evidence), &e->times);
}
