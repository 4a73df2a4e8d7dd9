/* SPDX-License-Identifier: Apache-2.0
 *
 * What every TCP socket of sessions is set to.
 */
#ifndef RELAY_TCP_H
#define RELAY_TCP_H

#include <sys/socket.h>

/* Of a socket that will be connected to this address, or that listens on it: what it accepts inherits all. */
void tcp_tune(int fd, const struct sockaddr *address);

#endif
