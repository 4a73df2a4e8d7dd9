/* SPDX-License-Identifier: Apache-2.0
 *
 * TCB levels and how their statuses converge. Numbers are those of the list of known bad cases. In good
 * samples the platform has SGX components 3 3 2 2 4 1 0 5, PCESVN 11, TEE_TCB_SVN 6 1 3, a QE of ISVSVN 6.
 */
#include <stddef.h>
#include <stdint.h>

#include "sample.h"

static struct forge_tcb_level *level(struct sample *s, size_t i)
{
	return &s->collateral.tcb_info.levels[i];
}

static struct forge_svn_level *module(struct sample *s, size_t i)
{
	return &s->collateral.tcb_info.modules[1].levels[i];
}

static struct forge_svn_level *qe(struct sample *s, size_t i)
{
	return &s->collateral.qe_identity.levels[i];
}

#define ACTION(name, what)                                                                                   \
	static void name(struct sample *s)                                                                   \
	{                                                                                                    \
		what;                                                                                        \
	}

/* ---- the quoting enclave ---- */

ACTION(qe_below_all, qe(s, 0)->isvsvn = 7)
ACTION(qe_out_of_date, qe(s, 0)->status = "OutOfDate")
ACTION(qe_revoked, qe(s, 0)->status = "Revoked")

static void qe_between_levels(struct sample *s)
{
	*qe(s, 0) = (struct forge_svn_level){8, "UpToDate", NULL};
	*qe(s, 1) = (struct forge_svn_level){5, "OutOfDate", NULL};
}

/* Documents need not be sorted. */
static void qe_levels_reversed(struct sample *s)
{
	*qe(s, 0) = (struct forge_svn_level){3, "OutOfDate", NULL};
	*qe(s, 1) = (struct forge_svn_level){6, "UpToDate", NULL};
}

/* ---- the TDX module ---- */

ACTION(module_below_all, s->quote.td.tee_tcb_svn[0] = 1)
ACTION(module_out_of_date, s->quote.td.tee_tcb_svn[0] = 3)
ACTION(module_revoked, module(s, 0)->status = "Revoked")

static void module_levels_reversed(struct sample *s)
{
	*module(s, 0) = (struct forge_svn_level){2, "OutOfDate", NULL};
	*module(s, 1) = (struct forge_svn_level){4, "UpToDate", NULL};
}

/* ---- the platform ---- */

ACTION(pcesvn_below_all, s->pki.sgx.pcesvn = 4)
ACTION(pcesvn_lower, s->pki.sgx.pcesvn = 10)
ACTION(tdx_below_all, s->quote.td.tee_tcb_svn[2] = 1)
ACTION(level_revoked, level(s, 0)->status = "Revoked")
ACTION(lower_level_revoked, level(s, 1)->status = "Revoked")
ACTION(sw_hardening, level(s, 0)->status = "SWHardeningNeeded")
ACTION(configuration, level(s, 0)->status = "ConfigurationNeeded")
ACTION(configuration_and_hardening, level(s, 0)->status = "ConfigurationAndSWHardeningNeeded")
ACTION(out_of_date, level(s, 0)->status = "OutOfDate")
ACTION(out_of_date_configuration, level(s, 0)->status = "OutOfDateConfigurationNeeded")

static void set_component(struct sample *s, size_t i, uint8_t svn)
{
	s->pki.sgx.components[i] = s->pki.sgx.cpusvn[i] = svn;
}

ACTION(component_below_all, set_component(s, 0, 1))

/* 1 3 2 is not above 1 2 3, whatever its order in a dictionary. */
static void components_permuted(struct sample *s)
{
	static const uint32_t needs[3] = {1, 2, 3};
	static const uint8_t is[3] = {1, 3, 2};

	for (size_t i = 0; i < 3; i++) {
		level(s, 0)->sgx[i] = level(s, 1)->sgx[i] = needs[i];
		set_component(s, i, is[i]);
	}
}

static void last_tdx_component(struct sample *s)
{
	level(s, 0)->tdx[15] = 1;
}

static void component_to_configuration(struct sample *s)
{
	set_component(s, 7, 4);
	level(s, 1)->status = "ConfigurationNeeded";
}

static void pcesvn_to_out_of_date_configuration(struct sample *s)
{
	pcesvn_lower(s);
	level(s, 1)->status = "OutOfDateConfigurationNeeded";
}

/* The SGX part reaches a revoked level; the TDX part only the one below it. */
static void revoked_by_sgx_alone(struct sample *s)
{
	level(s, 0)->status = "Revoked";
	level(s, 0)->tdx[2] = 9;
}

static void levels_reversed(struct sample *s)
{
	struct forge_tcb_level top = *level(s, 0);

	*level(s, 0) = *level(s, 1);
	*level(s, 1) = top;
}

/* The first two TDX components are of the module: they count only if it has no version of its own. */
ACTION(module_component_high, level(s, 0)->tdx[0] = 9)
ACTION(module_version_component_high, level(s, 0)->tdx[1] = 2)

