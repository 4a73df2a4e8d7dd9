/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "appraisal/endorsements.h"
#include "appraisal/json_bytes.h"
#include "appraisal/policy.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/reason.h"

#define SCHEMA_STEM "teesql.bundle/"
#define SCHEMA      SCHEMA_STEM "1"

static const char *const kinds[] = {
	[BUNDLE_CERTIFICATE] = "certificate", [BUNDLE_QUOTE] = "quote", [BUNDLE_ATTESTATION] = "attestation"};

static int malformed(struct ratls_error *err, const char *member, const char *what)
{
	return err_reason(
		err, RATLS_E_FORMAT, REASON_BUNDLE_FORMAT, "bundle's member \"%.60s\" %s", member, what);
}

static int no_memory(struct ratls_error *err)
{
	return err_set(err, RATLS_E_NOMEM, "out of memory");
}

/* The digest over everything but itself, as hex. */
static int digest(const json_t *object, char ret[static 2 * HASH_SHA256_SIZE + 1], struct ratls_error *err)
{
	json_t *rest = json_copy((json_t *)object); /* shallow, and reads only */
	uint8_t bytes[HASH_SHA256_SIZE];
	struct buf text = {0};
	int rc = RATLS_OK;

	json_object_del(rest, "sha256");
	json_append(rest, JSON_COMPACT | JSON_SORT_KEYS, &text);
	if (text.bad)
		rc = no_memory(err);
	else if (!hash_bytes(HASH_SHA256, text.p, text.len, bytes))
		rc = err_set(err, RATLS_E_CRYPTO, "could not hash the bundle");
	else
		hex_encode(bytes, sizeof(bytes), ret);
	buf_done(&text);
	json_decref(rest);
	return rc;
}

/* ---- reading ----------------------------------------------------------------------------------------- */

/* Exactly these members, no more and no less. */
static int check_members(const json_t *object, const char *const *names, struct ratls_error *err)
{
	const char *name;
	json_t *value;

	for (size_t i = 0; names[i] != NULL; i++)
		if (json_object_get(object, names[i]) == NULL)
			return malformed(err, names[i], "is missing");
	json_object_foreach((json_t *)object, name, value)
	{
		size_t i = 0;

		while (names[i] != NULL && strcmp(names[i], name) != 0)
			i++;
		if (names[i] == NULL)
			return malformed(err, name, "is unknown");
	}
	return RATLS_OK;
}

static bool read_kind(const json_t *kind, enum bundle_kind *ret)
{
	for (size_t i = 0; json_is_string(kind) && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(json_string_value(kind), kinds[i]) == 0) {
			*ret = (enum bundle_kind)i;
			return true;
		}
	return false;
}

static int read_evidence(const json_t *evidence, struct bundle *b, struct ratls_error *err)
{
	static const char *const members[] = {"kind", "bytes", NULL};
	const json_t *kind = json_object_get(evidence, "kind"), *bytes = json_object_get(evidence, "bytes");
	int rc;

	if (!json_is_object(evidence))
		return malformed(err, "evidence", "is not an object");
	rc = check_members(evidence, members, err);
	if (rc != RATLS_OK)
		return rc;
	if (!read_kind(kind, &b->kind))
		return malformed(err, "kind", "is none that is known");
	if (!json_is_string(bytes) ||
		!base64_decode(json_string_value(bytes), json_string_length(bytes), &b->evidence))
		return malformed(err, "bytes", "is not base64");
	return b->evidence.bad ? no_memory(err) : RATLS_OK;
}

static int check_digest(const json_t *object, struct ratls_error *err)
{
	const char *said = json_string_value(json_object_get(object, "sha256"));
	char is[2 * HASH_SHA256_SIZE + 1];
	int rc = digest(object, is, err);

	if (rc == RATLS_OK && (said == NULL || strcmp(said, is) != 0))
		rc = err_reason(err, RATLS_E_FORMAT, REASON_BUNDLE_DIGEST,
			"bundle is not as it was saved: its digest is %.16s..., not %.16s...", is,
			said != NULL ? said : "");
	return rc;
}

static int check_schema(const json_t *object, struct ratls_error *err)
{
	const char *schema = json_string_value(json_object_get(object, "schema"));

	if (schema != NULL && strcmp(schema, SCHEMA) == 0)
		return RATLS_OK;
	return err_reason(err, RATLS_E_UNSUPPORTED, REASON_BUNDLE_FORMAT,
		"bundle is of schema \"%.40s\", and \"" SCHEMA "\" is the one that is known",
		schema != NULL ? schema : "");
}

