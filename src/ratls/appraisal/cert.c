/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/cert.h"

#include <string.h>
#include <openssl/x509v3.h>

#include "appraisal/ecdsa.h"
#include "evidence/certificate.h"

/* Exactly one common name, of printable ASCII: it decides the role and is shown to people. */
static bool common_name(const X509_NAME *name, char ret[static 65])
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const ASN1_STRING *s;

	if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		return false;
	s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	if (s == NULL || ASN1_STRING_length(s) < 1 || ASN1_STRING_length(s) > 64)
		return false;
	for (int i = 0; i < ASN1_STRING_length(s); i++)
		if (ASN1_STRING_get0_data(s)[i] < ' ' || ASN1_STRING_get0_data(s)[i] > '~')
			return false;
	memcpy(ret, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
	ret[ASN1_STRING_length(s)] = '\0';
	return true;
}

static bool decode(struct cur der, EVP_PKEY *like, struct cert *c, struct outcome *o)
{
	const CERT_TBS *tbs;
	struct cur point;

	if (der.left > CERT_DER_MAX)
		return outcome_fail(o, "a certificate of %zu bytes is larger than any", der.left);
	c->asn1 = cert_asn1_decode(der);
	if (c->asn1 == NULL)
		return outcome_fail(o, "a certificate could not be decoded");
	tbs = c->asn1->tbs;
	if (!common_name(tbs->subject, c->name))
		return outcome_fail(o, "a certificate's common name is missing or malformed");
	if (!certificate_time(tbs->validity->not_before, &c->not_before) ||
		!certificate_time(tbs->validity->not_after, &c->not_after))
		return outcome_fail(o, "the validity of \"%s\" is malformed", c->name);
	point = cert_asn1_point(c->asn1);
	c->key = ecdsa_key(&point, like);
	if (c->key == NULL)
		return outcome_fail(o, "the key of \"%s\" is not a point on P-256", c->name);
	buf_bytes(&c->der, der.p, der.left);
	return c->der.bad ? outcome_unknown(o, "out of memory") : true;
}

bool cert_parse(struct cur der, EVP_PKEY *like, struct cert *ret, struct outcome *o)
{
	struct cert c = {0};

	if (!decode(der, like, &c, o)) {
		cert_done(&c);
		return false;
	}
	*ret = c;
	return true;
}

void cert_done(struct cert *c)
{
	cert_asn1_free(c->asn1);
	EVP_PKEY_free(c->key);
	buf_done(&c->der);
	*c = (struct cert){0};
}

/* RFC 5280 section 4.2.1.3 */
enum { USAGE_SIGN = 0, USAGE_CERT_SIGN = 5, USAGE_CRL_SIGN = 6 };

/* What each role must look like. Names are compared by their end, so that a development PKI may put a
 * word in front; nothing but the configured root decides whom to trust. */
static const struct role {
	const char *names[2];
	bool ca;
	long below;   /* of a CA: how many CAs stand below it in our chains */
	int usage[2]; /* bits of the key usage; -1: none */
} roles[] = {
	[CERT_ROOT] = {{"SGX Root CA"}, true, 1, {USAGE_CERT_SIGN, USAGE_CRL_SIGN}},
	[CERT_PCK_CA] = {{"SGX PCK Platform CA", "SGX PCK Processor CA"}, true, 0,
		{USAGE_CERT_SIGN, USAGE_CRL_SIGN}},
	[CERT_PCK] = {{"SGX PCK Certificate"}, false, 0, {USAGE_SIGN, -1}},
	[CERT_TCB_SIGNING] = {{"SGX TCB Signing"}, false, 0, {USAGE_SIGN, -1}},
};

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = end != NULL ? strlen(end) : SIZE_MAX;

	return m <= n && strcmp(text + n - m, end) == 0;
}

/* The value of an extension that occurs exactly once (the caller frees it), else NULL. */
static void *extension(const struct cert *c, int nid)
{
	return X509V3_get_d2i(c->asn1->tbs->extensions, nid, NULL, NULL);
}

ASN1_OCTET_STRING *cert_key_id(const struct cert *c)
{
	return extension(c, NID_subject_key_identifier);
}

/* The extensions that the profile demands of every certificate, each exactly once. */
static bool check_extensions(const struct cert *c, struct outcome *o)
{
	static const int required[] = {NID_authority_key_identifier, NID_crl_distribution_points,
		NID_subject_key_identifier, NID_key_usage, NID_basic_constraints};
	const STACK_OF(X509_EXTENSION) *extensions = c->asn1->tbs->extensions;

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		int at = X509v3_get_ext_by_NID(extensions, required[i], -1);

		if (at < 0 || X509v3_get_ext_by_NID(extensions, required[i], at) >= 0)
			return outcome_fail(o, "\"%s\" does not carry the extension %s exactly once", c->name,
				OBJ_nid2ln(required[i]));
	}
	/* The profile makes two of them critical; any other that is would be one that we do not honour. */
	for (int at = -1; (at = X509v3_get_ext_by_critical(extensions, 1, at)) >= 0;) {
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(X509v3_get_ext(extensions, at)));

		if (nid != NID_key_usage && nid != NID_basic_constraints)
			return outcome_fail(o, "\"%s\" has a critical extension that is not known", c->name);
	}
	return true;
}

