/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/cert.h"

#include <string.h>
#include <openssl/x509v3.h>

#include "base/clock.h"

bool cert_time(const ASN1_TIME *t, int64_t *ret)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret = clock_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 86400 + tm.tm_hour * 3600 +
	       tm.tm_min * 60 + tm.tm_sec;
	return true;
}

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

static bool decode(struct cur der, struct cert *c, struct outcome *o)
{
	const unsigned char *p = der.p;

	if (der.left > CERT_DER_MAX)
		return outcome_fail(o, "a certificate of %zu bytes is larger than any", der.left);
	c->x509 = d2i_X509(NULL, &p, (long)der.left);
	if (c->x509 == NULL || p != der.p + der.left)
		return outcome_fail(o, "a certificate could not be decoded");
	c->key = X509_get0_pubkey(c->x509);
	if (c->key == NULL || !EVP_PKEY_is_a(c->key, "EC"))
		return outcome_fail(o, "a certificate's key is not an elliptic curve key");
	if (!common_name(X509_get_subject_name(c->x509), c->name))
		return outcome_fail(o, "a certificate's common name is missing or malformed");
	if (!cert_time(X509_get0_notBefore(c->x509), &c->not_before) ||
		!cert_time(X509_get0_notAfter(c->x509), &c->not_after))
		return outcome_fail(o, "the validity of \"%s\" is malformed", c->name);
	buf_bytes(&c->der, der.p, der.left);
	return c->der.bad ? outcome_unknown(o, "out of memory") : true;
}

bool cert_parse(struct cur der, struct cert *ret, struct outcome *o)
{
	struct cert c = {0};

	if (!decode(der, &c, o)) {
		cert_done(&c);
		return false;
	}
	*ret = c;
	return true;
}

void cert_done(struct cert *c)
{
	X509_free(c->x509);
	buf_done(&c->der);
	*c = (struct cert){0};
}

bool cert_copy(const struct cert *from, struct cert *to)
{
	struct cert c = *from;

	c.der = (struct buf){0};
	buf_bytes(&c.der, from->der.p, from->der.len);
	if (c.der.bad || X509_up_ref(from->x509) != 1) {
		buf_done(&c.der);
		return false;
	}
	*to = c;
	return true;
}

/* What each role must look like. Names are compared by their end, so that a development PKI may put a
 * word in front; nothing but the configured root decides whom to trust. */
static const struct role {
	const char *names[2];
	bool ca;
	long below; /* of a CA: how many CAs stand below it in our chains */
	uint32_t usage;
} roles[] = {
	[CERT_ROOT] = {{"SGX Root CA"}, true, 1, KU_KEY_CERT_SIGN | KU_CRL_SIGN},
	[CERT_PCK_CA] = {{"SGX PCK Platform CA", "SGX PCK Processor CA"}, true, 0,
		KU_KEY_CERT_SIGN | KU_CRL_SIGN},
	[CERT_PCK] = {{"SGX PCK Certificate"}, false, 0, KU_DIGITAL_SIGNATURE},
	[CERT_TCB_SIGNING] = {{"SGX TCB Signing"}, false, 0, KU_DIGITAL_SIGNATURE},
};

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = end != NULL ? strlen(end) : SIZE_MAX;

	return m <= n && strcmp(text + n - m, end) == 0;
}

/* The extensions that the profile demands of every certificate, each exactly once. */
static bool check_extensions(const struct cert *c, struct outcome *o)
{
	static const int required[] = {NID_authority_key_identifier, NID_crl_distribution_points,
		NID_subject_key_identifier, NID_key_usage, NID_basic_constraints};

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		int at = X509_get_ext_by_NID(c->x509, required[i], -1);

		if (at < 0 || X509_get_ext_by_NID(c->x509, required[i], at) >= 0)
			return outcome_fail(o, "\"%s\" does not carry the extension %s exactly once", c->name,
				OBJ_nid2ln(required[i]));
	}
	/* EXFLAG_CRITICAL: a critical extension that OpenSSL does not know. */
	if ((X509_get_extension_flags(c->x509) & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0)
		return outcome_fail(
			o, "an extension of \"%s\" is malformed or unknown and critical", c->name);
	return true;
}

static bool check_algorithms(const struct cert *c, struct outcome *o)
{
	char group[32];

	if (X509_get_version(c->x509) != X509_VERSION_3)
		return outcome_fail(o, "\"%s\" is not of X.509 version 3", c->name);
	if (X509_get_signature_nid(c->x509) != NID_ecdsa_with_SHA256)
		return outcome_fail(o, "\"%s\" is not signed with ECDSA and SHA-256", c->name);
	if (EVP_PKEY_get_group_name(c->key, group, sizeof(group), NULL) != 1 ||
		strcmp(group, SN_X9_62_prime256v1) != 0)
		return outcome_fail(o, "the key of \"%s\" is not on P-256", c->name);
	return true;
}

bool cert_check_role(const struct cert *c, enum cert_role role, struct outcome *o)
{
	const struct role *r = &roles[role];
	bool ca;
	long pathlen;

	if (!ends_with(c->name, r->names[0]) && !ends_with(c->name, r->names[1]))
		return outcome_fail(o, "\"%s\" stands where \"Intel %s\" should", c->name, r->names[0]);
	if (!check_algorithms(c, o) || !check_extensions(c, o))
		return false;
	ca = (X509_get_extension_flags(c->x509) & EXFLAG_CA) != 0;
	pathlen = X509_get_pathlen(c->x509);
	if (ca != r->ca)
		return outcome_fail(o, "\"%s\" %s a certificate authority", c->name, ca ? "is" : "is not");
	if (ca && pathlen >= 0 && pathlen < r->below) /* RFC 5280 section 4.2.1.9; -1 is no limit */
		return outcome_fail(o, "\"%s\" does not allow a chain of this length", c->name);
	if ((X509_get_key_usage(c->x509) & r->usage) != r->usage)
		return outcome_fail(o, "the key of \"%s\" may not be used for this", c->name);
	return true;
}

bool cert_check_issued(const struct cert *c, const struct cert *issuer, struct outcome *o)
{
	int rc = X509_check_issued(issuer->x509, c->x509);

	if (rc != X509_V_OK)
		return outcome_fail(o, "\"%s\" was not issued by \"%s\": %s", c->name, issuer->name,
			X509_verify_cert_error_string(rc));
	return true;
}

bool cert_check_signature(const struct cert *c, const struct cert *issuer, struct outcome *o)
{
	if (X509_verify(c->x509, issuer->key) != 1)
		return outcome_fail(o, "\"%s\" was not signed by \"%s\"", c->name, issuer->name);
	return true;
}
