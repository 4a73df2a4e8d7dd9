/* SPDX-License-Identifier: Apache-2.0 */
#include "sample/oracle.h"

#include <string.h>
#include <openssl/x509v3.h>

#include "evidence/certificate.h"

static X509 *decode(struct cur der)
{
	const unsigned char *p = der.p;
	X509 *x509 = d2i_X509(NULL, &p, (long)der.left);

	if (x509 != NULL && p == der.p + der.left)
		return x509;
	X509_free(x509);
	return NULL;
}

static bool is_name(struct cur ours, const X509_NAME *theirs)
{
	const unsigned char *p;
	size_t len;

	return X509_NAME_get0_der(theirs, &p, &len) == 1 && cur_is(&ours, p, len);
}

static bool is_common_name(const char *ours, const X509_NAME *theirs)
{
	int at = X509_NAME_get_index_by_NID(theirs, NID_commonName, -1);
	const ASN1_STRING *s = at >= 0 ? X509_NAME_ENTRY_get_data(X509_NAME_get_entry(theirs, at)) : NULL;

	return s != NULL && X509_NAME_get_index_by_NID(theirs, NID_commonName, at) < 0 &&
	       (size_t)ASN1_STRING_length(s) == strlen(ours) &&
	       memcmp(ASN1_STRING_get0_data(s), ours, strlen(ours)) == 0;
}

static bool is_time(int64_t ours, const ASN1_TIME *theirs)
{
	int64_t at;

	return certificate_time(theirs, &at) && at == ours;
}

static bool is_key(const struct cert *c, X509 *theirs)
{
	const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(theirs);
	struct cur point = cert_asn1_point(&c->asn1), is = cur_of(bits->data, (size_t)bits->length);

	return cur_u8(&is) == ECDSA_POINT_UNCOMPRESSED && cur_eq(&point, &is) && cur_eq(&c->point, &is) &&
	       X509_get0_pubkey(theirs) != NULL;
}

static bool is_signature(const struct cert *c, X509 *theirs)
{
	const ASN1_BIT_STRING *bits;
	const X509_ALGOR *outer;
	struct ecdsa_keys keys = {.idle = {NULL}};
	struct outcome o = {0};
	bool holds;

	X509_get0_signature(&bits, &outer, theirs);
	if (!cur_is(&c->asn1.signature, bits->data, (size_t)bits->length))
		return false;
	if (cert_asn1_is_ecdsa_sha256(&c->asn1) &&
		(X509_get_signature_nid(theirs) != NID_ecdsa_with_SHA256 ||
			X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(theirs)) != 0))
		return false;
	/* By its own key: the root's holds. */
	holds = cert_check_signature(c, c, &keys, &o);
	ecdsa_keys_done(&keys);
	return !holds || X509_verify(theirs, X509_get0_pubkey(theirs)) == 1;
}

static bool is_key_id(const struct cert *c, const X509 *theirs)
{
	ASN1_OCTET_STRING *id = X509_get_ext_d2i(theirs, NID_subject_key_identifier, NULL, NULL);
	struct cur ours = cert_key_id(c);
	bool same = ours.p == NULL ||
		    (id != NULL && cur_is(&ours, ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)));

	ASN1_OCTET_STRING_free(id);
	return ours.bad || same;
}

static const char *compare(const struct cert *c, X509 *theirs)
{
	if (c->asn1.v3 != (X509_get_version(theirs) == X509_VERSION_3))
		return "version";
	if (ASN1_INTEGER_cmp(c->serial, X509_get0_serialNumber(theirs)) != 0)
		return "serial number";
	if (!is_name(c->asn1.issuer, X509_get_issuer_name(theirs)))
		return "issuer";
	if (!is_name(c->asn1.subject, X509_get_subject_name(theirs)))
		return "subject";
	if (!is_common_name(c->name, X509_get_subject_name(theirs)))
		return "common name";
	if (!is_time(c->not_before, X509_get0_notBefore(theirs)) ||
		!is_time(c->not_after, X509_get0_notAfter(theirs)))
		return "validity";
	if (!is_key(c, theirs))
		return "key";
	if (!is_signature(c, theirs))
		return "signature";
	return is_key_id(c, theirs) ? NULL : "subject key identifier";
}

const char *oracle_cert(const struct cert *c, struct cur der)
{
	X509 *theirs = decode(der);
	const char *differs = theirs != NULL ? compare(c, theirs) : "it is no certificate";

	X509_free(theirs);
	return differs;
}

static bool once(const X509 *x509, int nid)
{
	int at = X509_get_ext_by_NID(x509, nid, -1);

	return at >= 0 && X509_get_ext_by_NID(x509, nid, at) < 0;
}

static bool nothing_else_is_critical(const X509 *x509)
{
	for (int at = -1; (at = X509_get_ext_by_critical(x509, 1, at)) >= 0;) {
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(X509_get_ext(x509, at)));

		if (nid != NID_key_usage && nid != NID_basic_constraints)
			return false;
	}
	return true;
}

static bool is_constrained(const X509 *x509, bool ca, long below)
{
	BASIC_CONSTRAINTS *b = X509_get_ext_d2i(x509, NID_basic_constraints, NULL, NULL);
	bool ok = b != NULL && (b->ca != 0) == ca && (ca || b->pathlen == NULL) &&
		  (b->pathlen == NULL || ASN1_INTEGER_get(b->pathlen) >= below);

	BASIC_CONSTRAINTS_free(b);
	return ok;
}

/* RFC 5280 section 4.2.1.3: 0 signs data, 5 certificates, 6 revocation lists. */
static bool is_usable(const X509 *x509, bool ca)
{
	ASN1_BIT_STRING *usage = X509_get_ext_d2i(x509, NID_key_usage, NULL, NULL);
	bool ok = usage != NULL &&
		  (ca ? ASN1_BIT_STRING_get_bit(usage, 5) == 1 && ASN1_BIT_STRING_get_bit(usage, 6) == 1
		      : ASN1_BIT_STRING_get_bit(usage, 0) == 1);

	ASN1_BIT_STRING_free(usage);
	return ok;
}

static const char *compare_role(const X509 *x509, enum cert_role role)
{
	static const int required[] = {NID_authority_key_identifier, NID_crl_distribution_points,
		NID_subject_key_identifier, NID_key_usage, NID_basic_constraints};
	bool ca = role == CERT_ROOT || role == CERT_PCK_CA;

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		if (!once(x509, required[i]))
			return "extensions";
	if (X509_get_version(x509) != X509_VERSION_3 || X509_get_signature_nid(x509) != NID_ecdsa_with_SHA256)
		return "version or algorithm";
	if (!nothing_else_is_critical(x509))
		return "critical extensions";
	if (!is_constrained(x509, ca, role == CERT_ROOT))
		return "basic constraints";
	return is_usable(x509, ca) ? NULL : "key usage";
}

const char *oracle_role(struct cur der, enum cert_role role)
{
	X509 *theirs = decode(der);
	const char *differs = theirs != NULL ? compare_role(theirs, role) : "it is no certificate";

	X509_free(theirs);
	return differs;
}
