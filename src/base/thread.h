/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that leave signals to the program's own, and condition variables that wait by the monotonic clock.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "ratls.h"

/* No signal of the process is delivered to it. RATLS_E_NOMEM if there can be none. */
int thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg, struct ratls_error *err);

/* For thread_cond_wait; pthread_cond_destroy ends it. */
void thread_cond_init(pthread_cond_t *ret);

/* pthread_cond_wait until clock_monotonic_ms() is until_ms, INT64_MAX being never; false when it is. */
bool thread_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until_ms);

#endif