static void module_component_high_version_0(struct sample *s)
{
	s->quote.td.tee_tcb_svn[1] = 0;
	level(s, 0)->tdx[0] = level(s, 1)->tdx[0] = 9;
}

static void module_version_0(struct sample *s)
{
	s->quote.td.tee_tcb_svn[1] = 0;
}

/* ---- convergence ---- */

static void configuration_and_module(struct sample *s)
{
	configuration(s);
	module_out_of_date(s);
}

static void hardening_and_module(struct sample *s)
{
	sw_hardening(s);
	module_out_of_date(s);
}

static void configuration_and_qe(struct sample *s)
{
	configuration(s);
	qe_out_of_date(s);
}

static void configuration_and_hardening_and_qe(struct sample *s)
{
	configuration_and_hardening(s);
	qe_out_of_date(s);
}

static void hardening_and_qe(struct sample *s)
{
	sw_hardening(s);
	qe_out_of_date(s);
}

static void out_of_date_and_qe_revoked(struct sample *s)
{
	out_of_date(s);
	qe_revoked(s);
}

static void out_of_date_configuration_and_both(struct sample *s)
{
	out_of_date_configuration(s);
	module_out_of_date(s);
	qe_out_of_date(s);
}

/* ---- relaunch: the host has updated its module since this machine was launched ---- */

static void running(struct sample *s, uint8_t svn, uint8_t version, uint8_t microcode)
{
	s->quote.version = 5;
	s->quote.body = QUOTE_BODY_TD15;
	module_out_of_date(s);
	s->quote.td.tee_tcb_svn2[0] = svn;
	s->quote.td.tee_tcb_svn2[1] = version;
	s->quote.td.tee_tcb_svn2[2] = microcode;
}

ACTION(running_new, running(s, 4, 1, 2))
ACTION(running_old, running(s, 3, 1, 2))
ACTION(running_old_microcode, running(s, 4, 1, 1))
ACTION(running_unknown, running(s, 4, 9, 2))

static void running_new_configuration(struct sample *s)
{
	running_new(s);
	configuration(s);
}

/* Nothing rests on it: the module with which the machine was launched is up to date. */
static void running_unknown_up_to_date(struct sample *s)
{
	running_unknown(s);
	s->quote.td.tee_tcb_svn[0] = 4;
}

/* ---- policy ---- */

static void accept(struct sample *s, const char *name, const char *value)
{
	if (s->policy == NULL)
		ratls_policy_new(&s->policy, NULL);
	ratls_policy_add(s->policy, name, value, NULL);
}

static void accepted_out_of_date(struct sample *s)
{
	out_of_date(s);
	accept(s, "tcb_status", "UpToDate");
	accept(s, "tcb_status", "OutOfDate");
}

static void hardening_not_accepted(struct sample *s)
{
	sw_hardening(s);
	accept(s, "tcb_status", "OK");
}

static void advisory_not_allowed(struct sample *s)
{
	sw_hardening(s);
	level(s, 0)->advisory = "INTEL-SA-00001";
	accept(s, "advisories_allowed", "INTEL-SA-00002");
}

static void advisory_allowed(struct sample *s)
{
	advisory_not_allowed(s);
	accept(s, "advisories_allowed", "INTEL-SA-00001");
}

/* A tolerant policy cannot hide a revoked platform, nor a forged quote. */
static void revoked_tolerated(struct sample *s)
{
	level_revoked(s);
	accept(s, "tcb_status", "Revoked");
}

static void forged_and_tolerated(struct sample *s)
{
	accepted_out_of_date(s);
	s->quote.quote_signed_by = "another";
}

static void below_evaluation(struct sample *s)
{
	ratls_policy_from_json("{\"min_evaluation_data_number\":18}", 33, &s->policy, NULL);
}

static void below_evaluation_qe(struct sample *s)
{
	below_evaluation(s);
	s->collateral.tcb_info.document.evaluation_number = 18;
}

static void at_evaluation(struct sample *s)
{
	below_evaluation_qe(s);
	s->collateral.qe_identity.document.evaluation_number = 18;
}

static void evaluations_differ(struct sample *s)
{
	s->collateral.qe_identity.document.evaluation_number = 3;
}

#define REFUSED(name, how, status) STATUS(name, how, TCB_STATUS, status)
#define RELAUNCH(name_, how, status_, relaunch_)                                                             \
	{.name = (name_), .spoil = (how), .reason = REASON_TCB_STATUS, .status = (status_), .relaunch = (relaunch_)}

