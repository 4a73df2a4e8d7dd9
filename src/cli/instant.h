/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INSTANT_H
#define CLI_INSTANT_H

#include <stdint.h>

#include "ratls.h"

/* A moment as people and programs write it: Unix seconds, or RFC 3339 with any offset (a fraction of a second
 * is dropped). RATLS_E_ARG if it is neither. */
int instant_parse(const char *text, int64_t *ret, struct ratls_error *err);

#endif
