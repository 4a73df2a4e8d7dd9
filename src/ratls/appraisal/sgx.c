/* SPDX-License-Identifier: Apache-2.0
 *
 * ASN.1 is OpenSSL's to decode. Each level is a SEQUENCE of (OID, value) pairs in any order, whose OIDs
 * extend the OID of the level by one number: reading a level means filing its values by that number.
 */
#include "appraisal/sgx.h"

#include <string.h>
#include <openssl/asn1.h>
#include <openssl/objects.h>

#define ARCS_MAX 18

/* 1.2.840.113741.1.13.1 as DER carries it */
static const uint8_t base_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

enum { ARC_PPID = 1, ARC_TCB, ARC_PCEID, ARC_FMSPC, ARC_TYPE, ARC_INSTANCE, ARC_CONFIGURATION };
enum { ARC_PCESVN = 17, ARC_CPUSVN = 18 }; /* below ARC_TCB, after the 16 components */

struct level {
	uint8_t oid[sizeof(base_oid) + 1];
	size_t oid_len;
	ASN1_TYPE *value[ARCS_MAX + 1]; /* by number, owned; NULL where there is none */
	int n;
};

static void level_done(struct level *l)
{
	for (size_t i = 0; i <= ARCS_MAX; i++)
		ASN1_TYPE_free(l->value[i]);
}

static STACK_OF(ASN1_TYPE) * decode_sequence(const ASN1_STRING *der)
{
	const unsigned char *p = ASN1_STRING_get0_data(der);
	const unsigned char *end = p + ASN1_STRING_length(der);
	STACK_OF(ASN1_TYPE) *out = d2i_ASN1_SEQUENCE_ANY(NULL, &p, ASN1_STRING_length(der));

	if (out != NULL && p == end)
		return out;
	sk_ASN1_TYPE_pop_free(out, ASN1_TYPE_free);
	return NULL;
}

/* The number by which oid extends the level's, 0 if it does not. */
static size_t arc_of(const struct level *l, const ASN1_OBJECT *oid)
{
	const uint8_t *p = OBJ_get0_data(oid);

	if (OBJ_length(oid) != l->oid_len + 1 || memcmp(p, l->oid, l->oid_len) != 0)
		return 0;
	return p[l->oid_len] <= ARCS_MAX ? p[l->oid_len] : 0;
}

static bool level_add(struct level *l, const ASN1_TYPE *pair)
{
	STACK_OF(ASN1_TYPE) *two =
		pair->type == V_ASN1_SEQUENCE ? decode_sequence(pair->value.sequence) : NULL;
	const ASN1_TYPE *name;
	size_t arc = 0;

	if (two != NULL && sk_ASN1_TYPE_num(two) == 2) {
		name = sk_ASN1_TYPE_value(two, 0);
		arc = name->type == V_ASN1_OBJECT ? arc_of(l, name->value.object) : 0;
	}
	if (arc > 0 && l->value[arc] == NULL) {
		l->value[arc] = sk_ASN1_TYPE_pop(two);
		l->n++;
	} else {
		arc = 0; /* an unknown name, or one that occurs twice */
	}
	sk_ASN1_TYPE_pop_free(two, ASN1_TYPE_free);
	return arc > 0;
}

static bool level_read(struct level *l, const ASN1_STRING *der)
{
	STACK_OF(ASN1_TYPE) *pairs = decode_sequence(der);
	bool ok = pairs != NULL;

	for (int i = 0; ok && i < sk_ASN1_TYPE_num(pairs); i++)
		ok = level_add(l, sk_ASN1_TYPE_value(pairs, i));
	sk_ASN1_TYPE_pop_free(pairs, ASN1_TYPE_free);
	return ok;
}

static bool read_octets(const ASN1_TYPE *v, uint8_t *ret, size_t len)
{
	if (v == NULL || v->type != V_ASN1_OCTET_STRING ||
		(size_t)ASN1_STRING_length(v->value.octet_string) != len)
		return false;
	if (ret != NULL)
		memcpy(ret, ASN1_STRING_get0_data(v->value.octet_string), len);
	return true;
}

static bool read_svn(const ASN1_TYPE *v, int64_t max, int64_t *ret)
{
	return v != NULL && v->type == V_ASN1_INTEGER && ASN1_INTEGER_get_int64(ret, v->value.integer) == 1 &&
	       *ret >= 0 && *ret <= max;
}

