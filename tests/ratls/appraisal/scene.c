/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"
#include "scene.h"

const uint8_t scene_seed[FORGE_SEED_SIZE] = "appraise";

void scene_init(struct scene *s)
{
	*s = (struct scene){.leaf = {.key = forge_key(scene_seed, "own key"), .now = SCENE_NOW, .server_auth = true}};
	assert_non_null(s->leaf.key);
	forge_defaults(&s->options, scene_seed, SCENE_NOW);
}

void scene_make(struct scene *s)
{
	struct ratls_endorsements_options options = {.size = sizeof(options)};
	struct ratls_error err = {0};
	struct buf json = {0};

	if (forge_machine_make(&s->options, &s->machine, &err) != RATLS_OK ||
		forge_machine_certificate(&s->machine, &s->leaf, &s->chain, &err) != RATLS_OK ||
		forge_machine_collateral(&s->machine, &json, &err) != RATLS_OK)
		fail_msg("%s", err.message);
	if (ratls_evidence_from_certificate(s->chain.cert[0].p, s->chain.cert[0].len, &s->evidence, &err) !=
		RATLS_OK)
		fail_msg("%s", err.message);
	options.insecure_trust_root = s->machine.pki.cert[FORGE_ROOT].p;
	options.insecure_trust_root_len = s->machine.pki.cert[FORGE_ROOT].len;
	if (ratls_endorsements_from_json((const char *)json.p, json.len, &options, &s->endorsements, &err) !=
		RATLS_OK)
		fail_msg("%s", err.message);
	buf_done(&json);
}

void scene_done(struct scene *s)
{
	EVP_PKEY_free(s->leaf.key);
	EVP_PKEY_free(s->leaf.quoted_key);
	ratls_policy_free(s->policy);
	ratls_endorsements_free(s->endorsements);
	ratls_evidence_free(s->evidence);
	forge_chain_done(&s->chain);
	forge_machine_done(&s->machine);
}

void scene_want(struct scene *s, const char *name, const uint8_t *value, size_t len)
{
	char text[129];
	struct ratls_error err;

	hex_encode(value, len, text);
	if (s->policy == NULL)
		assert_int_equal(ratls_policy_new(&s->policy, NULL), RATLS_OK);
	if (ratls_policy_add(s->policy, name, text, &err) != RATLS_OK)
		fail_msg("%s", err.message);
}

struct ratls_report *scene_appraise_at(const struct scene *s, int64_t at)
{
	const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_report *report = NULL;

	assert_int_equal(ratls_appraise(s->evidence, s->endorsements, s->policy, &binding, at, &report, NULL),
		RATLS_OK);
	return report;
}

int scene_reason(const struct scene *s)
{
	struct ratls_report *report = scene_appraise_at(s, SCENE_NOW);
	int reason = report_reason(report);

	assert_int_equal(ratls_report_accepted(report), reason == 0);
	ratls_report_free(report);
	return reason;
}

enum check_status scene_status(const struct scene *s, enum rule rule)
{
	struct ratls_report *report = scene_appraise_at(s, SCENE_NOW);
	enum check_status status = report->checks[rule].status;

	ratls_report_free(report);
	return status;
}
