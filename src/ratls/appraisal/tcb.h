/* SPDX-License-Identifier: Apache-2.0
 *
 * From version numbers to one status: the level of the platform, of the TDX module and of the quoting
 * enclave, and their convergence. Intel's rules, with Revoked anywhere counting as revoked.
 */
#ifndef APPRAISAL_TCB_H
#define APPRAISAL_TCB_H

#include "appraisal/qeid.h"
#include "appraisal/sgx.h"
#include "appraisal/tcbinfo.h"
#include "evidence/quote.h"

struct tcb {
	/* The highest level whose SGX components and PCE are reached, and the highest whose TDX components
	 * are reached too; NULL if none. */
	const struct tcb_level *sgx_level, *level;
	const struct svn_level *module_level; /* NULL if none, or if there is nothing to judge */
	const struct svn_level *qe_level;
	const struct tdx_module *module; /* NULL if TCB info does not know this module */
	enum tcb_status platform, qe;
	enum tcb_status module_status; /* TCB_UNKNOWN: modules of version 0 have no level of their own */
	enum tcb_status status;        /* of all together */
	bool relaunch_advised; /* the host has been updated since this TD was launched: still out of date */
	bool running_unknown;  /* the module that runs now would decide that, but TCB info does not know it */
	int64_t date;          /* the earliest of the levels' dates; 0 if there is none */
	const json_t *listed;  /* advisories that a verifier lists besides, or NULL */
};

/* What is judged, borrowed. */
struct tcb_inputs {
	const struct tcbinfo *info; /* of TDX */
	const struct qeid *qe;
	const struct sgx_extension *sgx;
	const struct quote *quote;
};

void tcb_judge(const struct tcb_inputs *in, struct tcb *ret);

/* The i-th advisory that applies, each once, platform first; NULL at the end. */
const char *tcb_advisory(const struct tcb *t, size_t i);

/* A version number that is below that of the highest level that is up to date. */
struct tcb_shortfall {
	char component[96];
	int is, needs;
	const char *remedy; /* who can raise it; static */
};

#define TCB_SHORTFALLS_MAX (2 * TCBINFO_COMPONENTS + 3)

/* Why the status is not UpToDate, component by component: how many were written to ret. */
size_t tcb_shortfalls(const struct tcb_inputs *in, struct tcb_shortfall ret[static TCB_SHORTFALLS_MAX]);

#endif
