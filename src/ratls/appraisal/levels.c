/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/levels.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
	[TCB_UP_TO_DATE] = "UpToDate",
	[TCB_SW_HARDENING_NEEDED] = "SWHardeningNeeded",
	[TCB_CONFIGURATION_NEEDED] = "ConfigurationNeeded",
	[TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED] = "ConfigurationAndSWHardeningNeeded",
	[TCB_OUT_OF_DATE] = "OutOfDate",
	[TCB_OUT_OF_DATE_CONFIGURATION_NEEDED] = "OutOfDateConfigurationNeeded",
	[TCB_REVOKED] = "Revoked",
	[TCB_NOT_SUPPORTED] = "NotSupported",
};

const char *tcb_status_name(enum tcb_status status)
{
	return (size_t)status < sizeof(names) / sizeof(names[0]) ? names[status] : NULL;
}

enum tcb_status tcb_status_parse(const char *word)
{
	for (int s = TCB_UP_TO_DATE; s <= TCB_REVOKED; s++)
		if (strcmp(word, names[s]) == 0)
			return (enum tcb_status)s;
	return TCB_UNKNOWN;
}

void level_facts_read(struct fields *f, struct level_facts *ret)
{
	ret->status = tcb_status_parse(fields_text(f, "tcbStatus", 64));
	if (ret->status == TCB_UNKNOWN)
		fields_fail(f, "tcbStatus", "is not a status that is defined");
	ret->date = fields_time(f, "tcbDate");
	ret->advisories = fields_texts(f, "advisoryIDs", ADVISORIES_MAX, ADVISORY_TEXT_MAX);
}

static void read_one(struct fields *list, const json_t *v, struct svn_level *ret)
{
	struct fields level, tcb;

	level = fields_of(v, "a TCB level", list->o);
	tcb = fields_of(fields_object(&level, "tcb"), "tcb", list->o);
	level_facts_read(&level, &ret->facts);
	ret->svn = (uint16_t)fields_uint(&tcb, "isvsvn", UINT16_MAX);
	if (ret->facts.status != TCB_UP_TO_DATE && ret->facts.status != TCB_OUT_OF_DATE &&
		ret->facts.status != TCB_REVOKED)
		fields_fail(&level, "tcbStatus", "is not defined for what has one version number");
	list->bad = level.bad || tcb.bad;
}

static int highest_first(const void *a, const void *b)
{
	const struct svn_level *x = a, *y = b;

	return (y->svn > x->svn) - (y->svn < x->svn);
}

void svn_levels_read(struct fields *f, struct svn_levels *ret)
{
	const json_t *list = fields_array(f, "tcbLevels", 1, LEVELS_MAX);
	size_t n = list != NULL ? json_array_size(list) : 0;

	if (n == 0)
		return;
	ret->at = fields_room(f, n, sizeof(*ret->at));
	if (ret->at == NULL)
		return;
	for (ret->n = 0; ret->n < n && !f->bad; ret->n++)
		read_one(f, json_array_get(list, ret->n), &ret->at[ret->n]);
	qsort(ret->at, ret->n, sizeof(*ret->at), highest_first);
	for (size_t i = 1; i < ret->n; i++)
		if (ret->at[i].svn == ret->at[i - 1].svn)
			fields_fail(f, "tcbLevels", "holds the same version number twice");
}

void svn_levels_done(struct svn_levels *l)
{
	free(l->at);
	*l = (struct svn_levels){0};
}

const struct svn_level *svn_levels_find(const struct svn_levels *l, uint16_t svn)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].svn <= svn)
			return &l->at[i];
	return NULL;
}
