/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/crl.h"

#include <openssl/x509v3.h>

#include "appraisal/asn1.h"
#include "appraisal/pem.h"
#include "base/hex.h"
#include "evidence/certificate.h"

#define DER_SEQUENCE 0x30

/* Appends the list's DER to ret. */
static bool to_der(struct cur text, struct buf *ret)
{
	uint8_t *to;

	if (text.left > 0 && text.p[0] == '-')
		return pem_next(&text, "X509 CRL", ret) && !pem_next(&text, "X509 CRL", ret) && !text.bad;
	if (text.left > 0 && text.p[0] == DER_SEQUENCE && text.left > 1 && text.p[1] >= 0x80) {
		buf_bytes(ret, text.p, text.left);
		return !ret->bad;
	}
	to = buf_reserve(ret, text.left / 2);
	if (to == NULL || !hex_decode((const char *)text.p, text.left, to, text.left / 2))
		return false;
	buf_added(ret, text.left / 2);
	return true;
}

/* RFC 5280 section 5.1.1. The algorithm stands in it twice: where it is signed, and where it is not. */
static bool read_signed(struct crl *c, bool *ret_algorithm)
{
	struct cur der = cur_of(c->der.p, c->der.len), list = asn1_take(&der, ASN1_TAG_SEQUENCE);
	struct cur whole = c->tbs = asn1_whole(&list, ASN1_TAG_SEQUENCE);
	struct cur outer = asn1_take(&list, ASN1_TAG_SEQUENCE), tbs = asn1_take(&whole, ASN1_TAG_SEQUENCE), inner;

	c->signature = asn1_bit_bytes(&list);
	asn1_uint(&tbs, UINT8_MAX);
	inner = asn1_take(&tbs, ASN1_TAG_SEQUENCE);
	*ret_algorithm = asn1_is_ecdsa_sha256(&inner) && asn1_is_ecdsa_sha256(&outer);
	return cur_done(&list) && cur_done(&der) && cur_ok(&tbs);
}

/* What is critical in an entry may say that it is another issuer's, or something that nobody here knows. */
static bool check_entries(const struct crl *c, struct outcome *o)
{
	STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(c->x509);

	for (int i = 0; i < sk_X509_REVOKED_num(list); i++) {
		const X509_REVOKED *entry = sk_X509_REVOKED_value(list, i);
		int64_t at;

		if (ASN1_STRING_type(X509_REVOKED_get0_serialNumber(entry)) == V_ASN1_NEG_INTEGER)
			return outcome_fail(o, "a serial number in the revocation list is negative");
		if (!certificate_time(X509_REVOKED_get0_revocationDate(entry), &at))
			return outcome_fail(o, "a date in the revocation list is none");
		if (X509_REVOKED_get_ext_by_critical(entry, 1, -1) >= 0)
			return outcome_fail(o, "an entry of the revocation list has a critical extension");
	}
	return true;
}

static bool decode(struct crl *c, struct outcome *o)
{
	const unsigned char *p = c->der.p;
	bool algorithm;

	c->x509 = d2i_X509_CRL(NULL, &p, (long)c->der.len);
	if (c->x509 == NULL || p != c->der.p + c->der.len)
		return outcome_fail(o, "the revocation list could not be decoded");
	if (!certificate_time(X509_CRL_get0_lastUpdate(c->x509), &c->this_update))
		return outcome_fail(o, "the revocation list does not say when it was issued");
	if (!certificate_time(X509_CRL_get0_nextUpdate(c->x509), &c->next_update))
		return outcome_fail(o, "the revocation list does not say when it ends");
	if (X509_CRL_get_version(c->x509) != X509_CRL_VERSION_2)
		return outcome_fail(o, "the revocation list is not of version 2");
	if (!read_signed(c, &algorithm))
		return outcome_fail(o, "the revocation list is not DER");
	if (!algorithm)
		return outcome_fail(o, "the revocation list is not signed with ECDSA and SHA-256");
	return check_entries(c, o);
}

bool crl_parse(struct cur text, struct crl *ret, struct outcome *o)
{
	struct crl c = {0};
	bool ok = false;

	if (to_der(text, &c.der) && c.der.len > 0)
		ok = decode(&c, o);
	else if (c.der.bad)
		outcome_unknown(o, "out of memory");
	else
		outcome_fail(o, "the revocation list is neither DER, PEM nor hex");
	if (ok)
		*ret = c;
	else
		crl_done(&c);
	return ok;
}

void crl_done(struct crl *c)
{
	X509_CRL_free(c->x509);
	buf_done(&c->der);
	*c = (struct crl){0};
}

/* CRL number and authority key identifier, and nothing critical: a delta or a partial list would be. */
static bool check_extensions(const struct crl *c, const struct cert *issuer, struct outcome *o)
{
	AUTHORITY_KEYID *aki = X509_CRL_get_ext_d2i(c->x509, NID_authority_key_identifier, NULL, NULL);
	struct cur ski = cert_key_id(issuer);
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(c->x509, NID_crl_number, NULL, NULL);
	bool same_key = aki != NULL && aki->keyid != NULL && ski.p != NULL &&
			cur_is(&ski, ASN1_STRING_get0_data(aki->keyid), (size_t)ASN1_STRING_length(aki->keyid));
	bool numbered = number != NULL;

	AUTHORITY_KEYID_free(aki);
	ASN1_INTEGER_free(number);
	if (!numbered)
		return outcome_fail(o, "the revocation list of \"%s\" has no number", issuer->name);
	if (!same_key)
		return outcome_fail(
			o, "the revocation list names another key than that of \"%s\"", issuer->name);
	if (X509_CRL_get_ext_by_critical(c->x509, 1, -1) >= 0)
		return outcome_fail(
			o, "the revocation list of \"%s\" has a critical extension", issuer->name);
	return true;
}

bool crl_check(const struct crl *c, const struct cert *issuer, struct ecdsa_keys *keys, struct outcome *o)
{
	enum ecdsa_answer answer;
	const unsigned char *name;
	size_t len;

	if (X509_NAME_get0_der(X509_CRL_get_issuer(c->x509), &name, &len) != 1 ||
		!cur_is(&issuer->asn1.subject, name, len))
		return outcome_fail(o, "the revocation list is not of \"%s\"", issuer->name);
	if (!check_extensions(c, issuer, o))
		return false;
	answer = ecdsa_verify_der(keys, &issuer->point, &c->signature, &c->tbs);
	if (answer == ECDSA_NO)
		return outcome_fail(o, "the revocation list was not signed by \"%s\"", issuer->name);
	return answer == ECDSA_YES ? outcome_pass(o) : outcome_unknown(o, ECDSA_UNDECIDED_TEXT);
}

bool crl_lists(const struct crl *c, const struct cert *cert)
{
	X509_REVOKED *entry;

	/* 1: revoked. 2: removed again, which a complete list never says: refused too. */
	return X509_CRL_get0_by_serial(c->x509, &entry, cert->serial) != 0;
}
