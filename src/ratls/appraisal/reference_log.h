/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log that a policy carries as a reference: it is compared with nothing, but where a register is
 * not what was wanted it tells which event made the difference.
 */
#ifndef APPRAISAL_REFERENCE_LOG_H
#define APPRAISAL_REFERENCE_LOG_H

#include <jansson.h>

#include "base/buf.h"
#include "evidence/eventlog.h"

struct reference_log {
	struct eventlog log;
	void *store; /* what log points into */
};

/* From an array of events as guest agents write them. Every event must have its digest, or be one whose
 * digest follows from its fields. RATLS_E_ARG names the event. */
int reference_log_read(const json_t *array, struct reference_log *ret, struct ratls_error *err);
void reference_log_done(struct reference_log *r);

/* The same array: a new reference, NULL if memory ran out. */
json_t *reference_log_json(const struct reference_log *r);

/* Append what makes the difference to a log that is known to be the one measured: "event 4 is ..., in the
 * reference log it is ...". Appends nothing if there is none. What a peer wrote is cut short, and shown as
 * far as it is printable. */
void reference_log_explain(
	const struct reference_log *r, const struct eventlog *log, uint32_t imr, struct buf *out);

#endif
