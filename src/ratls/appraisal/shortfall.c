/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns "OutOfDate" into something that somebody can do: which number is short, by how much, and whose it
 * is to raise.
 */
#include "appraisal/tcb.h"

#include <stdio.h>
#include <string.h>

struct list {
	struct tcb_shortfall *at;
	size_t n;
};

static const char *remedy_of(const char *category, const char *type)
{
	if (type != NULL && strstr(type, "TDX Module") != NULL)
		return "the host must update its TDX module";
	if (type != NULL && strstr(type, "SEAMLDR") != NULL)
		return "the host must update its SEAM loader";
	if (category != NULL && strcmp(category, "BIOS") == 0)
		return "the host must update its BIOS";
	if (category != NULL && strcmp(category, "OS/VMM") == 0)
		return "the host must update its operating system and microcode";
	return "the owner of the host must update its firmware";
}

static void compare_components(struct list *out, const char *kind, const uint8_t *is, const uint8_t *needs,
	const json_t *described, size_t from)
{
	for (size_t i = from; i < TCBINFO_COMPONENTS; i++) {
		const json_t *d = json_array_get(described, i);
		const char *type = json_string_value(json_object_get(d, "type"));
		struct tcb_shortfall *s = &out->at[out->n];

		if (is[i] >= needs[i])
			continue;
		snprintf(s->component, sizeof(s->component), "%s component %zu%s%s%s", kind, i + 1,
			type != NULL ? " (" : "", type != NULL ? type : "", type != NULL ? ")" : "");
		s->is = is[i];
		s->needs = needs[i];
		s->remedy = remedy_of(json_string_value(json_object_get(d, "category")), type);
		out->n++;
	}
}

static void compare(struct list *out, const char *component, int is, int needs, const char *remedy)
{
	struct tcb_shortfall *s = &out->at[out->n];

	if (is >= needs)
		return;
	snprintf(s->component, sizeof(s->component), "%s", component);
	s->is = is;
	s->needs = needs;
	s->remedy = remedy;
	out->n++;
}

/* The version number of the highest level, which is what "up to date" means. */
static int highest_svn(const struct svn_levels *levels)
{
	return levels->n > 0 ? levels->at[0].svn : 0;
}

size_t tcb_shortfalls(const struct tcb_inputs *in, struct tcb_shortfall ret[static TCB_SHORTFALLS_MAX])
{
	const struct tcb_level *best = &in->info->levels[0];
	const uint8_t *svn = in->quote->td.tee_tcb_svn.p;
	const struct tdx_module *module = svn[1] > 0 ? tcbinfo_module(in->info, svn[1]) : NULL;
	struct list out = {.at = ret};

	compare_components(&out, "SGX", in->sgx->svn, best->sgx, best->sgx_components, 0);
	compare(&out, "PCESVN", in->sgx->pcesvn, best->pcesvn,
		"the host must update Intel's SGX platform software");
	compare_components(&out, "TDX", svn, best->tdx, best->tdx_components, svn[1] > 0 ? 2 : 0);
	if (module != NULL)
		compare(&out, "TDX module", svn[0], highest_svn(&module->levels),
			"the host must update its TDX module, and this machine must be started anew");
	compare(&out, "quoting enclave", in->quote->qe.isvsvn, highest_svn(&in->qe->levels),
		"the host must update Intel's quoting enclave for TDX");
	return out.n;
}
