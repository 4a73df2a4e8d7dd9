/* SPDX-License-Identifier: Apache-2.0
 *
 * Intel's Provisioning Certification Service, version 4 of its API, and the caches (PCCS) that speak it:
 * the four answers that make up the collateral of one platform, as they came, from one base URL.
 */
#ifndef SOURCE_PCS_H
#define SOURCE_PCS_H

#include "appraisal/endorsements.h"
#include "base/buf.h"
#include "ratls.h"

#define PCS_INTEL_URL  "https://api.trustedservices.intel.com"
#define PCS_CHAIN_MAX  ((size_t)64 << 10) /* an issuer chain, as its header carries it */
#define PCS_TIMEOUT_MS 10000              /* for one item */

struct pcs {
	const char *base; /* without a slash at its end */
	ratls_fetch_fn fetch;
	void *fetch_self;
};

/* Bodies as received; chains with their percent-encoding undone. */
struct pcs_answers {
	struct buf tcb_info, tcb_info_chain;
	struct buf qe_identity, qe_identity_chain;
	struct buf pck_crl, pck_crl_chain;
	struct buf root_ca_crl;
};

/* Blocking. RATLS_E_UNAVAILABLE names the item and why, with reason PLATFORM_UNKNOWN if the service knows no
 * such platform, else COLLATERAL_UNAVAILABLE; RATLS_E_ARG if the URL can be none. */
int pcs_ask(const struct pcs *p, const struct platform_id *platform, struct pcs_answers *ret,
	struct ratls_error *err);
void pcs_answers_done(struct pcs_answers *a);

#endif
