/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/tcb.h"

#include <string.h>

/* TEE_TCB_SVN: the first two bytes are the module's, the rest is the platform's. */
#define SVN_MODULE         0
#define SVN_MODULE_VERSION 1
#define SVN_MICROCODE      2

static bool reaches(const uint8_t *is, const uint8_t *needs, size_t from)
{
	for (size_t i = from; i < TCBINFO_COMPONENTS; i++)
		if (is[i] < needs[i])
			return false;
	return true;
}

/* Components 0 and 1 of modules that have a version are judged by the module's own levels: numbers of
 * different versions cannot be compared. */
static bool reaches_tdx(const uint8_t *svn, const struct tcb_level *level)
{
	return reaches(svn, level->tdx, svn[SVN_MODULE_VERSION] > 0 ? SVN_MICROCODE : 0);
}

static void find_levels(
	const struct tcbinfo *info, const struct sgx_extension *sgx, const uint8_t *svn, struct tcb *t)
{
	for (size_t i = 0; i < info->n_levels && t->level == NULL; i++) {
		const struct tcb_level *l = &info->levels[i];

		if (!reaches(sgx->svn, l->sgx, 0) || sgx->pcesvn < l->pcesvn)
			continue;
		if (t->sgx_level == NULL)
			t->sgx_level = l;
		if (reaches_tdx(svn, l))
			t->level = l;
	}
	t->platform = t->level != NULL ? t->level->facts.status : TCB_NOT_SUPPORTED;
	/* A platform whose SGX part is revoked is not saved by a lower level that its TDX part reaches. */
	if (t->level != NULL && t->sgx_level->facts.status == TCB_REVOKED)
		t->platform = TCB_REVOKED;
}

static void find_module(const struct tcbinfo *info, const uint8_t *svn, struct tcb *t)
{
	if (svn[SVN_MODULE_VERSION] == 0) {
		t->module = &info->module;
		return;
	}
	t->module = tcbinfo_module(info, svn[SVN_MODULE_VERSION]);
	if (t->module != NULL)
		t->module_level = svn_levels_find(&t->module->levels, svn[SVN_MODULE]);
	t->module_status = t->module_level != NULL ? t->module_level->facts.status : TCB_NOT_SUPPORTED;
}

/* The status of a whole whose one part is the platform (or what it has converged to) and whose other part
 * has a status of its own. */
static enum tcb_status converge(enum tcb_status whole, enum tcb_status part)
{
	if (whole == TCB_REVOKED || part == TCB_REVOKED)
		return TCB_REVOKED;
	if (whole == TCB_NOT_SUPPORTED || part == TCB_NOT_SUPPORTED)
		return TCB_NOT_SUPPORTED;
	if (part != TCB_OUT_OF_DATE)
		return whole;
	switch (whole) {
	case TCB_CONFIGURATION_NEEDED:
	case TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
	case TCB_OUT_OF_DATE_CONFIGURATION_NEEDED:
		return TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
	default:
		return TCB_OUT_OF_DATE;
	}
}

static bool is_out_of_date(enum tcb_status s)
{
	return s == TCB_OUT_OF_DATE || s == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

/* Intel's relaunch rule, for TD reports 1.5: the TD was launched under an old module, which the host has
 * updated since. It says what to do about a status; it does not improve it. */
static void judge_relaunch(const struct tcb_inputs *in, enum tcb_status before_qe, struct tcb *t)
{
	const uint8_t *now = in->quote->td.tee_tcb_svn2.p;
	const struct tcb_level *highest = &in->info->levels[0];
	const struct tdx_module *module;
	uint16_t needs = highest->tdx[SVN_MODULE];

	if (in->quote->body != QUOTE_BODY_TD15 || t->qe != TCB_UP_TO_DATE ||
		t->module_status != TCB_OUT_OF_DATE || !is_out_of_date(before_qe) || t->sgx_level == NULL ||
		t->sgx_level->facts.status > TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED)
		return;
	if (now[SVN_MODULE_VERSION] > 0) {
		module = tcbinfo_module(in->info, now[SVN_MODULE_VERSION]);
		if (module == NULL) {
			t->running_unknown = true;
			return;
		}
		needs = module->levels.at[0].svn;
	}
	t->relaunch_advised = now[SVN_MODULE] >= needs && now[SVN_MICROCODE] >= highest->tdx[SVN_MICROCODE];
}

static void earliest(int64_t date, int64_t *ret)
{
	if (*ret == 0 || date < *ret)
		*ret = date;
}

void tcb_judge(const struct tcb_inputs *in, struct tcb *ret)
{
	const uint8_t *svn = in->quote->td.tee_tcb_svn.p;
	struct tcb t = {0};
	enum tcb_status before_qe;

	find_levels(in->info, in->sgx, svn, &t);
	find_module(in->info, svn, &t);
	t.qe_level = svn_levels_find(&in->qe->levels, in->quote->qe.isvsvn);
	t.qe = t.qe_level != NULL ? t.qe_level->facts.status : TCB_NOT_SUPPORTED;
	before_qe = t.module_status != TCB_UNKNOWN ? converge(t.platform, t.module_status) : t.platform;
	t.status = converge(before_qe, t.qe);
	judge_relaunch(in, before_qe, &t);
	if (t.level != NULL)
		earliest(t.level->facts.date, &t.date);
	if (t.module_level != NULL)
		earliest(t.module_level->facts.date, &t.date);
	if (t.qe_level != NULL)
		earliest(t.qe_level->facts.date, &t.date);
	*ret = t;
}

/* The n advisories of the levels, one list after another, with repetitions. */
static const char *raw_advisory(const struct tcb *t, size_t i)
{
	const json_t *lists[] = {
		t->level != NULL ? t->level->facts.advisories : NULL,
		t->module_level != NULL ? t->module_level->facts.advisories : NULL,
		t->qe_level != NULL ? t->qe_level->facts.advisories : NULL,
		t->listed,
	};

	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		size_t n = json_array_size(lists[k]); /* 0 for NULL */

		if (i < n)
			return json_string_value(json_array_get(lists[k], i));
		i -= n;
	}
	return NULL;
}

static bool is_repetition(const struct tcb *t, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(raw_advisory(t, k), raw_advisory(t, i)) == 0)
			return true;
	return false;
}

const char *tcb_advisory(const struct tcb *t, size_t i)
{
	const char *text;

	for (size_t k = 0; (text = raw_advisory(t, k)) != NULL; k++)
		if (!is_repetition(t, k) && i-- == 0)
			return text;
	return NULL;
}
