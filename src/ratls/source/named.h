/* SPDX-License-Identifier: Apache-2.0
 *
 * PCK certificate chains of quotes that name theirs without carrying it, in memory. Anybody can make up a name, so
 * that questions are few: one for a name however many ask, NAMED_ASKING_MAX at a time, NAMED_PER_MINUTE in all,
 * and what could not be answered is not asked again for a while. Names without an answer do not drive out those with
 * one, whose certificates are given even where they cannot be asked for again. Thread-safe.
 */
#ifndef SOURCE_NAMED_H
#define SOURCE_NAMED_H

#include "base/buf.h"
#include "evidence/pck_name.h"
#include "ratls.h"

#define NAMED_MAX        64 /* names kept; those without a chain go first, of these the one longest out of use */
#define NAMED_KEEP_MS    ((int64_t)24 * 3600 * 1000) /* certificates hold for years; a state of a platform does not */
#define NAMED_FAILED_MS  ((int64_t)60 * 1000)
#define NAMED_ASKING_MAX 2
#define NAMED_PER_MINUTE 30

/* Ask for the chain (PEM, leaf first) of that name (blocking until deadline_ms of the monotonic clock). Called
 * without a lock held. */
typedef int (*named_ask_fn)(void *self, const struct pck_name *name, const struct cur *qeid, int64_t deadline_ms,
	struct buf *ret_chain, struct ratls_error *err);

struct named;

int named_new(named_ask_fn ask, void *self, struct named **ret, struct ratls_error *err);
void named_stop(struct named *n); /* nobody waits for another's question any more; any thread */
void named_free(struct named *n); /* no thread may be in named_get; NULL is fine */

/* The chain, appended to ret_chain: remembered, or asked for until deadline_ms. now_ms is the monotonic clock.
 * Errors are those of ask; RATLS_E_UNAVAILABLE also if too many are being asked for, or another's question has no
 * answer by then. */
int named_get(struct named *n, const struct pck_name *name, const struct cur *qeid, int64_t now_ms,
	int64_t deadline_ms, struct buf *ret_chain, struct ratls_error *err);

/* A named_get that does not wait: RATLS_E_UNAVAILABLE with *ret_waits set if it would have to. */
int named_recall(struct named *n, const struct pck_name *name, int64_t now_ms, bool *ret_waits,
	struct buf *ret_chain, struct ratls_error *err);

#endif
