/* SPDX-License-Identifier: Apache-2.0
 *
 * Policy files: JSON of schema "teesql.policy/1". People write them, so every error names its line.
 */
#include "appraisal/policy_members.h"

#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "appraisal/json_bytes.h"
#include "appraisal/json_line.h"
#include "base/clock.h"
#include "base/err.h"

#define AGE_MAX      ((int64_t)100 * 365 * 86400)
#define WHOLE_MEMBER SIZE_MAX /* in place of the index of an element */

struct reader {
	struct ratls_policy *policy;
	struct cur text; /* the file, to find lines in */
	struct ratls_error *err;
};

/* Put the line of a member, or of one of its elements, in front of the sentence in err. */
static int located(const struct reader *r, int rc, const char *name, size_t element)
{
	if (rc != RATLS_OK)
		err_prefix(
			r->err, rc, "could not read policy: line %zu", json_line_of(r->text, name, element));
	return rc;
}

static int wrong(const struct reader *r, const char *name, const char *what)
{
	return located(r, err_set(r->err, RATLS_E_ARG, "%s %s", name, what), name, WHOLE_MEMBER);
}

/* Unix seconds or RFC 3339 in UTC. */
static bool read_time(const json_t *v, int64_t *ret)
{
	if (v == NULL)
		return true;
	if (json_is_integer(v)) {
		*ret = json_integer_value(v);
		return true;
	}
	return json_is_string(v) && clock_parse_utc(json_string_value(v), json_string_length(v), ret);
}

/* A value, or {"value": ..., "from": ..., "until": ...}. */
static int read_entry(const struct reader *r, const struct policy_member *m, const json_t *v)
{
	int64_t from = INT64_MIN, until = INT64_MAX;
	const json_t *value = v;
	const char *key;
	json_t *member;

	if (json_is_object(v)) {
		value = json_object_get(v, "value");
		json_object_foreach ((json_t *)v, key, member)
			if (strcmp(key, "value") != 0 && strcmp(key, "from") != 0 &&
				strcmp(key, "until") != 0)
				return err_set(r->err, RATLS_E_ARG, "%s has the unknown member \"%.40s\"",
					m->name, key);
		if (!read_time(json_object_get(v, "from"), &from) ||
			!read_time(json_object_get(v, "until"), &until) || from > until)
			return err_set(r->err, RATLS_E_ARG,
				"%s has a window that is not of times, or ends before it begins", m->name);
	}
	if (!json_is_string(value))
		return err_set(
			r->err, RATLS_E_ARG, "%s is neither a text nor an object with a value", m->name);
	return policy_list_add(r->policy, m, json_string_value(value), from, until, r->err);
}

static int read_list(const struct reader *r, const struct policy_member *m, const json_t *v)
{
	int rc = RATLS_OK;

	if (!json_is_array(v))
		return wrong(r, m->name, "is not an array");
	if (m->kind == POLICY_TEXT)
		r->policy->advisories_limited = true;
	else if (json_array_size(v) == 0)
		/* Whoever generates lists must not turn comparison off by an empty one. */
		return wrong(r, m->name, "is empty, which would compare nothing: leave it out to mean that");
	for (size_t i = 0; rc == RATLS_OK && i < json_array_size(v); i++)
		rc = located(r, read_entry(r, m, json_array_get(v, i)), m->name, i);
	return rc;
}

static int read_bool(const struct reader *r, const char *name, const json_t *v, bool *ret)
{
	if (!json_is_boolean(v))
		return wrong(r, name, "is neither true nor false");
	*ret = json_is_true(v);
	return RATLS_OK;
}

static int read_uint(const struct reader *r, const char *name, const json_t *v, int64_t max, int64_t *ret)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
		return wrong(r, name, "is not an integer in its range");
	*ret = json_integer_value(v);
	return RATLS_OK;
}

static int64_t seconds_of(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	default:
		return 0;
	}
}