static bool read_tcb(const ASN1_TYPE *v, struct sgx_extension *sgx, struct outcome *o)
{
	struct level tcb = {.oid_len = sizeof(base_oid) + 1};
	uint8_t cpusvn[SGX_COMPONENTS];
	int64_t svn = 0;
	bool ok;

	memcpy(tcb.oid, base_oid, sizeof(base_oid));
	tcb.oid[sizeof(base_oid)] = ARC_TCB;
	ok = v != NULL && v->type == V_ASN1_SEQUENCE && level_read(&tcb, v->value.sequence) &&
	     tcb.n == SGX_COMPONENTS + 2 && read_octets(tcb.value[ARC_CPUSVN], cpusvn, sizeof(cpusvn));
	for (size_t i = 0; ok && i < SGX_COMPONENTS; i++) {
		ok = read_svn(tcb.value[i + 1], UINT8_MAX, &svn);
		sgx->svn[i] = (uint8_t)svn;
	}
	ok = ok && read_svn(tcb.value[ARC_PCESVN], UINT16_MAX, &svn);
	sgx->pcesvn = (uint16_t)svn;
	level_done(&tcb);
	if (!ok)
		return outcome_fail(o, "its TCB is malformed");
	/* Intel judges by the components and others by CPUSVN: one that says two things is refused. */
	if (memcmp(cpusvn, sgx->svn, sizeof(cpusvn)) != 0)
		return outcome_fail(o, "its CPUSVN differs from its TCB components");
	return true;
}

/* Dynamic platform, cached keys, SMT: informational, but what is there must be what it says. */
static bool read_configuration(const ASN1_TYPE *v)
{
	struct level flags = {.oid_len = sizeof(base_oid) + 1};
	bool ok;

	memcpy(flags.oid, base_oid, sizeof(base_oid));
	flags.oid[sizeof(base_oid)] = ARC_CONFIGURATION;
	ok = v != NULL && v->type == V_ASN1_SEQUENCE && level_read(&flags, v->value.sequence);
	for (size_t i = 1; ok && i <= ARCS_MAX; i++)
		ok = flags.value[i] == NULL || (i <= 3 && flags.value[i]->type == V_ASN1_BOOLEAN);
	level_done(&flags);
	return ok;
}

static bool read_fields(const struct level *l, struct sgx_extension *sgx, struct outcome *o)
{
	const ASN1_TYPE *type = l->value[ARC_TYPE];

	if (!read_octets(l->value[ARC_PPID], sgx->ppid, sizeof(sgx->ppid)))
		return outcome_fail(o, "its PPID is not 16 bytes");
	if (!read_octets(l->value[ARC_PCEID], sgx->pceid, sizeof(sgx->pceid)))
		return outcome_fail(o, "its PCEID is not 2 bytes");
	if (!read_octets(l->value[ARC_FMSPC], sgx->fmspc, sizeof(sgx->fmspc)))
		return outcome_fail(o, "its FMSPC is not 6 bytes");
	if (type == NULL || type->type != V_ASN1_ENUMERATED)
		return outcome_fail(o, "its SGX type is missing");
	sgx->platform = l->n == ARC_CONFIGURATION;
	if (sgx->platform && (!read_octets(l->value[ARC_INSTANCE], NULL, 16) ||
				     !read_configuration(l->value[ARC_CONFIGURATION])))
		return outcome_fail(o, "its platform instance or configuration is malformed");
	return read_tcb(l->value[ARC_TCB], sgx, o);
}

/* The extension's value; NULL unless it occurs exactly once. */
static const ASN1_STRING *find(const X509 *cert)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);
	int at = oid != NULL ? X509_get_ext_by_OBJ(cert, oid, -1) : -1;
	bool once = at >= 0 && X509_get_ext_by_OBJ(cert, oid, at) < 0;

	ASN1_OBJECT_free(oid);
	return once ? X509_EXTENSION_get_data(X509_get_ext(cert, at)) : NULL;
}

bool sgx_read(const X509 *cert, struct sgx_extension *ret, struct outcome *o)
{
	const ASN1_STRING *value = find(cert);
	struct level top = {.oid_len = sizeof(base_oid)};
	struct sgx_extension sgx = {0};
	bool ok = false;

	if (value == NULL)
		return outcome_fail(o, "the SGX extension does not occur exactly once");
	memcpy(top.oid, base_oid, sizeof(base_oid));
	if (!level_read(&top, value) || (top.n != ARC_TYPE && top.n != ARC_CONFIGURATION))
		outcome_fail(o, "its entries are not the 5 or 7 of a PCK certificate");
	else
		ok = read_fields(&top, &sgx, o);
	level_done(&top);
	if (ok)
		*ret = sgx;
	return ok;
}
