/* SPDX-License-Identifier: Apache-2.0
 *
 * Policies in memory: their lists, and values added one by one. policy_json.c reads them from files.
 */
#include "appraisal/policy_members.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"

/* clang-format off */
#define LIST(name, kind, size) {#name, kind, offsetof(struct ratls_policy, name), size}
/* clang-format on */

const struct policy_member policy_members[] = {
	LIST(mrtd, POLICY_HEX, 48),
	{"rtmr0", POLICY_HEX, offsetof(struct ratls_policy, rtmr[0]), 48},
	{"rtmr1", POLICY_HEX, offsetof(struct ratls_policy, rtmr[1]), 48},
	{"rtmr2", POLICY_HEX, offsetof(struct ratls_policy, rtmr[2]), 48},
	{"rtmr3", POLICY_HEX, offsetof(struct ratls_policy, rtmr[3]), 48},
	LIST(compose_hash, POLICY_HEX, 32),
	LIST(app_id, POLICY_HEX, 20),
	LIST(os_image_hash, POLICY_HEX, 32),
	LIST(key_provider, POLICY_HEX, 32),
	LIST(ppid, POLICY_HEX, 16),
	LIST(tcb_status, POLICY_STATUS, 1),
	LIST(advisories_allowed, POLICY_TEXT, ADVISORY_TEXT_MAX),
	{0},
};

const struct policy_member *policy_member_find(const char *name)
{
	for (const struct policy_member *m = policy_members; m->name != NULL; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

/* The value in its form of comparison. */
static int parse_value(
	const struct policy_member *m, const char *text, struct policy_entry *e, struct ratls_error *err)
{
	size_t len = strlen(text);
	enum tcb_status status;

	switch (m->kind) {
	case POLICY_HEX:
		e->len = m->size;
		if (!hex_decode(text, len, e->value, m->size))
			return err_set(err, RATLS_E_ARG, "%s is not %zu hex digits", m->name, 2 * m->size);
		return RATLS_OK;
	case POLICY_STATUS:
		/* Older configurations say OK for what Intel calls UpToDate. */
		status = strcmp(text, "OK") == 0 ? TCB_UP_TO_DATE : tcb_status_parse(text);
		if (status == TCB_UNKNOWN || status == TCB_REVOKED)
			return err_set(err, RATLS_E_ARG, "%s \"%.40s\" is not a status that can be accepted",
				m->name, text);
		e->len = 1;
		e->value[0] = (uint8_t)status;
		return RATLS_OK;
	case POLICY_TEXT:
		if (len == 0 || len > m->size)
			return err_set(err, RATLS_E_ARG, "%s is empty or longer than %zu characters", m->name,
				m->size);
		e->len = len;
		memcpy(e->value, text, len);
		return RATLS_OK;
	}
	return RATLS_E_ARG;
}

int policy_list_add(struct ratls_policy *p, const struct policy_member *m, const char *text, int64_t from,
	int64_t until, struct ratls_error *err)
{
	struct policy_list *list = (struct policy_list *)((char *)p + m->offset);
	struct policy_entry e = {.from = from, .until = until}, *at;
	int rc = parse_value(m, text, &e, err);

	if (rc != RATLS_OK)
		return rc;
	if (list->n == POLICY_ENTRIES_MAX)
		return err_set(err, RATLS_E_ARG, "%s has more than %d values", m->name, POLICY_ENTRIES_MAX);
	at = realloc(list->at, (list->n + 1) * sizeof(*at));
	if (at == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	at[list->n] = e;
	list->at = at;
	list->n++;
	return RATLS_OK;
}

int ratls_policy_new(struct ratls_policy **ret, struct ratls_error *err)
{
	struct ratls_policy *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	*ret = p;
	return RATLS_OK;
}

int ratls_policy_add(
	struct ratls_policy *policy, const char *name, const char *value, struct ratls_error *err)
{
	const struct policy_member *m = name != NULL ? policy_member_find(name) : NULL;

	if (policy == NULL || name == NULL || value == NULL)
		return err_set(err, RATLS_E_ARG, "could not add to policy: name or value is missing");
	if (strcmp(name, "insecure_allow_debug") == 0 && strcmp(value, "yes") == 0) {
		policy->insecure_allow_debug = true;
		return RATLS_OK;
	}
	if (m == NULL)
		return err_set(
			err, RATLS_E_ARG, "could not add to policy: \"%.60s\" takes no such value", name);
	if (m->kind == POLICY_TEXT)
		policy->advisories_limited = true;
	return policy_list_add(policy, m, value, INT64_MIN, INT64_MAX, err);
}

void ratls_policy_free(struct ratls_policy *policy)
{
	if (policy == NULL)
		return;
	for (const struct policy_member *m = policy_members; m->name != NULL; m++)
		free(((struct policy_list *)((char *)policy + m->offset))->at);
	reference_log_done(&policy->event_log);
	free(policy);
}

bool policy_list_holds(const struct policy_list *list, struct cur value, int64_t at, int64_t *ret_until)
{
	bool found = false;
	int64_t until = INT64_MIN;

	for (size_t i = 0; i < list->n; i++) {
		const struct policy_entry *e = &list->at[i];

		if (at < e->from || at > e->until || !cur_is(&value, e->value, e->len))
			continue;
		found = true;
		until = e->until > until ? e->until : until;
	}
	if (found && ret_until != NULL)
		*ret_until = until;
	return found;
}

bool policy_accepts_status(
	const struct ratls_policy *p, enum tcb_status status, int64_t at, int64_t *ret_until)
{
	uint8_t byte = (uint8_t)status;

	if (p->tcb_status.n > 0)
		return policy_list_holds(&p->tcb_status, cur_of(&byte, 1), at, ret_until);
	return status == TCB_UP_TO_DATE || status == TCB_SW_HARDENING_NEEDED;
}

bool policy_compares(const struct ratls_policy *p)
{
	return p->mrtd.n > 0 || p->rtmr[0].n > 0 || p->rtmr[1].n > 0 || p->rtmr[2].n > 0 ||
	       p->rtmr[3].n > 0 || p->compose_hash.n > 0 || p->app_id.n > 0 || p->os_image_hash.n > 0 ||
	       p->key_provider.n > 0 || p->ppid.n > 0;
}
