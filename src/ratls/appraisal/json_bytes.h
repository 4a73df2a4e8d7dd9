/* SPDX-License-Identifier: Apache-2.0
 *
 * Between JSON and bytes: bytes and times as texts of JSON, and JSON as text and from it.
 */
#ifndef APPRAISAL_JSON_BYTES_H
#define APPRAISAL_JSON_BYTES_H

#include <jansson.h>

#include "base/buf.h"
#include "base/cur.h"
#include "ratls.h"

/* A new reference; NULL if memory ran out. */
json_t *json_of_hex(struct cur bytes);
json_t *json_of_base64(struct cur bytes);
json_t *json_of_time(int64_t at); /* as clock_format writes it */

/* The value that a text is, duplicate members refused: a new reference. NULL with RATLS_E_FORMAT and the line, or with
 * RATLS_E_NOMEM; err is not NULL. */
json_t *json_read(struct cur text, struct ratls_error *err);

/* Append a value as text; flags are jansson's. ret is bad if memory ran out, be it now or before (then value is
 * NULL). In place of json_dumps, which leaves out the names of members for which it has no memory. */
void json_append(const json_t *value, size_t flags, struct buf *ret);

#endif
