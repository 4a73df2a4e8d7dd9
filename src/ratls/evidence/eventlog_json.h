/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log as JSON: certificate extension .2, and what guest agents answer.
 */
#ifndef EVIDENCE_EVENTLOG_JSON_H
#define EVIDENCE_EVENTLOG_JSON_H

#include <jansson.h>

#include "evidence/eventlog.h"
#include "evidence/store.h"

/* Read an array of events, parsed already or as text. All of the result is in the store; where that only
 * measures, nothing but its size is of use. */
int eventlog_json_take(
	const json_t *array, struct store *store, struct eventlog *ret, struct ratls_error *err);
int eventlog_json_read(struct cur text, struct store *store, struct eventlog *ret, struct ratls_error *err);

/* The events of RTMR3 alone, as a table of their own in the store. */
struct eventlog eventlog_json_runtime(const struct eventlog *log, struct store *store);

#endif
