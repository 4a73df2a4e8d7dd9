/* SPDX-License-Identifier: Apache-2.0
 *
 * Intel's Provisioning Certification Service, version 4 of its API, and the caches (PCCS) that speak it:
 * the four answers that make up the collateral of one platform, as they came, from one base URL.
 */
#ifndef SOURCE_PCS_H
#define SOURCE_PCS_H

#include "appraisal/platform_id.h"
#include "base/buf.h"
#include "ratls.h"
#include "source/transport.h"

#define PCS_INTEL_URL  "https://api.trustedservices.intel.com"
#define PCS_CHAIN_MAX  ((size_t)64 << 10) /* an issuer chain, as its header carries it */
#define PCS_TIMEOUT_MS 10000              /* for all items together, where nobody says otherwise */

struct pcs {
	const char *base;   /* without a slash at its end */
	int64_t timeout_ms; /* for all items together; 0 is PCS_TIMEOUT_MS */
	bool early;         /* TCB info and QE identity as they will be after an announced TCB recovery */
	const struct transport *transport;
};

/* Bodies as received; chains with their percent-encoding undone. */
struct pcs_answers {
	struct buf tcb_info, tcb_info_chain;
	struct buf qe_identity, qe_identity_chain;
	struct buf pck_crl, pck_crl_chain;
	struct buf root_ca_crl;
};

/* What a failure says of the service, not of the question. */
struct pcs_trouble {
	bool not_now; /* it does not answer, or does not want to be asked: another question fares no better */
	int64_t asked_ms; /* how long it asked to be left alone; 0 or less: it did not */
};

struct pck_name;

/* Ask for the PCK certificate that a quote names (so that it can be asked for): its chain as PEM, leaf first, into ret_chain (empty; to be
 * freed in any case). qeid is the identity of the quoting enclave, which caches ask for. Otherwise like
 * pcs_ask. */
int pcs_ask_pck(const struct pcs *p, const struct pck_name *name, const struct cur *qeid,
	struct buf *ret_chain, struct pcs_trouble *ret_trouble, struct ratls_error *err);

/* Ask for every item whose body in ret is empty: those that are there are believed to be good. Blocking.
 * RATLS_E_UNAVAILABLE names the item and why, with reason PLATFORM_UNKNOWN if the service knows no such
 * platform, else COLLATERAL_UNAVAILABLE, and fills ret_trouble; RATLS_E_ARG if the URL can be none. ret must
 * be freed in any case. */
int pcs_ask(const struct pcs *p, const struct platform_id *platform, struct pcs_answers *ret,
	struct pcs_trouble *ret_trouble, struct ratls_error *err);
void pcs_answers_done(struct pcs_answers *a);

#endif
