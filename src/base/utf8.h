/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>

#include "base/cur.h"

/* Is it all well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF)? NUL counts
 * as a character like any other; empty is well-formed; a bad cursor is not. */
bool utf8_valid(struct cur text);

/* Other people's words, for a report: where they are not well-formed, every byte beyond ASCII becomes "?". */
void utf8_clean(char *text);

/* The same for words that are shown in the middle of ours: printable ASCII alone, which steers no terminal. */
bool utf8_is_plain(const char *text);
void utf8_make_plain(char *text, size_t len); /* every other byte becomes "?" */

#endif
