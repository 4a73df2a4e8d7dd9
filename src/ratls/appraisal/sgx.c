/* SPDX-License-Identifier: Apache-2.0
 *
 * ASN.1 is OpenSSL's to decode. Each level is a SEQUENCE of (OID, value) pairs in any order, whose OIDs
 * extend the OID of the level by one number: reading a level means filing its values by that number.
 */
#include "appraisal/sgx.h"

#include <string.h>
#include <openssl/asn1t.h>
#include <openssl/objects.h>

#define ARCS_MAX 18

/* 1.2.840.113741.1.13.1 as DER carries it */
static const uint8_t base_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

enum { ARC_PPID = 1, ARC_TCB, ARC_PCEID, ARC_FMSPC, ARC_TYPE, ARC_INSTANCE, ARC_CONFIGURATION };
enum { ARC_PCESVN = 17, ARC_CPUSVN = 18 }; /* below ARC_TCB, after the 16 components */

/* Named in OpenSSL's way, for its templates. */
typedef struct {
	ASN1_OBJECT *name;
	ASN1_TYPE *value;
} SGX_PAIR;

DEFINE_STACK_OF(SGX_PAIR)

/* clang-format off */
ASN1_SEQUENCE(SGX_PAIR) = {
	ASN1_SIMPLE(SGX_PAIR, name, ASN1_OBJECT),
	ASN1_SIMPLE(SGX_PAIR, value, ASN1_ANY),
} static_ASN1_SEQUENCE_END(SGX_PAIR)

ASN1_ITEM_TEMPLATE(SGX_PAIRS) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, SGX_PAIRS, SGX_PAIR)
static_ASN1_ITEM_TEMPLATE_END(SGX_PAIRS)
	/* clang-format on */

	struct level {
	uint8_t oid[sizeof(base_oid) + 1];
	size_t oid_len;
	STACK_OF(SGX_PAIR) * pairs;           /* owned */
	const ASN1_TYPE *value[ARCS_MAX + 1]; /* of the pairs, by number; NULL where there is none */
	int n;
};

static void level_done(struct level *l)
{
	ASN1_item_free((ASN1_VALUE *)l->pairs, ASN1_ITEM_rptr(SGX_PAIRS));
}

/* The number by which oid extends the level's, 0 if it does not. */
static size_t arc_of(const struct level *l, const ASN1_OBJECT *oid)
{
	const uint8_t *p = OBJ_get0_data(oid);

	if (OBJ_length(oid) != l->oid_len + 1 || memcmp(p, l->oid, l->oid_len) != 0)
		return 0;
	return p[l->oid_len] <= ARCS_MAX ? p[l->oid_len] : 0;
}

/* False if the text is not pairs and nothing more, or a name is unknown or occurs twice. */
static bool level_read(struct level *l, const ASN1_STRING *der)
{
	const unsigned char *p = ASN1_STRING_get0_data(der);
	const unsigned char *end = p + ASN1_STRING_length(der);

	l->pairs = (STACK_OF(SGX_PAIR) *)ASN1_item_d2i(
		NULL, &p, ASN1_STRING_length(der), ASN1_ITEM_rptr(SGX_PAIRS));
	if (l->pairs == NULL || p != end)
		return false;
	for (l->n = 0; l->n < sk_SGX_PAIR_num(l->pairs); l->n++) {
		const SGX_PAIR *pair = sk_SGX_PAIR_value(l->pairs, l->n);
		size_t arc = arc_of(l, pair->name);

		if (arc == 0 || l->value[arc] != NULL)
			return false;
		l->value[arc] = pair->value;
	}
	return true;
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
static const ASN1_STRING *find(const STACK_OF(X509_EXTENSION) * extensions)
{
	const ASN1_STRING *found = NULL;

	for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
		X509_EXTENSION *e = sk_X509_EXTENSION_value(extensions, i);
		const ASN1_OBJECT *name = X509_EXTENSION_get_object(e);

		if (OBJ_length(name) != sizeof(base_oid) ||
			memcmp(OBJ_get0_data(name), base_oid, sizeof(base_oid)) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = X509_EXTENSION_get_data(e);
	}
	return found;
}

bool sgx_read(const STACK_OF(X509_EXTENSION) * extensions, struct sgx_extension *ret, struct outcome *o)
{
	const ASN1_STRING *value = find(extensions);
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
