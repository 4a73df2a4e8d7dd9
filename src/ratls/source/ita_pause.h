/* SPDX-License-Identifier: Apache-2.0
 *
 * A service that did not answer, or said that it will not, is left alone for a while by all who would ask it.
 * Thread-safe; clocks are arguments.
 */
#ifndef SOURCE_ITA_PAUSE_H
#define SOURCE_ITA_PAUSE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "ratls.h"

struct ita_pause {
	pthread_mutex_t lock; /* guards everything below */
	unsigned failures;    /* in a row */
	int64_t until_ms;     /* monotonic */
	struct ratls_error why;
};

void ita_pause_init(struct ita_pause *p);
void ita_pause_done(struct ita_pause *p);

/* RATLS_OK if the service may be asked; else RATLS_E_UNAVAILABLE with the failure that there is a pause for.
 */
int ita_pause_check(struct ita_pause *p, int64_t now_ms, struct ratls_error *err);

/* It was asked: why is NULL if that is no reason for a pause. asked_ms is what Retry-After says, 0 if
 * nothing; no pause is longer than PAUSE_MAX_MS. Those who failed together count once. */
void ita_pause_note(struct ita_pause *p, int64_t now_ms, const struct ratls_error *why, int64_t asked_ms);

#endif
