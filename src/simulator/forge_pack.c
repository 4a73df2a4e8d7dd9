/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/forge_pack.h"

#include <string.h>

void pack_uint(struct buf *b, uint32_t v)
{
	if (v < 0x80) {
		buf_u8(b, (uint8_t)v);
	} else if (v <= UINT8_MAX) {
		buf_u8(b, 0xcc);
		buf_u8(b, (uint8_t)v);
	} else if (v <= UINT16_MAX) {
		buf_u8(b, 0xcd);
		buf_u16be(b, (uint16_t)v);
	} else {
		buf_u8(b, 0xce);
		buf_u32be(b, v);
	}
}

void pack_map(struct buf *b, uint8_t n)
{
	buf_u8(b, 0x80 | n);
}

void pack_array(struct buf *b, size_t n)
{
	if (n < 16) {
		buf_u8(b, (uint8_t)(0x90 | n));
	} else if (n <= UINT16_MAX) {
		buf_u8(b, 0xdc);
		buf_u16be(b, (uint16_t)n);
	} else {
		buf_u8(b, 0xdd);
		buf_u32be(b, (uint32_t)n);
	}
}

void pack_text(struct buf *b, const void *p, size_t n)
{
	if (n < 32) {
		buf_u8(b, (uint8_t)(0xa0 | n));
	} else if (n <= UINT8_MAX) {
		buf_u8(b, 0xd9);
		buf_u8(b, (uint8_t)n);
	} else if (n <= UINT16_MAX) {
		buf_u8(b, 0xda);
		buf_u16be(b, (uint16_t)n);
	} else {
		buf_u8(b, 0xdb);
		buf_u32be(b, (uint32_t)n);
	}
	buf_bytes(b, p, n);
}

void pack_str(struct buf *b, const char *text)
{
	pack_text(b, text, strlen(text));
}

void pack_bin(struct buf *b, const void *p, size_t n)
{
	if (n <= UINT8_MAX) {
		buf_u8(b, 0xc4);
		buf_u8(b, (uint8_t)n);
	} else if (n <= UINT16_MAX) {
		buf_u8(b, 0xc5);
		buf_u16be(b, (uint16_t)n);
	} else {
		buf_u8(b, 0xc6);
		buf_u32be(b, (uint32_t)n);
	}
	buf_bytes(b, p, n);
}

void pack_octets(struct buf *b, const uint8_t *p, size_t n)
{
	pack_array(b, n);
	for (size_t i = 0; i < n; i++)
		pack_uint(b, p[i]);
}
