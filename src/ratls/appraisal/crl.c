/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/crl.h"

#include <openssl/x509v3.h>

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

static bool decode(const struct buf *der, struct crl *c, struct outcome *o)
{
	const unsigned char *p = der->p;

	c->x509 = d2i_X509_CRL(NULL, &p, (long)der->len);
	if (c->x509 == NULL || p != der->p + der->len)
		return outcome_fail(o, "the revocation list could not be decoded");
	if (!certificate_time(X509_CRL_get0_lastUpdate(c->x509), &c->this_update))
		return outcome_fail(o, "the revocation list does not say when it was issued");
	if (!certificate_time(X509_CRL_get0_nextUpdate(c->x509), &c->next_update))
		return outcome_fail(o, "the revocation list does not say when it ends");
	return true;
}

bool crl_parse(struct cur text, struct crl *ret, struct outcome *o)
{
	struct buf der = {0};
	struct crl c = {0};
	bool ok = false;

	if (!to_der(text, &der) || der.len == 0)
		outcome_fail(o, "the revocation list is neither DER, PEM nor hex");
	else
		ok = decode(&der, &c, o);
	buf_done(&der);
	if (ok)
		*ret = c;
	else
		crl_done(&c);
	return ok;
}

void crl_done(struct crl *c)
{
	X509_CRL_free(c->x509);
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

bool crl_check(const struct crl *c, const struct cert *issuer, struct outcome *o)
{
	const unsigned char *name;
	size_t len;

	if (X509_NAME_get0_der(X509_CRL_get_issuer(c->x509), &name, &len) != 1 ||
		!cur_is(&issuer->asn1.subject, name, len))
		return outcome_fail(o, "the revocation list is not of \"%s\"", issuer->name);
	if (X509_CRL_get_version(c->x509) != X509_CRL_VERSION_2 ||
		X509_CRL_get_signature_nid(c->x509) != NID_ecdsa_with_SHA256)
		return outcome_fail(
			o, "the revocation list of \"%s\" is of another version or algorithm", issuer->name);
	if (!check_extensions(c, issuer, o))
		return false;
	if (X509_CRL_verify(c->x509, issuer->key) != 1)
		return outcome_fail(o, "the revocation list was not signed by \"%s\"", issuer->name);
	return outcome_pass(o);
}

bool crl_lists(const struct crl *c, const struct cert *cert)
{
	X509_REVOKED *entry;

	/* 1: revoked. 2: removed again, which a complete list never says: refused too. */
	return X509_CRL_get0_by_serial(c->x509, &entry, cert->serial) != 0;
}
