/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "evidence/certificate.h"

#define OID_EVENT_LOG "1.3.6.1.4.1.62397.1.2"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void add_extension(X509 *x509, const char *oid, const uint8_t *bytes, size_t len)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	must(object != NULL && value != NULL && ASN1_OCTET_STRING_set(value, bytes, (int)len) == 1);
	extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
	must(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(object);
}

static void add_wrapped(X509 *x509, const char *oid, const struct buf *content)
{
	ASN1_OCTET_STRING *inner = ASN1_OCTET_STRING_new();
	unsigned char *der = NULL;
	int len;

	if (content != NULL) {
		must(inner != NULL && ASN1_OCTET_STRING_set(inner, content->p, (int)content->len) == 1);
		len = i2d_ASN1_OCTET_STRING(inner, &der);
		must(len > 0);
		add_extension(x509, oid, der, (size_t)len);
	}
	OPENSSL_free(der);
	ASN1_OCTET_STRING_free(inner);
}

void sample_write_certificate(struct buf *b, const struct sample_certificate *what)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	unsigned char *der = NULL;
	int len;

	must(key != NULL && x509 != NULL && X509_set_version(x509, X509_VERSION_3) == 1);
	must(ASN1_TIME_set_string(X509_getm_notBefore(x509), "750101000000Z") == 1 &&
		ASN1_TIME_set_string(X509_getm_notAfter(x509), "20361231235959Z") == 1 &&
		X509_set_pubkey(x509, key) == 1);
	add_wrapped(x509, CERTIFICATE_OID_QUOTE, what->quote);
	add_wrapped(x509, OID_EVENT_LOG, what->eventlog);
	add_wrapped(x509, CERTIFICATE_OID_ATTESTATION, what->attestation);
	if (what->attestation_twice)
		add_wrapped(x509, CERTIFICATE_OID_ATTESTATION, what->attestation);
	if (what->raw_extension != NULL)
		add_extension(
			x509, CERTIFICATE_OID_ATTESTATION, what->raw_extension->p, what->raw_extension->len);
	must(X509_sign(x509, key, EVP_sha256()) > 0);
	len = i2d_X509(x509, &der);
	must(len > 0);
	buf_bytes(b, der, (size_t)len);
	OPENSSL_free(der);
	X509_free(x509);
	EVP_PKEY_free(key);
}
