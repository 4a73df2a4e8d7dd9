/* SPDX-License-Identifier: Apache-2.0
 *
 * Unix sockets that a program listens on.
 */
#ifndef BASE_LISTEN_UNIX_H
#define BASE_LISTEN_UNIX_H

#include "ratls.h"

/* Listen at path, which only our own user may connect to (mode 0600) from the first moment. A socket that nobody
 * listens on any more is replaced; whatever else is there stays, and is RATLS_E_IO. RATLS_E_ARG if the path is too
 * long. The process's umask is another one meanwhile: call it before there are threads that make files. */
int listen_unix(const char *path, int *ret_fd, struct ratls_error *err);

#endif
