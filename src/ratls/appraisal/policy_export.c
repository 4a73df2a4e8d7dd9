/* SPDX-License-Identifier: Apache-2.0
 *
 * A policy as the JSON that it can be read from: what was in effect, to be kept with a verdict.
 */
#include "appraisal/policy_members.h"

#include <jansson.h>

#include "appraisal/json_bytes.h"

static json_t *value_json(const struct policy_member *m, const struct policy_entry *e)
{
	switch (m->kind) {
	case POLICY_HEX:
		return json_of_hex(cur_of(e->value, e->len));
	case POLICY_STATUS:
		return json_string(tcb_status_name((enum tcb_status)e->value[0]));
	case POLICY_TEXT:
		return json_stringn((const char *)e->value, e->len);
	}
	return NULL;
}

static json_t *entry_json(const struct policy_member *m, const struct policy_entry *e)
{
	json_t *value = value_json(m, e), *window;

	if (e->from == INT64_MIN && e->until == INT64_MAX)
		return value;
	window = json_pack("{s:o}", "value", value);
	if (window != NULL && e->from != INT64_MIN)
		json_object_set_new(window, "from", json_integer(e->from));
	if (window != NULL && e->until != INT64_MAX)
		json_object_set_new(window, "until", json_integer(e->until));
	return window;
}

static json_t *list_json(const struct policy_member *m, const struct policy_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->n; i++)
		if (json_array_append_new(array, entry_json(m, &list->at[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

/* An empty list of advisories allows none; any other that is empty was left out. */
static bool has_list(
	const struct ratls_policy *p, const struct policy_member *m, const struct policy_list *list)
{
	return list->n > 0 || (m->kind == POLICY_TEXT && p->advisories_limited);
}

static int put_lists(const struct ratls_policy *p, json_t *object)
{
	int rc = 0;

	for (const struct policy_member *m = policy_members; m->name != NULL; m++) {
		const struct policy_list *list = (const struct policy_list *)((const char *)p + m->offset);

		if (has_list(p, m, list))
			rc |= json_object_set_new(object, m->name, list_json(m, list));
	}
	return rc;
}

static int put_limits(const struct ratls_policy *p, json_t *object)
{
	int rc = 0;

	if (p->min_evaluation_data_number > 0)
		rc |= json_object_set_new(
			object, "min_evaluation_data_number", json_integer(p->min_evaluation_data_number));
	if (p->max_evidence_age > 0)
		rc |= json_object_set_new(object, "max_evidence_age", json_integer(p->max_evidence_age));
	if (p->event_log.log.n > 0)
		rc |= json_object_set_new(object, "event_log", reference_log_json(&p->event_log));
	if (p->require_event_log)
		rc |= json_object_set_new(object, "require_event_log", json_true());
	if (p->insecure_allow_debug)
		rc |= json_object_set_new(object, "insecure_allow_debug", json_true());
	return rc;
}

json_t *policy_json(const struct ratls_policy *p)
{
	json_t *object = json_pack("{s:s}", "schema", POLICY_SCHEMA);
	int rc = object == NULL;

	if (p->name[0] != '\0')
		rc |= json_object_set_new(object, "name", json_string(p->name));
	rc |= put_lists(p, object);
	rc |= put_limits(p, object);
	if (rc == 0)
		return object;
	json_decref(object);
	return NULL;
}
