/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/cert_asn1.h"

#include "appraisal/asn1.h"
#include "appraisal/ecdsa.h"

/* ---- names ------------------------------------------------------------------------------------------- */

static const uint8_t oid_common_name[] = {0x55, 0x04, 0x03}; /* 2.5.4.3 */

static struct cur take_text(struct cur *c)
{
	bool utf8 = asn1_next_is(c, ASN1_TAG_UTF8_STRING);
	struct cur text = asn1_take(c, utf8 ? ASN1_TAG_UTF8_STRING : ASN1_TAG_PRINTABLE_STRING);

	for (size_t i = 0; i < text.left; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			c->bad = true;
	return text;
}

/* A name with its header. *ret_common_name is bad unless there is exactly one. */
static struct cur take_name(struct cur *c, struct cur *ret_common_name)
{
	struct cur whole = asn1_whole(c, ASN1_TAG_SEQUENCE), rest = whole, name;
	unsigned seen = 0;

	*ret_common_name = cur_of(NULL, 0);
	name = asn1_take(&rest, ASN1_TAG_SEQUENCE);
	while (cur_ok(&name) && name.left > 0) {
		struct cur step = asn1_take(&name, ASN1_TAG_SET);
		struct cur attribute = asn1_take(&step, ASN1_TAG_SEQUENCE);
		struct cur oid = asn1_oid(&attribute), text = take_text(&attribute);

		if (!cur_done(&attribute) || !cur_done(&step))
			name.bad = true;
		if (cur_is(&oid, oid_common_name, sizeof(oid_common_name))) {
			*ret_common_name = text;
			seen++;
		}
	}
	if (name.bad)
		c->bad = true;
	if (seen != 1)
		ret_common_name->bad = true;
	return whole;
}

/* ---- extensions -------------------------------------------------------------------------------------- */

static const struct {
	uint8_t oid[9];
	uint8_t len;
	bool may_be_critical; /* the profile makes these critical; any other would be one that we do not
				 honour */
} known[CERT_EXTENSIONS] = {
	[CERT_AUTHORITY_KEY] = {{0x55, 0x1d, 0x23}, 3, false},       /* 2.5.29.35 */
	[CERT_DISTRIBUTION_POINTS] = {{0x55, 0x1d, 0x1f}, 3, false}, /* 2.5.29.31 */
	[CERT_SUBJECT_KEY] = {{0x55, 0x1d, 0x0e}, 3, false},         /* 2.5.29.14 */
	[CERT_KEY_USAGE] = {{0x55, 0x1d, 0x0f}, 3, true},            /* 2.5.29.15 */
	[CERT_CONSTRAINTS] = {{0x55, 0x1d, 0x13}, 3, true},          /* 2.5.29.19 */
	/* 1.2.840.113741.1.13.1 */
	[CERT_SGX] = {{0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01}, 9, false},
};

static void file_extension(struct cert_asn1 *c, struct cur oid, bool critical, struct cur value)
{
	for (size_t i = 0; i < CERT_EXTENSIONS; i++) {
		if (!cur_is(&oid, known[i].oid, known[i].len))
			continue;
		c->extensions[i].value = value;
		c->extensions[i].times++;
		c->critical_unknown = c->critical_unknown || (critical && !known[i].may_be_critical);
		return;
	}
	c->critical_unknown = c->critical_unknown || critical;
}

/* "critical" is FALSE where it is absent, and must be absent then. */
static void read_extension(struct cur *list, struct cert_asn1 *ret)
{
	struct cur e = asn1_take(list, ASN1_TAG_SEQUENCE), oid = asn1_oid(&e), value;
	bool stated = asn1_next_is(&e, ASN1_TAG_BOOLEAN), critical = stated && asn1_boolean(&e);

	value = asn1_take(&e, ASN1_TAG_OCTET_STRING);
	if (!cur_done(&e) || stated != critical)
		list->bad = true;
	else
		file_extension(ret, oid, critical, value);
}

static void read_extensions(struct cur *tbs, struct cert_asn1 *ret)
{
	struct cur outer, list;

	if (!asn1_next_is(tbs, ASN1_TAG_CONTEXT_CONSTRUCTED + 3))
		return;
	outer = asn1_take(tbs, ASN1_TAG_CONTEXT_CONSTRUCTED + 3);
	list = asn1_take(&outer, ASN1_TAG_SEQUENCE);
	while (cur_ok(&list) && list.left > 0)
		read_extension(&list, ret);
	if (list.bad || !cur_done(&outer))
		tbs->bad = true;
}

/* ---- the certificate --------------------------------------------------------------------------------- */

/* An AlgorithmIdentifier's content: parameters are absent or NULL. */
static struct cur take_algorithm(struct cur *c)
{
	struct cur whole = asn1_take(c, ASN1_TAG_SEQUENCE), rest = whole;

	asn1_oid(&rest);
	if (cur_ok(&rest) && rest.left > 0 && asn1_take(&rest, ASN1_TAG_NULL).left > 0)
		rest.bad = true;
	if (!cur_done(&rest))
		c->bad = true;
	return whole;
}

#define VERSION_3 2

static void read_version(struct cur *tbs, struct cert_asn1 *ret)
{
	struct cur version;

	if (!asn1_next_is(tbs, ASN1_TAG_CONTEXT_CONSTRUCTED + 0))
		return;
	version = asn1_take(tbs, ASN1_TAG_CONTEXT_CONSTRUCTED + 0);
	ret->v3 = asn1_uint(&version, UINT8_MAX) == VERSION_3;
	if (!cur_done(&version))
		tbs->bad = true;
}

static bool read_tbs(struct cur tbs, struct cert_asn1 *ret)
{
	struct cur of_issuer;

	read_version(&tbs, ret);
	ret->serial = asn1_whole(&tbs, ASN1_TAG_INTEGER);
	ret->inner_algorithm = take_algorithm(&tbs);
	ret->issuer = take_name(&tbs, &of_issuer);
	ret->validity = asn1_take(&tbs, ASN1_TAG_SEQUENCE);
	ret->subject = take_name(&tbs, &ret->common_name);
	ret->key = asn1_whole(&tbs, ASN1_TAG_SEQUENCE);
	read_extensions(&tbs, ret);
	return cur_done(&tbs);
}

bool cert_asn1_read(struct cur der, struct cert_asn1 *ret)
{
	struct cert_asn1 c = {.v3 = false};
	struct cur certificate = asn1_take(&der, ASN1_TAG_SEQUENCE), whole;

	c.tbs = whole = asn1_whole(&certificate, ASN1_TAG_SEQUENCE);
	c.outer_algorithm = take_algorithm(&certificate);
	c.signature = asn1_bit_bytes(&certificate);
	if (!cur_done(&certificate) || !cur_done(&der) || !read_tbs(asn1_take(&whole, ASN1_TAG_SEQUENCE), &c))
		return false;
	*ret = c;
	return true;
}

struct cur cert_asn1_point(const struct cert_asn1 *c)
{
	/* id-ecPublicKey, prime256v1, and a BIT STRING that begins an uncompressed point (RFC 5480 section 2)
	 */
	static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
		0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
		ECDSA_POINT_UNCOMPRESSED};
	struct cur key = c->key, is = cur_take(&key, sizeof(head));

	if (!cur_is(&is, head, sizeof(head)) || key.left != ECDSA_POINT_SIZE)
		key.bad = true;
	return key;
}

bool cert_asn1_is_ecdsa_sha256(const struct cert_asn1 *c)
{
	return asn1_is_ecdsa_sha256(&c->inner_algorithm) && asn1_is_ecdsa_sha256(&c->outer_algorithm);
}
