/* SPDX-License-Identifier: Apache-2.0
 *
 * The signed bytes out of what collateral services send.
 */
#ifndef APPRAISAL_SLICE_H
#define APPRAISAL_SLICE_H

#include "base/cur.h"
#include "ratls.h"

/* The raw inner object of an envelope {"<name>": {...}, "signature": "<hex>"} in any order, as the exact
 * bytes received, and the signature's text: what PCS sends. RATLS_E_FORMAT on duplicate keys or trailing
 * text. */
int slice_envelope(struct cur envelope, const char *name, struct cur *ret_object, struct cur *ret_signature,
	struct ratls_error *err);

#endif