static bool check_algorithms(const struct cert *c, struct outcome *o)
{
	const CERT_ASN1 *a = c->asn1;
	const ASN1_OBJECT *algorithm;

	if (a->tbs->version == NULL || ASN1_INTEGER_get(a->tbs->version) != X509_VERSION_3)
		return outcome_fail(o, "\"%s\" is not of X.509 version 3", c->name);
	X509_ALGOR_get0(&algorithm, NULL, NULL, a->algorithm);
	if (OBJ_obj2nid(algorithm) != NID_ecdsa_with_SHA256 ||
		X509_ALGOR_cmp(a->algorithm, a->tbs->algorithm) != 0)
		return outcome_fail(o, "\"%s\" is not signed with ECDSA and SHA-256", c->name);
	return true;
}

static bool check_constraints(const struct cert *c, const struct role *r, struct outcome *o)
{
	BASIC_CONSTRAINTS *b = extension(c, NID_basic_constraints);
	bool ca = b != NULL && b->ca != 0;
	bool enough = b != NULL && (b->pathlen == NULL || ASN1_INTEGER_get(b->pathlen) >= r->below);
	bool well_formed = b != NULL && (b->ca != 0 || b->pathlen == NULL);

	BASIC_CONSTRAINTS_free(b);
	if (!well_formed)
		return outcome_fail(o, "the basic constraints of \"%s\" are malformed", c->name);
	if (ca != r->ca)
		return outcome_fail(o, "\"%s\" %s a certificate authority", c->name, ca ? "is" : "is not");
	if (ca && !enough) /* RFC 5280 section 4.2.1.9 */
		return outcome_fail(o, "\"%s\" does not allow a chain of this length", c->name);
	return true;
}

static bool check_usage(const struct cert *c, const struct role *r, struct outcome *o)
{
	ASN1_BIT_STRING *usage = extension(c, NID_key_usage);
	bool ok = usage != NULL;

	for (size_t i = 0; i < 2 && r->usage[i] >= 0; i++)
		ok = ok && ASN1_BIT_STRING_get_bit(usage, r->usage[i]) == 1;
	ASN1_BIT_STRING_free(usage);
	return ok ? true : outcome_fail(o, "the key of \"%s\" may not be used for this", c->name);
}

bool cert_check_role(const struct cert *c, enum cert_role role, struct outcome *o)
{
	const struct role *r = &roles[role];

	if (!ends_with(c->name, r->names[0]) && !ends_with(c->name, r->names[1]))
		return outcome_fail(o, "\"%s\" stands where \"Intel %s\" should", c->name, r->names[0]);
	return check_algorithms(c, o) && check_extensions(c, o) && check_constraints(c, r, o) &&
	       check_usage(c, r, o);
}

bool cert_check_issued(const struct cert *c, const struct cert *issuer, struct outcome *o)
{
	AUTHORITY_KEYID *authority = extension(c, NID_authority_key_identifier);
	ASN1_OCTET_STRING *key_id = cert_key_id(issuer);
	/* That both are there is the role's business: a configured root may do without (RFC 5280 section 4.2.1.1). */
	bool same_key = authority == NULL || authority->keyid == NULL || key_id == NULL ||
			ASN1_OCTET_STRING_cmp(authority->keyid, key_id) == 0;

	AUTHORITY_KEYID_free(authority);
	ASN1_OCTET_STRING_free(key_id);
	if (X509_NAME_cmp(c->asn1->tbs->issuer, issuer->asn1->tbs->subject) != 0)
		return outcome_fail(o, "\"%s\" was not issued by \"%s\"", c->name, issuer->name);
	if (!same_key)
		return outcome_fail(o, "\"%s\" names another key than that of \"%s\"", c->name, issuer->name);
	return true;
}

bool cert_check_signature(const struct cert *c, const struct cert *issuer, struct outcome *o)
{
	if (!cert_asn1_verify(c->asn1, issuer->key))
		return outcome_fail(o, "\"%s\" was not signed by \"%s\"", c->name, issuer->name);
	return true;
}

bool cert_same_ca(const struct cert *a, const struct cert *b)
{
	return X509_NAME_cmp(a->asn1->tbs->subject, b->asn1->tbs->subject) == 0 &&
	       EVP_PKEY_eq(a->key, b->key) == 1;
}
