/* SPDX-License-Identifier: Apache-2.0 */
#include "program/errand.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/thread.h"

static const int ends[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP}; /* the last one not always */

#define N_ENDS (sizeof(ends) / sizeof(ends[0]))

struct errand {
	int (*work)(void *self, struct ratls_error *err);
	void *self;
	struct ratls_error *err;
	int rc;
	int done; /* an eventfd */
};

/* Those of them that who started us (nohup, a shell's background) has not told us to ignore: since they are blocked,
 * they would come nevertheless. */
static void heard(bool hangup, sigset_t *ret)
{
	struct sigaction action;

	sigemptyset(ret);
	for (size_t i = 0; i < N_ENDS - !hangup; i++)
		if (sigaction(ends[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(ret, ends[i]);
}

int errand_told_to_end(bool hangup)
{
	sigset_t pending, set;

	heard(hangup, &set);
	sigpending(&pending);
	for (size_t i = 0; i < N_ENDS; i++)
		if (sigismember(&set, ends[i]) && sigismember(&pending, ends[i]))
			return ends[i];
	return 0;
}

static void *run(void *arg)
{
	struct errand *e = arg;

	e->rc = e->work(e->self, e->err);
	(void)eventfd_write(e->done, 1);
	return NULL;
}

/* A descriptor that can be read when one of the signals has come, which is never read: it stays pending. */
static int watch(bool hangup)
{
	sigset_t set;

	heard(hangup, &set);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Until it is done, or for good. */
static void wait_for(const struct errand *e, int signals, bool hangup)
{
	struct pollfd fds[] = {{.fd = e->done, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	int sig;

	do {
		while (poll(fds, 2, -1) < 0 && errno == EINTR)
			;
		sig = errand_told_to_end(hangup);
		if (sig != 0)
			_exit(128 + sig);
	} while (fds[0].revents == 0);
}

int errand_run(int (*work)(void *self, struct ratls_error *err), void *self, bool hangup, struct ratls_error *err)
{
	struct errand e = {.work = work, .self = self, .err = err, .done = eventfd(0, EFD_CLOEXEC)};
	int signals = watch(hangup);
	pthread_t thread;

	if (e.done < 0 || signals < 0 || thread_start(&thread, run, &e, NULL) != RATLS_OK) {
		e.rc = work(self, err); /* without it, it takes the time that it takes */
		goto out;
	}
	wait_for(&e, signals, hangup);
	pthread_join(thread, NULL);
out:
	if (e.done >= 0)
		close(e.done);
	if (signals >= 0)
		close(signals);
	return e.rc;
}
