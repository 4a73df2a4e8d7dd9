/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evaluation.h"

#include <stdio.h>

#include "appraisal/report.h"
#include "appraisal/root.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/utf8.h"
#include "cli/instant.h"
#include "source/verify.h"

static const struct opt own_opts[] = {
	{"at", OPT_STR, offsetof(struct evaluation_config, at), NULL, "TIME",
		"appraise as of this moment, Unix seconds or RFC 3339; else now"},
	{.name = NULL},
};

const struct opt_table evaluation_tables[] = {
	{appraisal_rows, offsetof(struct evaluation_config, appraisal)},
	{appraisal_means_rows, offsetof(struct evaluation_config, appraisal)},
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

	if (e->config->at != NULL && (rc = instant_parse(e->config->at, &e->at, err)) != RATLS_OK)
		return err_prefix(err, rc, "--at");
	if (rc == RATLS_OK)
		rc = appraisal_policy(o, &e->policy, err);
	if (rc == RATLS_OK)
		rc = appraisal_means_make(o, ASKER_ONCE, &e->means, err);
	if (rc == RATLS_OK && e->config->at != NULL && e->means.ita != NULL)
		rc = err_reason(err, RATLS_E_ARG, REASON_OPTION,
			"--at: Intel Trust Authority can only be asked about this moment");
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
		e->own_policy = true;
	} else
		ratls_policy_free(policy);
	return rc;
}

/* What a bundle says besides its evidence, as far as no option says it. Its trust root it cannot say, nor when it is
 * judged: who may choose the moment may choose one before a revocation. */
static int adopt_bundle(struct evaluation *e, struct ratls_error *err)
{
	const struct bundle *b = &e->obtained.material.bundle;

	return b->object != NULL ? adopt_policy(e, b, err) : RATLS_OK;
}

/* Without endorsements the evidence is still appraised: what is forged is found, what is left open is said.
 */
static void obtain_endorsements(struct evaluation *e)
{
	const struct bundle *b = &e->obtained.material.bundle;
	int64_t start = clock_monotonic_ms();

	if ((e->means.verifiers & APPRAISED_DCAP) == 0)
		return;
	if (b->object != NULL && e->config->appraisal.collateral == NULL)
		(void)bundle_endorsements(b, &e->means.root, &e->endorsements, &e->no_endorsements);
	else
		(void)ratls_source_endorse(
			e->means.source, e->evidence, e->at, &e->endorsements, &e->no_endorsements);
	e->times.collateral = clock_monotonic_ms() - start;
}

static int appraise(const struct evaluation *e, int64_t at, struct ratls_report **ret, struct ratls_error *err)
{
	struct ratls_binding binding = {.kind = RATLS_BINDING_NONE};
	const struct appraisal_inputs in = {
		.verifiers = e->means.verifiers,
		.evidence = e->evidence,
		.endorsements = e->endorsements,
		.policy = e->policy,
		.binding = &binding,
		.at = at,
		.no_endorsements = &e->no_endorsements,
	};

	if (e->obtained.material.kind == MATERIAL_CERTIFICATE)
		binding.kind = RATLS_BINDING_CERTIFICATE;
	return verify_inputs(e->means.ita, &in, INT64_MAX, ret, err);
}

static int verify(struct evaluation *e, const char *target, struct ratls_error *err)
{
	int64_t start;
	int rc = prepare(e, err);

	if (rc == RATLS_OK)
		rc = obtain_evidence(e, target, err);
	if (rc == RATLS_OK)
		rc = adopt_bundle(e, err);
	if (rc != RATLS_OK)
		return rc;
	obtain_endorsements(e);
	start = clock_monotonic_ms();
	rc = appraise(e, e->at, &e->report, err);
	e->times.verify = clock_monotonic_ms() - start;
	return rc;
}

