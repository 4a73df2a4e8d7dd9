/* SPDX-License-Identifier: Apache-2.0
 *
 * Is it this very machine? Asked where the way there is plaintext, so that what is not known to be is not.
 */
#ifndef PROGRAM_LOOPBACK_H
#define PROGRAM_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>

/* "127.x.y.z", "::1" or "localhost". */
bool loopback_host(const char *host);

/* The first len bytes of text: such a host, ::1 in brackets, with a port behind it or without. */
bool loopback_authority(const char *text, size_t len);

#endif
