/* SPDX-License-Identifier: Apache-2.0
 *
 * A MessagePack writer: every value in its smallest form, as dstack's serialiser writes it.
 */
#ifndef SIMULATOR_FORGE_PACK_H
#define SIMULATOR_FORGE_PACK_H

#include "base/buf.h"

void pack_uint(struct buf *b, uint32_t v);
void pack_map(struct buf *b, uint8_t n);  /* header of a map of n < 16 pairs */
void pack_array(struct buf *b, size_t n); /* header of an array */
void pack_text(struct buf *b, const void *p, size_t n); /* str */
void pack_str(struct buf *b, const char *text);         /* str */
void pack_bin(struct buf *b, const void *p, size_t n);  /* bin */
void pack_octets(struct buf *b, const uint8_t *p, size_t n); /* an array of integers, one for each byte */

#endif
