/* SPDX-License-Identifier: Apache-2.0
 *
 * Where something is, as users write it: "HOST:PORT", "ADDR:PORT" or "[ADDR6]:PORT".
 */
#ifndef BASE_HOSTPORT_H
#define BASE_HOSTPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The host, without brackets, into size bytes of ret_host, and what stands behind the last colon as port. False if
 * there is no host or it does not fit, or no port. */
bool hostport_parse(const char *text, char *ret_host, size_t size, uint16_t *ret_port);

/* Digits alone, 0 to 65535. */
bool hostport_port(const char *text, size_t len, uint16_t *ret);

#endif
