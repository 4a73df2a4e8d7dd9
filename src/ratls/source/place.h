/* SPDX-License-Identifier: Apache-2.0
 *
 * One collateral service among several: its URL, its own timeout, the pause that it asked for or earned, and
 * the answers that every platform shares. Not thread-safe: one thread asks.
 */
#ifndef SOURCE_PLACE_H
#define SOURCE_PLACE_H

#include "source/pcs.h"

#define PLACE_KEEP_MS        ((int64_t)60 * 1000) /* how long answers about no platform serve the next one */
#define PLACE_TIMEOUT_MIN_MS 100
#define PLACE_TIMEOUT_MAX_MS 60000

struct place;

/* text is "URL" or "URL#timeout=TIME" (milliseconds "ms", else seconds "s"). RATLS_E_ARG says what is wrong
 * with it. transport is borrowed; NULL: it will not be asked. */
int place_new(
	const char *text, const struct transport *transport, struct place **ret, struct ratls_error *err);
void place_free(struct place *p);

const char *place_url(const struct place *p); /* without a slash at its end */

/* As pcs_ask, except that nothing is asked during a pause (RATLS_E_UNAVAILABLE says why there is one), and
 * that ret must be freed only after RATLS_OK. now_ms is the monotonic clock when it begins. */
int place_ask(struct place *p, const struct platform_id *platform, int64_t now_ms, struct pcs_answers *ret, struct ratls_error *err);

/* How to ask it without regard to pauses and to what was kept. Any thread. */
struct pcs place_pcs(const struct place *p);

/* As pcs_ask_pck, with pauses of its own, and until deadline_ms at the latest: that the asker had no more time is
 * not held against the service. Thread-safe, also beside the other functions. */
int place_ask_pck(struct place *p, const struct pck_name *name, const struct cur *qeid, int64_t now_ms,
	int64_t deadline_ms, struct buf *ret_chain, struct ratls_error *err);

/* The last answers are no good: forget those that were kept. True if any of them was a kept one, so that
 * asking again may bring others. */
bool place_forget(struct place *p);

#endif
