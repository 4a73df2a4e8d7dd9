/* SPDX-License-Identifier: Apache-2.0
 *
 * Test vectors that are not part of the repository: the folder that RATLS_VECTORS names, if it exists.
 */
#ifndef TESTS_VECTOR_H
#define TESTS_VECTOR_H

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

/* Reads one into ret (an empty buffer). False where it is absent: the test then calls skip(). */
static inline bool vector_load(const char *name, struct buf *ret)
{
	const char *folder = getenv("RATLS_VECTORS");
	char path[4096];

	if (folder == NULL)
		return false;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return file_read(path, (size_t)4 << 20, ret, NULL) == RATLS_OK;
}

#endif
