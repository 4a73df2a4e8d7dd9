/* SPDX-License-Identifier: Apache-2.0
 *
 * DER on the cursor, as strict as X.690 section 10 and 11 are: lengths definite and in their shortest form,
 * tags exactly as expected, numbers minimal. Only what Intel's certificates are made of. Sticky like the
 * cursor: a failed read makes c bad, and what it returns is bad, too.
 */
#ifndef APPRAISAL_ASN1_H
#define APPRAISAL_ASN1_H

#include "base/cur.h"

enum asn1_tag {
	ASN1_TAG_BOOLEAN = 0x01,
	ASN1_TAG_INTEGER = 0x02,
	ASN1_TAG_BIT_STRING = 0x03,
	ASN1_TAG_OCTET_STRING = 0x04,
	ASN1_TAG_NULL = 0x05,
	ASN1_TAG_OID = 0x06,
	ASN1_TAG_ENUMERATED = 0x0a,
	ASN1_TAG_UTF8_STRING = 0x0c,
	ASN1_TAG_PRINTABLE_STRING = 0x13,
	ASN1_TAG_UTC_TIME = 0x17,
	ASN1_TAG_GENERALIZED_TIME = 0x18,
	ASN1_TAG_SEQUENCE = 0x30,
	ASN1_TAG_SET = 0x31,
	ASN1_TAG_CONTEXT = 0x80,             /* primitive [n]: ASN1_TAG_CONTEXT + n */
	ASN1_TAG_CONTEXT_CONSTRUCTED = 0xa0, /* constructed [n] */
};

/* Does an element of this tag come next? */
static inline bool asn1_next_is(const struct cur *c, unsigned tag)
{
	return !c->bad && c->left > 0 && c->p[0] == tag;
}

/* The next element's content; it must have this tag. */
struct cur asn1_take(struct cur *c, unsigned tag);

/* The next element with its header. */
struct cur asn1_whole(struct cur *c, unsigned tag);
struct cur asn1_any(struct cur *c); /* of any tag below 31 */

/* The content of an OBJECT IDENTIFIER that is well-formed. */
struct cur asn1_oid(struct cur *c);

/* The content of an INTEGER or an ENUMERATED: two's complement in as few bytes as possible. */
struct cur asn1_number(struct cur *c, unsigned tag);

/* An INTEGER from 0 to max. */
uint32_t asn1_uint(struct cur *c, uint32_t max);

/* Is it, the content of an AlgorithmIdentifier, ECDSA with SHA-256? */
bool asn1_is_ecdsa_sha256(const struct cur *algorithm);

bool asn1_boolean(struct cur *c);

/* The bytes of a BIT STRING; the bits that belong to no whole byte are zero. */
struct cur asn1_bits(struct cur *c);

/* The bytes of a BIT STRING of whole bytes. */
struct cur asn1_bit_bytes(struct cur *c);

/* UTCTime or GeneralizedTime in the one form of RFC 5280 section 4.1.2.5, as Unix seconds. */
int64_t asn1_time(struct cur *c);

#endif
