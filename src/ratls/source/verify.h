/* SPDX-License-Identifier: Apache-2.0
 *
 * Verifiers (ratls.h): evidence in, report out. Ours asks for what the evidence needs, Intel's collateral or
 * a token of Intel Trust Authority or both, and has it appraised; what could not be had is appraised as
 * missing, so that what is forged or forbidden is named as such all the same.
 */
#ifndef SOURCE_VERIFY_H
#define SOURCE_VERIFY_H

#include "appraisal/appraise.h"

/* For all that one verdict asks for, collateral included: less than connections wait for it (30 s). What
 * collateral took of it is not Intel Trust Authority's any more. */
#define VERIFY_DEADLINE_MS 27000

/* Appraise inputs that have no token yet; ita NULL: none is wanted. Nobody is asked about what is
 * refused without it. Blocking until deadline_ms of the monotonic clock. Errors as ratls_appraise. */
int verify_inputs(struct ratls_ita *ita, const struct appraisal_inputs *in, int64_t deadline_ms,
	struct ratls_report **ret, struct ratls_error *err);

/* As ratls_verifier_verify, but without waiting for a service: if it would have to, *ret_waits is set and
 * *ret untouched. A verifier of the host program's is asked as always. */
int verify_now(struct ratls_verifier *v, const struct ratls_evidence *evidence,
	const struct ratls_policy *policy, const struct ratls_binding *binding, int64_t at, bool *ret_waits,
	struct ratls_report **ret, struct ratls_error *err);

#endif