const struct row rows_tcb[] = {
	STATUS("208 QE below every level", qe_below_all, TCB_QE, "NotSupported"),
	REFUSED("209 QE OutOfDate", qe_out_of_date, "OutOfDate"),
	REFUSED("210 QE between levels", qe_between_levels, "OutOfDate"),
	STATUS("211 QE Revoked", qe_revoked, TCB_REVOKED, "Revoked"),
	STATUS("QE levels reversed", qe_levels_reversed, NONE, "UpToDate"),
	STATUS("218 module below every level", module_below_all, TCB_MODULE, "NotSupported"),
	REFUSED("219 module OutOfDate", module_out_of_date, "OutOfDate"),
	STATUS("220 module Revoked", module_revoked, TCB_REVOKED, "Revoked"),
	STATUS("module levels reversed", module_levels_reversed, NONE, "UpToDate"),
	STATUS("223 PCESVN below every level", pcesvn_below_all, TCB_PLATFORM, "NotSupported"),
	STATUS("224 SGX component below every level", component_below_all, TCB_PLATFORM, "NotSupported"),
	STATUS("225 components permuted", components_permuted, TCB_PLATFORM, "NotSupported"),
	STATUS("226 TDX component below every level", tdx_below_all, TCB_PLATFORM, "NotSupported"),
	REFUSED("227 last TDX component falls to the lower level", last_tdx_component, "OutOfDate"),
	REFUSED("228 lower level ConfigurationNeeded", component_to_configuration, "ConfigurationNeeded"),
	REFUSED("229 lower level OutOfDateConfigurationNeeded", pcesvn_to_out_of_date_configuration,
		"OutOfDateConfigurationNeeded"),
	REFUSED("230 ConfigurationAndSWHardeningNeeded", configuration_and_hardening,
		"ConfigurationAndSWHardeningNeeded"),
	STATUS("231 SWHardeningNeeded", sw_hardening, NONE, "SWHardeningNeeded"),
	REFUSED("PCESVN falls to the lower level", pcesvn_lower, "OutOfDate"),
	STATUS("232 level Revoked", level_revoked, TCB_REVOKED, "Revoked"),
	STATUS("233 a lower level is Revoked", lower_level_revoked, NONE, "UpToDate"),
	STATUS("234 Revoked by its SGX part alone", revoked_by_sgx_alone, TCB_REVOKED, "Revoked"),
	STATUS("235 levels reversed", levels_reversed, NONE, "UpToDate"),
	STATUS("236 TDX component 0 high, module of version 1", module_component_high, NONE, "UpToDate"),
	STATUS("236 TDX component 1 high, module of version 1", module_version_component_high, NONE, "UpToDate"),
	STATUS("237 TDX component 0 high, module of version 0", module_component_high_version_0, TCB_PLATFORM, "NotSupported"),
	STATUS("module of version 0", module_version_0, NONE, "UpToDate"),
	REFUSED("238 ConfigurationNeeded and module", configuration_and_module, "OutOfDateConfigurationNeeded"),
	REFUSED("SWHardeningNeeded and module", hardening_and_module, "OutOfDate"),
	REFUSED("239 ConfigurationNeeded and QE", configuration_and_qe, "OutOfDateConfigurationNeeded"),
	REFUSED("239 ConfigurationAndSWHardeningNeeded and QE", configuration_and_hardening_and_qe,
		"OutOfDateConfigurationNeeded"),
	REFUSED("240 SWHardeningNeeded and QE", hardening_and_qe, "OutOfDate"),
	REFUSED("OutOfDateConfigurationNeeded and both", out_of_date_configuration_and_both,
		"OutOfDateConfigurationNeeded"),
	RELAUNCH("241 relaunch advised", running_new, "OutOfDate", ADVISED),
	RELAUNCH("242 relaunch advised, configuration", running_new_configuration, "OutOfDateConfigurationNeeded", ADVISED),
	RELAUNCH("the microcode that runs is old", running_old_microcode, "OutOfDate", NOT_ADVISED),
	RELAUNCH("the running module is old too", running_old, "OutOfDate", NOT_ADVISED),
	STATUS("222 the running module is not known", running_unknown, MODULE_RUNNING, NULL),
	STATUS("the running module is not known and does not matter", running_unknown_up_to_date, NONE,
		"UpToDate"),
	STATUS("OutOfDate and QE Revoked", out_of_date_and_qe_revoked, TCB_REVOKED, "Revoked"),
	STATUS("OutOfDate, which the policy accepts", accepted_out_of_date, NONE, "OutOfDate"),
	REFUSED("SWHardeningNeeded, which the policy does not accept", hardening_not_accepted,
		"SWHardeningNeeded"),
	MADE("an advisory that is not allowed", advisory_not_allowed, TCB_ADVISORIES),
	MADE("an advisory that is allowed", advisory_allowed, NONE),
	MADE("Revoked, tolerated", revoked_tolerated, TCB_REVOKED),
	MADE("forged, OutOfDate tolerated", forged_and_tolerated, QUOTE_SIGNATURE),
	MADE("243 evaluation below the policy's", below_evaluation, POLICY_EVALUATION),
	MADE("243 evaluation of QE identity below the policy's", below_evaluation_qe, POLICY_EVALUATION),
	MADE("evaluation at the policy's", at_evaluation, NONE),
	MADE("evaluations differ", evaluations_differ, NONE),
};

const size_t n_rows_tcb = sizeof(rows_tcb) / sizeof(rows_tcb[0]);
