/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration file: INI, one `key = value` a line, with the line known to whoever complains.
 */
#ifndef BASE_OPT_FILE_H
#define BASE_OPT_FILE_H

#include "ratls.h"

/* Called for each key; anything but RATLS_OK ends the reading with that error. An indented line goes on with
 * the key before it: fn is called for it again. */
typedef int (*opt_file_fn)(void *self, const char *key, const char *value, int line, struct ratls_error *err);

/* section is the only one that the file may have (keys before any section count too). RATLS_E_IO if the file
 * cannot be read, RATLS_E_ARG with "file:line: ..." for what is in it. */
int opt_file_read(const char *path, const char *section, opt_file_fn fn, void *self, struct ratls_error *err);

#endif
