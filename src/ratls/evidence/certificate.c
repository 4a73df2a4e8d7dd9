/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/certificate.h"

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/reason.h"
#include "evidence/evidence.h"

/* 1.3.6.1.4.1.62397.1, the arc of dstack's extensions, as DER. */
static const uint8_t arc[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xe7, 0x3d, 0x01};

enum { QUOTE = 1, EVENT_LOG = 2, ATTESTATION = 8 };

static int malformed(struct ratls_error *err, const char *what)
{
	return err_reason(
		err, RATLS_E_FORMAT, REASON_CERTIFICATE_FORMAT, "could not parse certificate: %s", what);
}

static bool is_oid(const ASN1_OBJECT *oid, uint8_t last)
{
	struct cur der = cur_of(OBJ_get0_data(oid), OBJ_length(oid));
	struct cur prefix = cur_take(&der, sizeof(arc));

	return cur_is(&prefix, arc, sizeof(arc)) && cur_is(&der, &last, 1);
}

/* The value is an OCTET STRING within the extension's own: exactly one, primitive, and not empty. */
static bool unwrap(const ASN1_OCTET_STRING *value, struct cur *ret)
{
	struct cur c = cur_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
	const unsigned char *p = c.p;
	long len;
	int tag, class;
	int flags = ASN1_get_object(&p, &len, &tag, &class, (long)c.left);

	if (flags != 0 || tag != V_ASN1_OCTET_STRING || class != V_ASN1_UNIVERSAL || len <= 0)
		return false;
	cur_take(&c, (size_t)(p - c.p));
	*ret = cur_take(&c, (size_t)len);
	return cur_done(&c);
}

static int find_extension(const X509 *x509, uint8_t last, struct cur *ret, struct ratls_error *err)
{
	int n = X509_get_ext_count(x509), seen = 0;

	*ret = cur_of(NULL, 0);
	for (int i = 0; i < n; i++) {
		X509_EXTENSION *ext = X509_get_ext(x509, i);

		if (!is_oid(X509_EXTENSION_get_object(ext), last))
			continue;
		if (++seen > 1)
			return err_reason(err, RATLS_E_FORMAT, REASON_EVIDENCE_EXTENSION,
				"certificate has attestation extension %u twice", last);
		if (!unwrap(X509_EXTENSION_get_data(ext), ret))
			return err_reason(err, RATLS_E_FORMAT, REASON_EVIDENCE_EXTENSION,
				"certificate's attestation extension %u is not one OCTET STRING", last);
	}
	return RATLS_OK;
}

static int find_evidence(struct certificate *c, struct ratls_error *err)
{
	int rc;

	if ((rc = find_extension(c->x509, ATTESTATION, &c->attestation, err)) != RATLS_OK ||
		(rc = find_extension(c->x509, QUOTE, &c->quote, err)) != RATLS_OK ||
		(rc = find_extension(c->x509, EVENT_LOG, &c->eventlog, err)) != RATLS_OK)
		return rc;
	if (c->attestation.left > 0)
		return RATLS_OK;
	if (c->quote.left == 0)
		return err_reason(err, RATLS_E_NO_EVIDENCE, REASON_NO_EVIDENCE,
			"cert has no TDX attestation extension");
	if (c->eventlog.left == 0)
		return err_reason(err, RATLS_E_FORMAT, REASON_EVIDENCE_EVENT_LOG,
			"certificate has a quote, but no event log beside it");
	return RATLS_OK;
}

bool certificate_time(const ASN1_TIME *time, int64_t *ret)
{
	struct tm tm;

	if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	*ret = clock_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 86400 + tm.tm_hour * 3600 +
	       tm.tm_min * 60 + tm.tm_sec;
	return true;
}

static int parse(struct cur der, struct certificate *c, struct ratls_error *err)
{
	const unsigned char *p = der.p;
	int len;

	c->x509 = d2i_X509(NULL, &p, (long)der.left);
	if (c->x509 == NULL || (size_t)(p - der.p) != der.left)
		return malformed(err, "not exactly one X.509 certificate in DER");
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x509), &c->spki_der);
	if (len <= 0)
		return malformed(err, "its public key");
	c->spki = cur_of(c->spki_der, (size_t)len);
	if (!certificate_time(X509_get0_notBefore(c->x509), &c->not_before) ||
		!certificate_time(X509_get0_notAfter(c->x509), &c->not_after))
		return malformed(err, "its validity");
	return find_evidence(c, err);
}

int certificate_open(struct cur der, struct certificate *ret, struct ratls_error *err)
{
	struct certificate c = {0};
	int rc;

	if (der.left == 0 || der.left > EVIDENCE_CERTIFICATE_MAX)
		return err_reason(err, RATLS_E_FORMAT, REASON_EVIDENCE_SIZE,
			"could not parse certificate: a size of %zu bytes", der.left);
	/* What OpenSSL has to say of it must not surface as an error of the connection. */
	ERR_set_mark();
	rc = parse(der, &c, err);
	ERR_pop_to_mark();
	if (rc != RATLS_OK)
		certificate_done(&c);
	else
		*ret = c;
	return rc;
}

void certificate_done(struct certificate *c)
{
	X509_free(c->x509);
	OPENSSL_free(c->spki_der);
	*c = (struct certificate){0};
}
