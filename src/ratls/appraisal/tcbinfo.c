/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/tcbinfo.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"

#define VERSION        3
#define EVALUATION_MAX INT32_MAX

static void read_components(struct fields *tcb, const char *name, uint8_t *ret, const json_t **ret_list)
{
	const json_t *list = fields_array(tcb, name, TCBINFO_COMPONENTS, TCBINFO_COMPONENTS);
	struct fields f;

	*ret_list = list;
	for (size_t i = 0; list != NULL && i < TCBINFO_COMPONENTS && !tcb->bad; i++) {
		f = fields_of(json_array_get(list, i), name, tcb->o);
		ret[i] = (uint8_t)fields_uint(&f, "svn", UINT8_MAX);
		if (!f.bad && json_object_get(f.object, "category") != NULL)
			fields_text(&f, "category", 64);
		if (!f.bad && json_object_get(f.object, "type") != NULL)
			fields_text(&f, "type", 64);
		tcb->bad = f.bad;
	}
}

static void read_level(struct fields *info, const json_t *v, bool tdx, struct tcb_level *ret)
{
	struct fields level = fields_of(v, "a TCB level", info->o);
	struct fields tcb = fields_of(fields_object(&level, "tcb"), "tcb", info->o);

	level_facts_read(&level, &ret->facts);
	ret->pcesvn = (uint16_t)fields_uint(&tcb, "pcesvn", UINT16_MAX);
	read_components(&tcb, "sgxtcbcomponents", ret->sgx, &ret->sgx_components);
	if (tdx)
		read_components(&tcb, "tdxtcbcomponents", ret->tdx, &ret->tdx_components);
	info->bad = level.bad || tcb.bad;
}

/* The order in which Intel tries them: SGX components, PCE, TDX components. Documents need not be sorted. */
static int highest_first(const void *a, const void *b)
{
	const struct tcb_level *x = a, *y = b;
	int order = memcmp(y->sgx, x->sgx, sizeof(x->sgx));

	if (order == 0)
		order = (y->pcesvn > x->pcesvn) - (y->pcesvn < x->pcesvn);
	return order != 0 ? order : memcmp(y->tdx, x->tdx, sizeof(x->tdx));
}

static void read_levels(struct fields *info, struct tcbinfo *t)
{
	const json_t *list = fields_array(info, "tcbLevels", 1, TCBINFO_LEVELS_MAX);
	size_t n = list != NULL ? json_array_size(list) : 0;

	if (n == 0)
		return;
	t->levels = fields_room(info, n, sizeof(*t->levels));
	if (t->levels == NULL)
		return;
	for (t->n_levels = 0; t->n_levels < n && !info->bad; t->n_levels++)
		read_level(info, json_array_get(list, t->n_levels), t->tdx, &t->levels[t->n_levels]);
	qsort(t->levels, t->n_levels, sizeof(*t->levels), highest_first);
	for (size_t i = 1; i < t->n_levels; i++)
		if (highest_first(&t->levels[i], &t->levels[i - 1]) == 0)
			fields_fail(info, "tcbLevels", "holds the same version numbers twice");
}

/* The mask is read because it must be there; like Intel's own library we compare every bit. */
static void read_identity(struct fields *f, struct tdx_module *ret)
{
	uint8_t mask[8];

	fields_hex(f, "mrsigner", ret->mrsigner, sizeof(ret->mrsigner));
	fields_hex(f, "attributes", ret->attributes, sizeof(ret->attributes));
	fields_hex(f, "attributesMask", mask, sizeof(mask));
}

/* "TDX_" and the major version in two hex digits. */
static void read_id(struct fields *f, uint8_t *ret_version)
{
	static const char prefix[] = "TDX_";
	const char *id = fields_text(f, "id", sizeof(prefix) + 1);
	size_t n = sizeof(prefix) - 1;

	if (!f->bad && (strncasecmp(id, prefix, n) != 0 || !hex_decode(id + n, strlen(id + n), ret_version, 1)))
		fields_fail(f, "id", "is not \"TDX_\" and two hex digits");
}

