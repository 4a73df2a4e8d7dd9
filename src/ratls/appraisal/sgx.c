/* SPDX-License-Identifier: Apache-2.0
 *
 * Each level is a SEQUENCE of (OID, value) pairs in any order, whose OIDs extend the OID of the level by one
 * number: reading a level means filing its values by that number.
 */
#include "appraisal/sgx.h"

#include <string.h>

#include "appraisal/asn1.h"

#define ARCS_MAX 18

/* 1.2.840.113741.1.13.1 as DER carries it */
#define BASE_OID 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01

enum { ARC_PPID = 1, ARC_TCB, ARC_PCEID, ARC_FMSPC, ARC_TYPE, ARC_INSTANCE, ARC_CONFIGURATION };
enum { ARC_PCESVN = 17, ARC_CPUSVN = 18 }; /* below ARC_TCB, after the 16 components */

static const uint8_t base_oid[] = {BASE_OID}, tcb_oid[] = {BASE_OID, ARC_TCB},
		     configuration_oid[] = {BASE_OID, ARC_CONFIGURATION};

struct level {
	struct cur oid;
	/* Of the pairs, by number, with their headers; p is NULL where there is none. */
	struct cur value[ARCS_MAX + 1];
	size_t n;
};

/* The number by which oid extends the level's, 0 if it does not. */
static size_t arc_of(const struct level *l, struct cur oid)
{
	struct cur prefix = cur_take(&oid, l->oid.left);
	uint8_t arc = cur_u8(&oid);

	return cur_eq(&prefix, &l->oid) && cur_done(&oid) && arc <= ARCS_MAX ? arc : 0;
}

/* False if the text is not pairs and nothing more, or a name is unknown or occurs twice. */
static bool level_read(struct level *l, const uint8_t *oid, size_t oid_len, struct cur der)
{
	struct cur pairs = asn1_take(&der, ASN1_TAG_SEQUENCE);

	*l = (struct level){.oid = cur_of(oid, oid_len)};
	for (; cur_ok(&pairs) && pairs.left > 0; l->n++) {
		struct cur pair = asn1_take(&pairs, ASN1_TAG_SEQUENCE), name = asn1_oid(&pair);
		struct cur value = asn1_any(&pair);
		size_t arc = arc_of(l, name);

		if (!cur_done(&pair) || arc == 0 || l->value[arc].p != NULL)
			return false;
		l->value[arc] = value;
	}
	return cur_done(&pairs) && cur_done(&der);
}

static bool read_octets(struct cur v, uint8_t *ret, size_t len)
{
	struct cur octets = asn1_take(&v, ASN1_TAG_OCTET_STRING);

	if (octets.bad || octets.left != len)
		return false;
	if (ret != NULL)
		memcpy(ret, octets.p, len);
	return true;
}

static bool read_svn(struct cur v, uint16_t max, uint16_t *ret)
{
	*ret = (uint16_t)asn1_uint(&v, max);
	return cur_ok(&v);
}

static bool read_tcb(struct cur v, struct sgx_extension *sgx, struct outcome *o)
{
	struct level tcb;
	uint8_t cpusvn[SGX_COMPONENTS];
	uint16_t svn = 0;
	bool ok;

	ok = level_read(&tcb, tcb_oid, sizeof(tcb_oid), v) && tcb.n == SGX_COMPONENTS + 2 &&
	     read_octets(tcb.value[ARC_CPUSVN], cpusvn, sizeof(cpusvn));
	for (size_t i = 0; ok && i < SGX_COMPONENTS; i++) {
		ok = read_svn(tcb.value[i + 1], UINT8_MAX, &svn);
		sgx->svn[i] = (uint8_t)svn;
	}
	if (!ok || !read_svn(tcb.value[ARC_PCESVN], UINT16_MAX, &sgx->pcesvn))
		return outcome_fail(o, "its TCB is malformed");
	/* Intel judges by the components and others by CPUSVN: one that says two things is refused. */
	if (memcmp(cpusvn, sgx->svn, sizeof(cpusvn)) != 0)
		return outcome_fail(o, "its CPUSVN differs from its TCB components");
	return true;
}

/* Dynamic platform, cached keys, SMT: informational, but what is there must be what it says. */
static bool read_configuration(struct cur v)
{
	struct level flags;

	if (!level_read(&flags, configuration_oid, sizeof(configuration_oid), v))
		return false;
	for (size_t i = 1; i <= ARCS_MAX; i++) {
		struct cur flag = flags.value[i];

		if (flag.p == NULL)
			continue;
		asn1_boolean(&flag);
		if (i > 3 || flag.bad)
			return false;
	}
	return true;
}

static bool read_fields(const struct level *l, struct sgx_extension *sgx, struct outcome *o)
{
	struct cur type = l->value[ARC_TYPE];

	if (!read_octets(l->value[ARC_PPID], sgx->ppid, sizeof(sgx->ppid)))
		return outcome_fail(o, "its PPID is not 16 bytes");
	if (!read_octets(l->value[ARC_PCEID], sgx->pceid, sizeof(sgx->pceid)))
		return outcome_fail(o, "its PCEID is not 2 bytes");
	if (!read_octets(l->value[ARC_FMSPC], sgx->fmspc, sizeof(sgx->fmspc)))
		return outcome_fail(o, "its FMSPC is not 6 bytes");
	if (asn1_number(&type, ASN1_TAG_ENUMERATED).bad)
		return outcome_fail(o, "its SGX type is missing");
	sgx->platform = l->n == ARC_CONFIGURATION;
	if (sgx->platform && (!read_octets(l->value[ARC_INSTANCE], NULL, 16) ||
				     !read_configuration(l->value[ARC_CONFIGURATION])))
		return outcome_fail(o, "its platform instance or configuration is malformed");
	return read_tcb(l->value[ARC_TCB], sgx, o);
}

bool sgx_read(struct cur value, struct sgx_extension *ret, struct outcome *o)
{
	struct sgx_extension sgx = {0};
	struct level top;

	if (!level_read(&top, base_oid, sizeof(base_oid), value) ||
		(top.n != ARC_TYPE && top.n != ARC_CONFIGURATION))
		return outcome_fail(o, "its entries are not the 5 or 7 of a PCK certificate");
	if (!read_fields(&top, &sgx, o))
		return false;
	*ret = sgx;
	return true;
}
