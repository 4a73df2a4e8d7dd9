/* SPDX-License-Identifier: Apache-2.0
 *
 * One option's value: from text into the field of a configuration, and back into text. Part of opt.c.
 */
#ifndef BASE_OPT_VALUE_H
#define BASE_OPT_VALUE_H

#include "base/buf.h"
#include "base/opt.h"

#define OPT_LIST_MAX 1024 /* items of one list */

/* Set the field from text. A list grows: by text as it stands, or by its comma-separated items if split.
 * What is empty says nothing, least of all "none": it is refused. RATLS_E_ARG says what is wrong with the text,
 * without naming the option; the field is then as it was. */
int opt_value_set(const struct opt *o, void *field, const char *text, bool split, struct ratls_error *err);

/* Free what the field owns and make it zero. */
void opt_value_clear(enum opt_type type, void *field);

/* Is it something other than NULL, empty, no, 0 or the first word? */
bool opt_value_is_set(enum opt_type type, const void *field);

/* In the form that opt_value_set reads: "1h", "64k", "yes", "a, b". */
void opt_value_format(const struct opt *o, const void *field, struct buf *out);

#endif