static void read_module(struct fields *info, const json_t *v, struct tdx_module *ret)
{
	struct fields f = fields_of(v, "a TDX module identity", info->o);

	read_id(&f, &ret->version);
	read_identity(&f, ret);
	svn_levels_read(&f, &ret->levels);
	info->bad = f.bad;
}

static void read_modules(struct fields *info, struct tcbinfo *t)
{
	struct fields module = fields_of(fields_object(info, "tdxModule"), "tdxModule", info->o);
	const json_t *list;
	size_t n;

	read_identity(&module, &t->module);
	info->bad = info->bad || module.bad;
	if (info->bad || json_object_get(info->object, "tdxModuleIdentities") == NULL)
		return;
	list = fields_array(info, "tdxModuleIdentities", 1, TCBINFO_MODULES_MAX);
	n = list != NULL ? json_array_size(list) : 0;
	if (n == 0)
		return;
	t->modules = fields_room(info, n, sizeof(*t->modules));
	if (t->modules == NULL)
		return;
	for (; t->n_modules < n && !info->bad; t->n_modules++) {
		read_module(info, json_array_get(list, t->n_modules), &t->modules[t->n_modules]);
		for (size_t i = 0; i < t->n_modules; i++)
			if (t->modules[i].version == t->modules[t->n_modules].version)
				fields_fail(info, "tdxModuleIdentities", "holds the same id twice");
	}
}

static void read_kind(struct fields *info, struct tcbinfo *t)
{
	const char *id = fields_text(info, "id", 8);

	t->tdx = strcmp(id, "TDX") == 0;
	if (!t->tdx && strcmp(id, "SGX") != 0)
		fields_fail(info, "id", "is neither \"TDX\" nor \"SGX\"");
	if (fields_uint(info, "version", INT32_MAX) != VERSION)
		fields_fail(info, "version", "is not 3");
	if (fields_uint(info, "tcbType", INT32_MAX) != 0)
		fields_fail(info, "tcbType", "is not 0");
	if (!info->bad && !t->tdx &&
		(json_object_get(info->object, "tdxModule") != NULL ||
			json_object_get(info->object, "tdxModuleIdentities") != NULL))
		fields_fail(info, "id", "is \"SGX\" in a document that speaks of TDX modules");
}

static bool read_document(struct tcbinfo *t, struct outcome *o)
{
	struct fields info = fields_of(t->json, "tcbInfo", o);

	read_kind(&info, t);
	t->issued = fields_time(&info, "issueDate");
	t->next_update = fields_time(&info, "nextUpdate");
	fields_hex(&info, "fmspc", t->fmspc, sizeof(t->fmspc));
	fields_hex(&info, "pceId", t->pceid, sizeof(t->pceid));
	t->evaluation_data_number = fields_uint(&info, "tcbEvaluationDataNumber", EVALUATION_MAX);
	if (t->tdx)
		read_modules(&info, t);
	read_levels(&info, t);
	return !info.bad && outcome_pass(o);
}

struct tcbinfo *tcbinfo_parse(struct cur text, struct outcome *o)
{
	struct tcbinfo *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		outcome_unknown(o, "out of memory");
		return NULL;
	}
	t->json = fields_document(text, "TCB info", o);
	if (t->json != NULL && read_document(t, o))
		return t;
	tcbinfo_free(t);
	return NULL;
}

void tcbinfo_free(struct tcbinfo *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n_modules; i++)
		svn_levels_done(&t->modules[i].levels);
	free(t->modules);
	free(t->levels);
	json_decref(t->json);
	free(t);
}

const struct tdx_module *tcbinfo_module(const struct tcbinfo *t, uint8_t version)
{
	for (size_t i = 0; i < t->n_modules; i++)
		if (t->modules[i].version == version)
			return &t->modules[i];
	return NULL;
}
