/* SPDX-License-Identifier: Apache-2.0
 *
 * dstack's versioned attestation: quote, event log, runtime events, report data and configuration in one
 * value, as SCALE (V0) or MessagePack (V1).
 */
#ifndef EVIDENCE_ENVELOPE_H
#define EVIDENCE_ENVELOPE_H

#include "evidence/evidence.h"
#include "evidence/store.h"

/* Read an envelope into format, quote.whole (not parsed), log, runtime, report_data, config and pod_payload
 * of ret, which is otherwise left alone. The bytes are borrowed; tables and what had to be decoded are in
 * the store. RATLS_E_UNSUPPORTED names a platform or stack other than TDX and dstack. */
int envelope_read(struct cur in, struct store *store, struct ratls_evidence *ret, struct ratls_error *err);

/* The two forms, told apart by the first byte; in is the whole. */
int envelope_v0_read(struct cur in, struct store *store, struct ratls_evidence *ret, struct ratls_error *err);
int envelope_v1_read(struct cur in, struct store *store, struct ratls_evidence *ret, struct ratls_error *err);

/* Their common refusals. */
int envelope_malformed(struct ratls_error *err, const char *what);
int envelope_platform(struct ratls_error *err, const char *name); /* NULL for one that has no name here */
int envelope_too_many(struct ratls_error *err, size_t n);

#endif
