/* SPDX-License-Identifier: Apache-2.0
 *
 * A service that did not answer, or said that it will not, is left alone for a while by all who would ask it.
 * Thread-safe; clocks are arguments.
 */
#ifndef SOURCE_BACKOFF_H
#define SOURCE_BACKOFF_H

#include <pthread.h>
#include <stdint.h>

#include "ratls.h"

struct backoff {
	int64_t longest_ms;
	pthread_mutex_t lock; /* guards everything below */
	unsigned failures;    /* in a row */
	int64_t until_ms;     /* monotonic */
	struct ratls_error why;
};

/* longest_ms: the longest pause, whatever the service asks for. */
void backoff_init(struct backoff *b, int64_t longest_ms);
void backoff_done(struct backoff *b);

/* RATLS_OK if the service may be asked; else RATLS_E_UNAVAILABLE with the failure that there is a pause for.
 */
int backoff_check(struct backoff *b, int64_t now_ms, struct ratls_error *err);

/* It was asked: why is NULL if that is no reason for a pause. asked_ms is how long it asked to be left alone, if
 * that is above 0. Those who failed together count once. */
void backoff_note(struct backoff *b, int64_t now_ms, const struct ratls_error *why, int64_t asked_ms);

#endif
