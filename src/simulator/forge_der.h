/* SPDX-License-Identifier: Apache-2.0
 *
 * A DER writer. Forged certificates are written by hand, not through OpenSSL's X.509 objects, so that a
 * test can make any of their parts wrong and so that the same options always give the same bytes.
 *
 * Values are written first and wrapped after: remember b->len, append the content, then der_wrap.
 */
#ifndef SIMULATOR_FORGE_DER_H
#define SIMULATOR_FORGE_DER_H

#include "base/buf.h"

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT = 0x80,             /* primitive [n]: DER_CONTEXT | n */
	DER_CONTEXT_CONSTRUCTED = 0xa0, /* constructed [n] */
};

/* Turn what b holds from start on into the content of one element. */
void der_wrap(struct buf *b, size_t start, uint8_t tag);

void der_bytes(struct buf *b, uint8_t tag, const void *p, size_t n);
void der_unsigned(struct buf *b, const uint8_t *p, size_t n); /* INTEGER from big-endian bytes, minimal */
void der_int(struct buf *b, uint32_t v);
void der_oid(struct buf *b, const char *dotted); /* bad dotted text makes b bad */
void der_time(struct buf *b, int64_t at);        /* UTCTime until 2049, as RFC 5280 4.1.2.5 says */

#endif
