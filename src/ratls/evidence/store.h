/* SPDX-License-Identifier: Apache-2.0
 *
 * The one allocation behind evidence. A reader runs twice over the same bytes: first with a store that only
 * measures, then with one of just the room that was measured. So what is allocated is bounded by what was
 * really there, and nothing is allocated for bytes that a reader refuses.
 */
#ifndef EVIDENCE_STORE_H
#define EVIDENCE_STORE_H

#include "base/cur.h"
#include "evidence/eventlog.h"

#define STORE_ALIGN 8

struct store {
	uint8_t *p; /* NULL: it only measures */
	size_t used, size;
};

/* Room for n bytes, aligned to STORE_ALIGN; NULL if the store only measures or is full. */
void *store_take(struct store *s, size_t n);

/* These bytes in the store; the bytes themselves where it only measures. */
struct cur store_copy(struct store *s, struct cur bytes);

/* A table of n events, to be filled with store_event; it has no rows where the store only measures. */
struct eventlog store_log(struct store *s, size_t n);
void store_event(struct eventlog *log, size_t i, const struct event *e);

#endif
