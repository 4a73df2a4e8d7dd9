/* SPDX-License-Identifier: Apache-2.0
 *
 * What a start has to wait for, while it can still be told to end.
 */
#ifndef PROGRAM_ERRAND_H
#define PROGRAM_ERRAND_H

#include <stdbool.h>

#include "ratls.h"

/* The signal that came since daemon_begin and tells the program to end, 0 if none did. It stays to come. A SIGHUP
 * does so only where hangup says it, and a signal that is ignored never. */
int errand_told_to_end(bool hangup);

/* The result of work(self, err), in a thread of its own that hears no signals. When one comes that tells the program to
 * end, nobody waits for it: the process ends at once with 128 and the signal's number, as it is. So work must leave
 * nothing behind that is missed when it is broken off. */
int errand_run(int (*work)(void *self, struct ratls_error *err), void *self, bool hangup, struct ratls_error *err);

#endif
