/* SPDX-License-Identifier: Apache-2.0
 *
 * Where in a JSON text a member stands: parsed values do not remember, and people look for lines.
 */
#ifndef APPRAISAL_JSON_LINE_H
#define APPRAISAL_JSON_LINE_H

#include "base/cur.h"

/* The line (from 1) of the member of the outermost object, or of an element of its array (SIZE_MAX: of the
 * member itself). The text is known to be valid JSON; 0 if there is no such member. */
size_t json_line_of(struct cur text, const char *member, size_t element);

#endif
