/* SPDX-License-Identifier: Apache-2.0 */
#include "program/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/reason.h"

void streams_hold(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* The lowest that is free is this one. It can only be used the wrong way round, so that it stays an error
		 * to read or write there. */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			abort();
	}
}

static bool nobody_reads(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

int streams_flush(struct ratls_error *err)
{
	int reason = fflush(stdout) == 0 ? 0 : errno;

	if (reason == 0 && !ferror(stdout))
		return RATLS_OK;
	clearerr(stdout);
	if (nobody_reads())
		return RATLS_OK;
	return err_reason(err, RATLS_E_IO, REASON_FILE, "could not write to standard output%s%s", reason != 0 ? ": " : "",
		reason != 0 ? strerror(reason) : "");
}
