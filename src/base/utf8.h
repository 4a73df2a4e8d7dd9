/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/cur.h"

/* Is it all well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF)? NUL counts
 * as a character like any other; empty is well-formed; a bad cursor is not. */
bool utf8_valid(struct cur text);

/* Other people's words, for a report: where they are not well-formed, every byte beyond ASCII becomes "?". */
void utf8_clean(char *text);

/* Take one character. False if it is not well-formed: then *ret is the one byte that was taken. Not for what is empty. */
bool utf8_take(struct cur *text, uint32_t *ret);

/* Does a terminal obey it, or order the words around it by it: controls (C0 and C1), line and paragraph separators,
 * and the marks of writing direction (Unicode, Bidi_Control)? */
bool utf8_steers(uint32_t character);

/* Other people's words, for a terminal: "?" in place of every byte of what steers or is not well-formed. */
void utf8_tame(char *text, size_t len);
void utf8_append_tame(struct buf *out, const char *text, size_t len);

/* The same for words that are shown in the middle of ours: printable ASCII alone, which steers no terminal. */
bool utf8_is_plain(const char *text);
void utf8_make_plain(char *text, size_t len); /* every other byte becomes "?" */

#endif
