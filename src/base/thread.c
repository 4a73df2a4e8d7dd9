/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

int thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg, struct ratls_error *err)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(ret, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0 ? RATLS_OK : err_set(err, RATLS_E_NOMEM, "could not start a thread: %s", strerror(rc));
}

void thread_cond_init(pthread_cond_t *ret)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(ret, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

bool thread_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until_ms)
{
	struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

	if (until_ms == INT64_MAX)
		return pthread_cond_wait(c, lock) == 0;
	return pthread_cond_timedwait(c, lock, &until) == 0;
}
