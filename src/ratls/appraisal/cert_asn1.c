/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/cert_asn1.h"

#include "appraisal/ecdsa.h"

/* clang-format off */
ASN1_SEQUENCE(CERT_VALIDITY) = {
	ASN1_SIMPLE(CERT_VALIDITY, not_before, ASN1_TIME),
	ASN1_SIMPLE(CERT_VALIDITY, not_after, ASN1_TIME),
} static_ASN1_SEQUENCE_END(CERT_VALIDITY)

ASN1_SEQUENCE(CERT_SPKI) = {
	ASN1_SIMPLE(CERT_SPKI, algorithm, X509_ALGOR),
	ASN1_SIMPLE(CERT_SPKI, bits, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(CERT_SPKI)

ASN1_SEQUENCE_enc(CERT_TBS, enc, NULL) = {
	ASN1_EXP_OPT(CERT_TBS, version, ASN1_INTEGER, 0),
	ASN1_SIMPLE(CERT_TBS, serial, ASN1_INTEGER),
	ASN1_SIMPLE(CERT_TBS, algorithm, X509_ALGOR),
	ASN1_SIMPLE(CERT_TBS, issuer, X509_NAME),
	ASN1_SIMPLE(CERT_TBS, validity, CERT_VALIDITY),
	ASN1_SIMPLE(CERT_TBS, subject, X509_NAME),
	ASN1_SIMPLE(CERT_TBS, spki, CERT_SPKI),
	ASN1_EXP_SEQUENCE_OF_OPT(CERT_TBS, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END_ref(CERT_TBS, CERT_TBS)

ASN1_SEQUENCE(CERT_ASN1) = {
	ASN1_SIMPLE(CERT_ASN1, tbs, CERT_TBS),
	ASN1_SIMPLE(CERT_ASN1, algorithm, X509_ALGOR),
	ASN1_SIMPLE(CERT_ASN1, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(CERT_ASN1)
							/* clang-format on */

							CERT_ASN1
							* cert_asn1_decode(struct cur der)
{
	const unsigned char *p = der.p;
	ASN1_VALUE *c = ASN1_item_d2i(NULL, &p, (long)der.left, ASN1_ITEM_rptr(CERT_ASN1));

	if (c != NULL && p == der.p + der.left)
		return (CERT_ASN1 *)c;
	cert_asn1_free((CERT_ASN1 *)c);
	return NULL;
}

void cert_asn1_free(CERT_ASN1 *c)
{
	ASN1_item_free((ASN1_VALUE *)c, ASN1_ITEM_rptr(CERT_ASN1));
}

struct cur cert_asn1_point(const CERT_ASN1 *c)
{
	const ASN1_OBJECT *algorithm;
	const void *group;
	int type;
	struct cur point = cur_of(c->tbs->spki->bits->data, (size_t)c->tbs->spki->bits->length);

	X509_ALGOR_get0(&algorithm, &type, &group, c->tbs->spki->algorithm);
	if (OBJ_obj2nid(algorithm) != NID_X9_62_id_ecPublicKey || type != V_ASN1_OBJECT ||
		OBJ_obj2nid(group) != NID_X9_62_prime256v1 || cur_u8(&point) != ECDSA_POINT_UNCOMPRESSED ||
		point.left != ECDSA_POINT_SIZE)
		point.bad = true;
	return point;
}

bool cert_asn1_verify(const CERT_ASN1 *c, EVP_PKEY *key)
{
	return ASN1_item_verify(ASN1_ITEM_rptr(CERT_TBS), c->algorithm, c->signature, c->tbs, key) == 1;
}
