/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/asn1.h"

#include "base/clock.h"

static struct cur fail(struct cur *c)
{
	return cur_take(c, SIZE_MAX);
}

/* One byte, or 0x81 to 0x83 and that many more where fewer would not do: no revocation list is longer. */
static size_t take_length(struct cur *c)
{
	uint8_t first = cur_u8(c);
	size_t len = first, least = 0;

	if (first == 0x81) {
		len = cur_u8(c);
		least = 0x80;
	} else if (first == 0x82) {
		len = cur_u16be(c);
		least = 0x100;
	} else if (first == 0x83) {
		len = (size_t)cur_u8(c) << 16;
		len |= cur_u16be(c);
		least = 0x10000;
	} else if (first >= 0x80) {
		fail(c);
	}
	if (len < least)
		fail(c);
	return len;
}

struct cur asn1_take(struct cur *c, unsigned tag)
{
	if (cur_u8(c) != tag)
		return fail(c);
	return cur_take(c, take_length(c));
}

struct cur asn1_whole(struct cur *c, unsigned tag)
{
	struct cur from = *c;

	asn1_take(c, tag);
	return c->bad ? fail(c) : cur_take(&from, from.left - c->left);
}

#define TAG_NUMBER_LONG 0x1f /* of 31 and above: more bytes follow */

struct cur asn1_any(struct cur *c)
{
	if (c->bad || c->left == 0 || (c->p[0] & TAG_NUMBER_LONG) == TAG_NUMBER_LONG)
		return fail(c);
	return asn1_whole(c, c->p[0]);
}

/* Base 128, most significant digit first; all but a number's last have the top bit, and none begins with
 * zero. */
struct cur asn1_oid(struct cur *c)
{
	struct cur oid = asn1_take(c, ASN1_TAG_OID);
	bool first = true;

	if (oid.bad || oid.left == 0 || (oid.p[oid.left - 1] & 0x80) != 0)
		return fail(c);
	for (size_t i = 0; i < oid.left; i++) {
		if (first && oid.p[i] == 0x80)
			return fail(c);
		first = (oid.p[i] & 0x80) == 0;
	}
	return oid;
}

struct cur asn1_number(struct cur *c, unsigned tag)
{
	struct cur n = asn1_take(c, tag);
	bool sign;

	if (n.bad || n.left == 0)
		return fail(c);
	sign = n.left > 1 && (n.p[1] & 0x80) != 0;
	if (n.left > 1 && n.p[0] == (sign ? 0xff : 0x00))
		return fail(c);
	return n;
}

uint32_t asn1_uint(struct cur *c, uint32_t max)
{
	struct cur n = asn1_number(c, ASN1_TAG_INTEGER);
	uint64_t v = 0;

	if (n.bad || (n.p[0] & 0x80) != 0 || n.left > 1 + sizeof(max)) {
		fail(c);
		return 0;
	}
	while (n.left > 0)
		v = v << 8 | cur_u8(&n);
	if (v <= max)
		return (uint32_t)v;
	fail(c);
	return 0;
}

bool asn1_is_ecdsa_sha256(const struct cur *algorithm)
{
	/* 1.2.840.10045.4.3.2, without parameters (RFC 5758 section 3.2) */
	static const uint8_t oid[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

	return cur_is(algorithm, oid, sizeof(oid));
}

bool asn1_boolean(struct cur *c)
{
	struct cur b = asn1_take(c, ASN1_TAG_BOOLEAN);
	uint8_t v = cur_u8(&b);

	if (!cur_done(&b) || (v != 0x00 && v != 0xff))
		fail(c);
	return !c->bad && v != 0;
}

struct cur asn1_bits(struct cur *c)
{
	struct cur bits = asn1_take(c, ASN1_TAG_BIT_STRING);
	uint8_t unused = cur_u8(&bits);

	if (bits.bad || unused > 7 || (unused > 0 && bits.left == 0))
		return fail(c);
	if (unused > 0 && (bits.p[bits.left - 1] & ((1u << unused) - 1)) != 0)
		return fail(c);
	return bits;
}

struct cur asn1_bit_bytes(struct cur *c)
{
	struct cur bits = asn1_take(c, ASN1_TAG_BIT_STRING);

	return cur_u8(&bits) == 0 && !bits.bad ? bits : fail(c);
}

int64_t asn1_time(struct cur *c)
{
	bool general = asn1_next_is(c, ASN1_TAG_GENERALIZED_TIME);
	struct cur t = asn1_take(c, general ? ASN1_TAG_GENERALIZED_TIME : ASN1_TAG_UTC_TIME);
	char text[] = "YYYY-MM-DDThh:mm:ssZ";
	size_t from = general ? 0 : 2;
	int64_t at = 0;

	if (!general && t.left > 0) /* RFC 5280 section 4.1.2.5.1 */
		memcpy(text, t.p[0] >= '5' ? "19" : "20", 2);
	for (size_t i = from; i < sizeof(text) - 1; i++)
		if (strchr("-T:", text[i]) == NULL)
			text[i] = (char)cur_u8(&t);
	if (!cur_done(&t) || !clock_parse_utc(text, sizeof(text) - 1, &at))
		fail(c);
	return at;
}
