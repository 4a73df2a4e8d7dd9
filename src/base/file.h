/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files, bounded on the way in and atomic on the way out. Errors have REASON_FILE, but for RATLS_E_NOMEM.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "ratls.h"

/* Read all of path ("-" is standard input) into ret (an empty buffer), at most max bytes: more is
 * RATLS_E_FORMAT. RATLS_E_IO names the file and the reason. */
int file_read(const char *path, size_t max, struct buf *ret, struct ratls_error *err);

/* The same of a file in the open folder dir that nobody else can have written: a regular file that is ours and
 * that neither group nor others may write; no symbolic link is followed. RATLS_E_IO says what it is else. */
int file_read_own(int dir, const char *name, size_t max, struct buf *ret, struct ratls_error *err);

/* Replace path by these bytes at once: a temporary file beside it, synced, with this mode, renamed. What is there and is
 * no regular file is not replaced: RATLS_E_IO. */
int file_write(const char *path, const void *bytes, size_t len, mode_t mode, struct ratls_error *err);

/* The same within the open folder dir, which path is relative to. */
int file_write_at(
	int dir, const char *path, const void *bytes, size_t len, mode_t mode, struct ratls_error *err);

#endif