static int read_members(struct bundle *b, struct ratls_error *err)
{
	static const char *const members[] = {
		"schema", "time", "evidence", "collateral", "policy", "report", "sha256", NULL};
	const json_t *time = json_object_get(b->object, "time");
	const json_t *collateral = json_object_get(b->object, "collateral");
	int rc = check_schema(b->object, err);

	if (rc == RATLS_OK)
		rc = check_members(b->object, members, err);
	if (rc == RATLS_OK)
		rc = check_digest(b->object, err);
	if (rc != RATLS_OK)
		return rc;
	b->policy = json_object_get(b->object, "policy");
	b->collateral = json_is_null(collateral) ? NULL : collateral;
	if (!json_is_string(time) ||
		!clock_parse_utc(json_string_value(time), json_string_length(time), &b->at))
		return malformed(err, "time", "is not a time such as 2026-11-22T18:23:04Z");
	if (b->collateral != NULL && !json_is_object(b->collateral))
		return malformed(err, "collateral", "is neither an object nor null");
	if (!json_is_object(b->policy))
		return malformed(err, "policy", "is not an object");
	if (!json_is_object(json_object_get(b->object, "report")))
		return malformed(err, "report", "is not an object");
	return read_evidence(json_object_get(b->object, "evidence"), b, err);
}

bool bundle_is(const json_t *object)
{
	const char *schema = json_string_value(json_object_get(object, "schema"));

	return schema != NULL && strncmp(schema, SCHEMA_STEM, strlen(SCHEMA_STEM)) == 0;
}

int bundle_read(json_t *object, struct bundle *ret, struct ratls_error *err)
{
	struct bundle b = {.object = json_incref(object)};
	int rc = read_members(&b, err);

	if (rc == RATLS_OK)
		*ret = b;
	else
		bundle_done(&b);
	return rc;
}

void bundle_done(struct bundle *b)
{
	buf_done(&b->evidence);
	json_decref(b->object);
	*b = (struct bundle){0};
}

int bundle_policy(const struct bundle *b, struct ratls_policy **ret, struct ratls_error *err)
{
	struct ratls_error why = {0};
	struct buf text = {0};
	int rc;

	json_append(b->policy, JSON_COMPACT, &text);
	rc = text.bad ? no_memory(&why) : ratls_policy_from_json((const char *)text.p, text.len, ret, &why);
	buf_done(&text);
	if (rc != RATLS_OK)
		return err_reason(err, rc == RATLS_E_NOMEM ? rc : RATLS_E_FORMAT, REASON_BUNDLE_FORMAT,
			"bundle's member \"policy\": %s", why.message);
	return RATLS_OK;
}

int bundle_endorsements(const struct bundle *b, const struct buf *root, struct ratls_endorsements **ret,
	struct ratls_error *err)
{
	const struct ratls_endorsements_options options = {.size = sizeof(options),
		.insecure_trust_root = root->p,
		.insecure_trust_root_len = root->len};
	struct ratls_error why = {0};
	int rc;

	if (b->collateral == NULL)
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"the bundle holds no collateral");
	rc = endorsements_from_object(b->collateral, "bundle", &options, ret, &why);
	if (rc == RATLS_E_FORMAT)
		return err_reason(
			err, rc, REASON_BUNDLE_FORMAT, "bundle's member \"collateral\": %s", why.message);
	return rc == RATLS_OK ? rc : err_set(err, rc, "%s", why.message);
}

/* ---- writing ----------------------------------------------------------------------------------------- */

/* All but the digest. */
static int make_object(const struct bundle_content *c, json_t **ret, struct ratls_error *err)
{
	json_t *collateral = NULL;
	char time[CLOCK_TEXT_SIZE];
	int rc = RATLS_OK;

	if (c->endorsements != NULL)
		rc = endorsements_object(c->endorsements, &collateral, err);
	if (rc != RATLS_OK)
		return rc;
	clock_format(c->at, time);
	*ret = json_pack("{s:s, s:s, s:{s:s, s:o}, s:o?, s:o, s:O}", "schema", SCHEMA, "time", time,
		"evidence", "kind", kinds[c->kind], "bytes", json_of_base64(c->evidence), "collateral",
		collateral, "policy", policy_json(c->policy), "report", c->report);
	return *ret != NULL ? rc : no_memory(err);
}

int bundle_write(const struct bundle_content *content, struct buf *ret, struct ratls_error *err)
{
	char sha256[2 * HASH_SHA256_SIZE + 1];
	json_t *object = NULL;
	int rc = make_object(content, &object, err);

	if (rc == RATLS_OK)
		rc = digest(object, sha256, err);
	if (rc == RATLS_OK && json_object_set_new(object, "sha256", json_string(sha256)) != 0)
		rc = no_memory(err);
	if (rc == RATLS_OK) {
		json_append(object, JSON_INDENT(2), ret);
		buf_u8(ret, '\n');
		if (ret->bad)
			rc = no_memory(err);
		else if (ret->len > BUNDLE_MAX)
			rc = err_set(err, RATLS_E_FORMAT, "bundle of %zu bytes is larger than any", ret->len);
	}
	json_decref(object);
	return rc;
}
