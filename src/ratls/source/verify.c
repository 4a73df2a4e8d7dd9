/* SPDX-License-Identifier: Apache-2.0 */
#include "source/verify.h"

#include <stdlib.h>

#include "appraisal/report.h"
#include "base/clock.h"
#include "base/err.h"
#include "source/ita.h"
#include "source/source.h"

struct ratls_verifier {
	struct ratls_verifier_ops ops;
	void *self;
	struct ratls_source *source; /* of our own: NULL or borrowed */
	struct ratls_ita *ita;
};

static int appraise_with_token(struct ratls_ita *ita, const struct appraisal_inputs *in, int64_t deadline_ms,
	struct ratls_report **ret, struct ratls_error *err)
{
	struct ratls_error no_token = {0};
	struct appraisal_inputs with = *in;
	int64_t start_ms = clock_monotonic_ms();
	int rc;

	if (ita_ask(ita, in->evidence, in->at, deadline_ms, &with.token, &no_token) != RATLS_OK)
		with.token = NULL;
	with.at += (clock_monotonic_ms() - start_ms) /
		   1000; /* the token is as old as the answer, not as the question */
	with.no_token = &no_token;
	rc = appraise_inputs(&with, ret, err);
	ita_token_free(with.token);
	return rc;
}

/* Strangers must not make us ask others about what they make up, nor machines that the policy does not want: the
 * service counts our questions. So what is refused whatever a token may say is refused without one; else *ret_asks is
 * set and *ret untouched. */
static int appraise_unasked(struct ratls_ita *ita, const struct appraisal_inputs *in, bool *ret_asks,
	struct ratls_report **ret, struct ratls_error *err)
{
	struct ratls_report *report = NULL;
	struct appraisal_inputs unasked = *in;
	int rc;

	unasked.unasked = ita != NULL;
	rc = appraise_inputs(&unasked, &report, err);
	if (rc != RATLS_OK)
		return rc;
	*ret_asks = report_awaits_token(report);
	if (*ret_asks)
		ratls_report_free(report);
	else
		*ret = report;
	return RATLS_OK;
}

/* waits NULL: what has to be asked for is waited for; else it may say that it would be, and *ret is untouched. */
static int verify_with(struct ratls_ita *ita, const struct appraisal_inputs *given, int64_t deadline_ms, bool *waits,
	struct ratls_report **ret, struct ratls_error *err)
{
	struct appraisal_inputs in = *given;
	bool asks = false;
	int rc;

	if (ita != NULL && in.verifiers == APPRAISED_ITA)
		in.endorsements = ita_root(ita);
	rc = appraise_unasked(ita, &in, &asks, ret, err);
	if (rc != RATLS_OK || !asks)
		return rc;
	if (waits == NULL)
		return appraise_with_token(ita, &in, deadline_ms, ret, err);
	*waits = true;
	return RATLS_OK;
}

int verify_inputs(struct ratls_ita *ita, const struct appraisal_inputs *in, int64_t deadline_ms,
	struct ratls_report **ret, struct ratls_error *err)
{
	return verify_with(ita, in, deadline_ms, NULL, ret, err);
}

/* ---- the public verifier ------------------------------------------------------------------------------- */

/* waits NULL: what has to be asked for is waited for. */
static int endorse(struct ratls_verifier *v, const struct ratls_evidence *evidence, int64_t at, bool *waits,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	return waits != NULL ? source_endorse_now(v->source, evidence, at, waits, ret, err)
			     : ratls_source_endorse(v->source, evidence, at, ret, err);
}

static int verify_own(struct ratls_verifier *v, const struct appraisal_inputs *given, bool *waits,
	struct ratls_report **ret, struct ratls_error *err)
{
	struct ratls_endorsements *endorsements = NULL;
	struct ratls_error no_endorsements = {0};
	struct appraisal_inputs in = *given;
	int64_t deadline_ms = clock_monotonic_ms() + VERIFY_DEADLINE_MS;
	int rc = RATLS_OK;

	in.verifiers = (v->source != NULL ? APPRAISED_DCAP : 0) | (v->ita != NULL ? APPRAISED_ITA : 0);
	in.no_endorsements = &no_endorsements;
	if (v->source != NULL &&
		endorse(v, in.evidence, in.at, waits, &endorsements, &no_endorsements) == RATLS_OK)
		in.endorsements = endorsements;
	if (waits == NULL || !*waits)
		rc = verify_with(v->ita, &in, deadline_ms, waits, ret, err);
	ratls_endorsements_free(endorsements);
	return rc;
}

static int verify(void *self, const struct ratls_evidence *evidence, const struct ratls_policy *policy,
	const struct ratls_binding *binding, int64_t at, struct ratls_report **ret, struct ratls_error *err)
{
	const struct appraisal_inputs in = {
		.evidence = evidence, .policy = policy, .binding = binding, .at = at};

	return verify_own(self, &in, NULL, ret, err);
}

int verify_now(struct ratls_verifier *v, const struct ratls_evidence *evidence,
	const struct ratls_policy *policy, const struct ratls_binding *binding, int64_t at, bool *ret_waits,
	struct ratls_report **ret, struct ratls_error *err)
{
	const struct appraisal_inputs in = {
		.evidence = evidence, .policy = policy, .binding = binding, .at = at};

	*ret_waits = false;
	if (v->ops.verify != verify)
		return ratls_verifier_verify(v, evidence, policy, binding, at, ret, err);
	return verify_own(v, &in, ret_waits, ret, err);
}

static int make(const struct ratls_verifier *like, struct ratls_verifier **ret, struct ratls_error *err)
{
	struct ratls_verifier *v = malloc(sizeof(*v));

	if (v == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	*v = *like;
	*ret = v;
	return RATLS_OK;
}

int ratls_verifier_new(struct ratls_source *source, struct ratls_ita *ita, struct ratls_verifier **ret,
	struct ratls_error *err)
{
	const struct ratls_verifier v = {.ops = {.verify = verify}, .source = source, .ita = ita};
	int rc;

	if (source == NULL && ita == NULL)
		return err_set(err, RATLS_E_ARG,
			"a verifier needs a source of endorsements or Intel Trust Authority");
	rc = make(&v, ret, err);
	if (rc == RATLS_OK)
		(*ret)->self = *ret;
	return rc;
}

int ratls_verifier_custom(const struct ratls_verifier_ops *ops, void *self, struct ratls_verifier **ret,
	struct ratls_error *err)
{
	const struct ratls_verifier v = {.ops = *ops, .self = self};

	if (ops->verify == NULL)
		return err_set(err, RATLS_E_ARG, "a verifier without a function verifies nothing");
	return make(&v, ret, err);
}

int ratls_verifier_verify(struct ratls_verifier *v, const struct ratls_evidence *evidence,
	const struct ratls_policy *policy, const struct ratls_binding *binding, int64_t at,
	struct ratls_report **ret, struct ratls_error *err)
{
	struct ratls_report *report = NULL;
	int rc = v->ops.verify(v->self, evidence, policy, binding, at, &report, err);

	if (rc == RATLS_OK && report == NULL)
		return err_set(err, RATLS_E_ARG, "the verifier made no report");
	if (rc == RATLS_OK)
		*ret = report;
	return rc;
}

void ratls_verifier_free(struct ratls_verifier *v)
{
	if (v == NULL)
		return;
	if (v->ops.free != NULL)
		v->ops.free(v->self);
	free(v);
}
