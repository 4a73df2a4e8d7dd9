/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/forge_der.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/objects.h>

#include "base/clock.h"

static size_t length_of_length(size_t n)
{
	return n < 0x80 ? 1 : n < 0x100 ? 2 : n < 0x10000 ? 3 : 4;
}

void der_wrap(struct buf *b, size_t start, uint8_t tag)
{
	size_t n = b->len - start, header;
	uint8_t *p;

	header = 1 + length_of_length(n);
	if (buf_reserve(b, header) == NULL)
		return;
	p = b->p + start;
	memmove(p + header, p, n);
	buf_added(b, header);
	p[0] = tag;
	if (header == 2) {
		p[1] = (uint8_t)n;
		return;
	}
	p[1] = (uint8_t)(0x80 | (header - 2));
	for (size_t i = header - 1; i >= 2; i--, n >>= 8)
		p[i] = (uint8_t)n;
}

void der_bytes(struct buf *b, uint8_t tag, const void *p, size_t n)
{
	size_t start = b->len;

	buf_bytes(b, p, n);
	der_wrap(b, start, tag);
}

void der_unsigned(struct buf *b, const uint8_t *p, size_t n)
{
	size_t start = b->len;

	while (n > 1 && p[0] == 0) {
		p++;
		n--;
	}
	if (n == 0 || (p[0] & 0x80) != 0)
		buf_u8(b, 0);
	buf_bytes(b, p, n);
	der_wrap(b, start, DER_INTEGER);
}

void der_int(struct buf *b, uint32_t v)
{
	uint8_t p[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	der_unsigned(b, p, sizeof(p));
}

void der_oid(struct buf *b, const char *dotted)
{
	ASN1_OBJECT *object = OBJ_txt2obj(dotted, 1);

	if (object == NULL) {
		b->bad = true;
		return;
	}
	der_bytes(b, 0x06, OBJ_get0_data(object), OBJ_length(object));
	ASN1_OBJECT_free(object);
}

void der_time(struct buf *b, int64_t at)
{
	static const int64_t year_2050 = 2524608000;
	char text[CLOCK_TEXT_SIZE];
	size_t start = b->len;

	clock_format(at, text);
	for (const char *c = at < year_2050 ? text + 2 : text; *c != '\0'; c++)
		if (*c != '-' && *c != ':' && *c != 'T')
			buf_u8(b, (uint8_t)*c);
	der_wrap(b, start, at < year_2050 ? DER_UTC_TIME : DER_GENERALIZED_TIME);
}
