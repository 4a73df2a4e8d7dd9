/* SPDX-License-Identifier: Apache-2.0
 *
 * Are endorsements worth keeping? What appraisal asks of them without a peer and without a clock.
 */
#include "appraisal/endorsed.h"
#include "appraisal/platform_id.h"

#include "base/err.h"
#include "base/reason.h"

static int refuse(struct ratls_error *err, enum reason reason, const struct outcome *o)
{
	return err_reason(err, RATLS_E_FORMAT, (int)reason, "%s: %s", reason_find((int)reason)->meaning,
		o->detail[0] != '\0' ? o->detail : "it could not be judged");
}

static bool is_of_ca(const struct cert *ca, const struct platform_id *platform)
{
	return (strstr(ca->name, "Platform") != NULL) == (platform->ca == PLATFORM_CA_PLATFORM);
}

static int check_platform(
	const struct endorsed *e, const struct platform_id *platform, struct ratls_error *err)
{
	if (memcmp(e->tcbinfo->fmspc, platform->fmspc, sizeof(platform->fmspc)) != 0)
		return err_reason(
			err, RATLS_E_FORMAT, REASON_TCBINFO_PLATFORM, "TCB info is of another platform");
	if (!is_of_ca(&e->pck_ca, platform))
		return err_reason(err, RATLS_E_FORMAT, REASON_CRL_PCK,
			"the revocation list is of \"%s\", not of the %s CA", e->pck_ca.name,
			platform_id_ca(platform));
	return RATLS_OK;
}

int endorsements_check(
	const struct ratls_endorsements *labelled, const struct platform_id *platform, struct ratls_error *err)
{
	const struct endorsed *e = labelled->endorsed;
	const struct {
		enum reason reason;
		const struct outcome *outcome;
	} parts[] = {
		{REASON_CRL_ROOT, &e->root_crl.outcome},
		{REASON_CRL_PCK, &e->pck_ca_chain},
		{REASON_CRL_PCK, &e->pck_crl.outcome},
		{REASON_TCBINFO_CHAIN, &e->tcbinfo_document.chain},
		{REASON_TCBINFO_SIGNATURE, &e->tcbinfo_document.signature},
		{REASON_TCBINFO_FORMAT, &e->tcbinfo_document.format},
		{REASON_QEID_CHAIN, &e->qeid_document.chain},
		{REASON_QEID_SIGNATURE, &e->qeid_document.signature},
		{REASON_QEID_FORMAT, &e->qeid_document.format},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!outcome_passed(parts[i].outcome))
			return refuse(err, parts[i].reason, parts[i].outcome);
	if (!e->tcbinfo->tdx)
		return err_reason(
			err, RATLS_E_FORMAT, REASON_TCBINFO_PLATFORM, "TCB info is of SGX, not of TDX");
	if (!e->qeid->td_qe)
		return err_reason(err, RATLS_E_FORMAT, REASON_QEID_KIND, "QE identity is not of TD_QE");
	return platform != NULL ? check_platform(e, platform, err) : RATLS_OK;
}
