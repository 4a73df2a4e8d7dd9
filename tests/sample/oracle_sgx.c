/* SPDX-License-Identifier: Apache-2.0 */
#include "sample/oracle.h"

#include <stdio.h>
#include <string.h>
#include <openssl/asn1.h>
#include <openssl/objects.h>

#define BASE "1.2.840.113741.1.13.1"

static ASN1_SEQUENCE_ANY *elements(const ASN1_STRING *der)
{
	const unsigned char *p = ASN1_STRING_get0_data(der), *begin = p;
	ASN1_SEQUENCE_ANY *list = d2i_ASN1_SEQUENCE_ANY(NULL, &p, ASN1_STRING_length(der));

	if (list != NULL && p == begin + ASN1_STRING_length(der))
		return list;
	sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
	return NULL;
}

/* Of a pair the value, if its name is this one; the caller frees it. */
static ASN1_TYPE *value_of(const ASN1_TYPE *pair, const char *oid)
{
	ASN1_SEQUENCE_ANY *two = pair->type == V_ASN1_SEQUENCE ? elements(pair->value.sequence) : NULL;
	ASN1_TYPE *value = NULL;
	char name[80] = "";

	if (two != NULL && sk_ASN1_TYPE_num(two) == 2 && sk_ASN1_TYPE_value(two, 0)->type == V_ASN1_OBJECT)
		OBJ_obj2txt(name, sizeof(name), sk_ASN1_TYPE_value(two, 0)->value.object, 1);
	if (strcmp(name, oid) == 0)
		value = sk_ASN1_TYPE_pop(two);
	sk_ASN1_TYPE_pop_free(two, ASN1_TYPE_free);
	return value;
}

/* The value of this name; NULL unless there is exactly one. */
static ASN1_TYPE *find(const ASN1_STRING *level, const char *oid)
{
	ASN1_SEQUENCE_ANY *pairs = elements(level);
	ASN1_TYPE *found = NULL;
	int times = 0;

	for (int i = 0; i < sk_ASN1_TYPE_num(pairs); i++) {
		ASN1_TYPE *value = value_of(sk_ASN1_TYPE_value(pairs, i), oid);

		if (value == NULL)
			continue;
		ASN1_TYPE_free(found);
		found = value;
		times++;
	}
	sk_ASN1_TYPE_pop_free(pairs, ASN1_TYPE_free);
	if (times == 1)
		return found;
	ASN1_TYPE_free(found);
	return NULL;
}

static bool is_octets(const ASN1_STRING *level, const char *oid, const uint8_t *ours, size_t len)
{
	ASN1_TYPE *v = find(level, oid);
	bool same = v != NULL && v->type == V_ASN1_OCTET_STRING &&
		    (size_t)ASN1_STRING_length(v->value.octet_string) == len &&
		    memcmp(ASN1_STRING_get0_data(v->value.octet_string), ours, len) == 0;

	ASN1_TYPE_free(v);
	return same;
}

static bool is_number(const ASN1_STRING *level, const char *oid, int64_t ours)
{
	ASN1_TYPE *v = find(level, oid);
	int64_t is;
	bool same = v != NULL && v->type == V_ASN1_INTEGER &&
		    ASN1_INTEGER_get_int64(&is, v->value.integer) == 1 && is == ours;

	ASN1_TYPE_free(v);
	return same;
}

static bool is_tcb(const ASN1_STRING *level, const struct sgx_extension *sgx)
{
	ASN1_TYPE *tcb = find(level, BASE ".2");
	bool same = tcb != NULL && tcb->type == V_ASN1_SEQUENCE;

	for (int i = 0; same && i < SGX_COMPONENTS; i++) {
		char oid[80];

		snprintf(oid, sizeof(oid), BASE ".2.%d", i + 1);
		same = is_number(tcb->value.sequence, oid, sgx->svn[i]);
	}
	same = same && is_number(tcb->value.sequence, BASE ".2.17", sgx->pcesvn) &&
	       is_octets(tcb->value.sequence, BASE ".2.18", sgx->svn, sizeof(sgx->svn));
	ASN1_TYPE_free(tcb);
	return same;
}

static bool has(const ASN1_STRING *level, const char *oid, int type)
{
	ASN1_TYPE *v = find(level, oid);
	bool there = v != NULL && v->type == type;

	ASN1_TYPE_free(v);
	return there;
}

static const char *compare(const struct sgx_extension *sgx, const ASN1_STRING *level)
{
	if (!is_octets(level, BASE ".1", sgx->ppid, sizeof(sgx->ppid)))
		return "PPID";
	if (!is_tcb(level, sgx))
		return "TCB";
	if (!is_octets(level, BASE ".3", sgx->pceid, sizeof(sgx->pceid)))
		return "PCEID";
	if (!is_octets(level, BASE ".4", sgx->fmspc, sizeof(sgx->fmspc)))
		return "FMSPC";
	if (!has(level, BASE ".5", V_ASN1_ENUMERATED))
		return "type";
	if (sgx->platform != has(level, BASE ".6", V_ASN1_OCTET_STRING) ||
		sgx->platform != has(level, BASE ".7", V_ASN1_SEQUENCE))
		return "platform";
	return NULL;
}

const char *oracle_sgx(const struct sgx_extension *sgx, struct cur value)
{
	ASN1_OCTET_STRING *level = ASN1_OCTET_STRING_new();
	const char *differs = "out of memory";

	if (level != NULL && ASN1_OCTET_STRING_set(level, value.p, (int)value.left) == 1)
		differs = compare(sgx, level);
	ASN1_OCTET_STRING_free(level);
	return differs;
}
