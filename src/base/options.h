/* SPDX-License-Identifier: Apache-2.0
 *
 * Option structs of the public header, whose size says which version of them the caller knows.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stddef.h>

#include "ratls.h"

/* Copy a struct that begins with its size (NULL: nothing is asked for) into ret, ours, of ret_size bytes. Members that
 * the caller does not know are zero. RATLS_E_ARG if it is smaller than the first version ever was, or if it asks in
 * members that we do not know. */
int options_copy(
	void *ret, size_t ret_size, const void *given, size_t first_size, struct ratls_error *err);

#endif
