/* SPDX-License-Identifier: Apache-2.0
 *
 * Hexadecimal and base64 text. Decoders accept exactly the alphabet: no white space, no prefix.
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Writes 2*len lower-case digits and a NUL; text must have room for 2*len+1. */
void hex_encode(const uint8_t *bytes, size_t len, char *text);
void hex_append(struct buf *b, const uint8_t *bytes, size_t len);

/* Exactly text_len/2 bytes, digits of either case. False (out untouched) if text_len is odd, differs from
 * 2*len, or a character is no digit. */
bool hex_decode(const char *text, size_t text_len, uint8_t *out, size_t len);

/* RFC 4648 section 4, with padding, canonical. */
void base64_append(struct buf *b, const uint8_t *bytes, size_t len);
bool base64_decode(const char *text, size_t text_len, struct buf *out);

/* RFC 4648 section 5, without padding, canonical: what JOSE uses. */
bool base64url_decode(const char *text, size_t text_len, struct buf *out);

#endif