/* Where nothing but time stands against a bundle, who meant its own time hears how to say so. */
static void hint_at_saved(struct evaluation *e)
{
	const struct bundle *b = &e->obtained.material.bundle;
	struct ratls_report *then = NULL;
	char time[CLOCK_TEXT_SIZE];

	if (b->object == NULL || e->config->at != NULL || e->means.ita != NULL || ratls_report_accepted(e->report))
		return;
	clock_format(b->at, time);
	if (appraise(e, b->at, &then, NULL) == RATLS_OK && ratls_report_accepted(then))
		snprintf(e->conclusion.hint, sizeof(e->conclusion.hint),
			"The bundle was saved at %s: add --at %s to judge it as of then.", time, time);
	ratls_report_free(then);
}

static struct conclusion conclusion_of_report(const struct evaluation *e)
{
	struct conclusion o = {
		.class = (enum reason_class)ratls_report_class(e->report), .verifiers = e->means.verifiers};

	/* Two witnesses for the one answer that opens doors. */
	if (o.class == CLASS_ACCEPTED && !ratls_report_accepted(e->report))
		o.class = CLASS_UNDETERMINED;
	o.reason = report_reason(e->report);
	snprintf(o.message, sizeof(o.message), "%s", ratls_report_message(e->report));
	return o;
}

static struct conclusion conclusion_of_error(const struct evaluation *e)
{
	struct conclusion o = {.class = cli_class(&e->err), .reason = e->err.reason, .verifiers = e->means.verifiers};

	snprintf(o.message, sizeof(o.message), "%s", e->err.message);
	utf8_clean(o.message); /* a file name may be anything */
	if (e->err.code == RATLS_E_NO_EVIDENCE && e->config->appraisal.insecure_allow_simulator) {
		o = (struct conclusion){.class = CLASS_ACCEPTED, .verifiers = o.verifiers};
		snprintf(o.message, sizeof(o.message),
			"no evidence was presented, which --insecure-allow-simulator lets pass");
	}
	return o;
}

static void evaluation_done(struct evaluation *e)
{
	ratls_report_free(e->report);
	ratls_endorsements_free(e->endorsements);
	ratls_evidence_free(e->evidence);
	obtained_done(&e->obtained);
	ratls_policy_free(e->policy);
	appraisal_means_done(&e->means);
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

static json_t *bundle_facts(const struct evaluation *e)
{
	const struct bundle *b = &e->obtained.material.bundle;
	char time[CLOCK_TEXT_SIZE];

	if (b->object == NULL)
		return json_null();
	clock_format(b->at, time);
	return json_pack("{s:s, s:b}", "time", time, "own_policy", (int)e->own_policy);
}

/* Of reports without endorsements the options alone say it, if they could be read. */
static int add_trust_root(const struct evaluation *e, json_t *object)
{
	const struct buf *root = &e->means.root;
	bool intel = root->len == 0 || root_is_intel(cur_of(root->p, root->len));

	if ((e->means.verifiers & APPRAISED_DCAP) == 0 || !json_is_null(json_object_get(object, "trust_root")))
		return 0;
	return json_object_set_new(object, "trust_root", json_string(intel ? "intel" : "development"));
}

json_t *evaluation_json(const struct evaluation *e)
{
	json_t *object = verify_json(
		e->report, &e->conclusion, e->at, obtained_endpoint(&e->obtained, e->evidence), &e->times);

	if (object != NULL && (json_object_set_new(object, "bundle", bundle_facts(e)) != 0 ||
		add_trust_root(e, object) != 0)) {
		json_decref(object);
		object = NULL;
	}
	return object;
}

int evaluation_run(const struct evaluation_config *config, const char *target,
	int (*conclude)(const struct evaluation *e))
{
	struct evaluation e = {.config = config, .at = clock_now(), .times = {-1, -1, -1, -1, -1}};
	int result;

	if (verify(&e, target, &e.err) == RATLS_OK) {
		e.conclusion = conclusion_of_report(&e);
		hint_at_saved(&e);
	} else
		e.conclusion = conclusion_of_error(&e);
	result = conclude(&e);
	evaluation_done(&e);
	return result;
}
