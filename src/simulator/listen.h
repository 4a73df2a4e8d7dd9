/* SPDX-License-Identifier: Apache-2.0
 *
 * Listening sockets for the simulator's servers.
 */
#ifndef SIMULATOR_LISTEN_H
#define SIMULATOR_LISTEN_H

#include <stddef.h>

#include "ratls.h"

#define LISTEN_TEXT_SIZE 64 /* room for "[address]:port" */

/* address is "ADDR:PORT" or "[ADDR]:PORT" with a numeric address; port 0 is any free one. ret_bound is the
 * real address. */
int listen_tcp(const char *address, int *ret_fd, char ret_bound[static LISTEN_TEXT_SIZE],
	struct ratls_error *err);

#endif
