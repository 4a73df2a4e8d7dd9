/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as texts of JSON.
 */
#ifndef APPRAISAL_JSON_BYTES_H
#define APPRAISAL_JSON_BYTES_H

#include <jansson.h>

#include "base/cur.h"

/* A new reference; NULL if memory ran out. */
json_t *json_of_hex(struct cur bytes);
json_t *json_of_base64(struct cur bytes);

#endif
