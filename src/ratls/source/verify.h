/* SPDX-License-Identifier: Apache-2.0
 *
 * Verifiers (ratls.h): evidence in, report out. Ours asks for what the evidence needs, Intel's collateral or
 * a token of Intel Trust Authority or both, and has it appraised; what could not be had is appraised as
 * missing, so that what is forged or forbidden is named as such all the same.
 */
#ifndef SOURCE_VERIFY_H
#define SOURCE_VERIFY_H

#include "appraisal/appraise.h"

/* Appraise inputs that have no token yet; ita NULL: none is wanted. Nobody is asked about what is forged, or
 * is bound to another key. Blocking. Errors as ratls_appraise. */
int verify_inputs(struct ratls_ita *ita, const struct appraisal_inputs *in, struct ratls_report **ret,
	struct ratls_error *err);

#endif