/* Seconds, or a text with a unit: "90s", "15m", "12h", "7d". */
static int read_age(const struct reader *r, const char *name, const json_t *v, int64_t *ret)
{
	const char *text = json_string_value(v);
	char *end;
	long long n;
	int64_t scale;

	if (text == NULL)
		return read_uint(r, name, v, AGE_MAX, ret);
	n = strtoll(text, &end, 10); /* out of range it is LLONG_MAX, which is too long as well */
	scale = strlen(end) == 1 ? seconds_of(*end) : 0;
	if (scale == 0 || *text < '0' || *text > '9' || n > AGE_MAX / scale)
		return wrong(r, name, "is not a time such as \"12h\"");
	*ret = n * scale;
	return RATLS_OK;
}

static int read_text(const struct reader *r, const char *name, const json_t *v)
{
	struct ratls_policy *p = r->policy;

	if (!json_is_string(v) || json_string_length(v) > POLICY_NAME_MAX)
		return wrong(r, name, "is not a text, or too long");
	if (strcmp(name, "schema") != 0)
		memcpy(p->name, json_string_value(v), json_string_length(v) + 1);
	else if (strcmp(json_string_value(v), POLICY_SCHEMA) != 0)
		return wrong(r, name, "is not \"" POLICY_SCHEMA "\"");
	return RATLS_OK;
}

static int read_event_log(const struct reader *r, const char *name, const json_t *v)
{
	struct ratls_error why;
	int rc = reference_log_read(v, &r->policy->event_log, &why);

	if (rc != RATLS_OK)
		rc = located(r, err_set(r->err, rc, "%s %s", name, why.message), name, WHOLE_MEMBER);
	return rc;
}

static int read_member(const struct reader *r, const char *name, const json_t *v)
{
	const struct policy_member *m = policy_member_find(name);
	struct ratls_policy *p = r->policy;

	if (m != NULL)
		return read_list(r, m, v);
	if (strcmp(name, "schema") == 0 || strcmp(name, "name") == 0)
		return read_text(r, name, v);
	if (strcmp(name, "min_evaluation_data_number") == 0)
		return read_uint(r, name, v, INT32_MAX, &p->min_evaluation_data_number);
	if (strcmp(name, "max_evidence_age") == 0)
		return read_age(r, name, v, &p->max_evidence_age);
	if (strcmp(name, "event_log") == 0)
		return read_event_log(r, name, v);
	if (strcmp(name, "require_event_log") == 0)
		return read_bool(r, name, v, &p->require_event_log);
	if (strcmp(name, "insecure_allow_debug") == 0)
		return read_bool(r, name, v, &p->insecure_allow_debug);
	return located(r, err_set(r->err, RATLS_E_ARG, "unknown member \"%.60s\"", name), name, WHOLE_MEMBER);
}

static int read_policy(const struct reader *r, json_t *object)
{
	const char *name;
	json_t *v;
	int rc;

	json_object_foreach (object, name, v)
		if ((rc = read_member(r, name, v)) != RATLS_OK)
			return rc;
	return RATLS_OK;
}

int ratls_policy_from_json(const char *json, size_t len, struct ratls_policy **ret, struct ratls_error *err)
{
	struct reader r = {.text = cur_of(json, len), .err = err};
	struct ratls_error why;
	json_t *object;
	int rc;

	if (json == NULL || len > POLICY_JSON_MAX)
		return err_set(err, RATLS_E_ARG,
			"could not read policy: it is missing or larger than %zu bytes", POLICY_JSON_MAX);
	object = json_read(r.text, &why);
	if (object == NULL)
		return err_set(err, why.code == RATLS_E_NOMEM ? RATLS_E_NOMEM : RATLS_E_ARG,
			"could not read policy: %s", why.message);
	if (!json_is_object(object))
		rc = err_set(err, RATLS_E_ARG, "could not read policy: line 1: not an object");
	else if ((rc = ratls_policy_new(&r.policy, err)) == RATLS_OK)
		rc = read_policy(&r, object);
	json_decref(object);
	if (rc == RATLS_OK)
		*ret = r.policy;
	else
		ratls_policy_free(r.policy);
	return rc;
}
