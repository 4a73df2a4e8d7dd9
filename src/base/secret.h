/* SPDX-License-Identifier: Apache-2.0
 *
 * Invariant secrets_leave_no_trace: wipe after use, compare in constant time.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

void secret_wipe(void *p, size_t len);
void secret_buf_done(struct buf *b); /* wipes all of its capacity, then frees */
void secret_str_free(char *text);    /* wipes, then frees; NULL is fine */
bool secret_equal(const void *a, const void *b, size_t len); /* constant time */

/* No core dump of this process (RLIMIT_CORE 0, not dumpable): for programs that hold keys. */
void secret_forbid_core_dumps(void);

#endif
