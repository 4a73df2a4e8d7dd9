/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "appraisal/sgx.h"
#include "fuzz.h"

/* The bytes are the value of the SGX extension of a certificate that has no other. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	X509_EXTENSION *extension;
	struct sgx_extension sgx;
	struct outcome o = {0};

	assert(oid != NULL && value != NULL && extensions != NULL);
	assert(ASN1_OCTET_STRING_set(value, data, (int)len) == 1);
	extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
	assert(extension != NULL && sk_X509_EXTENSION_push(extensions, extension) == 1);
	if (!sgx_read(extensions, &sgx, &o))
		assert(o.status == CHECK_FAIL && o.detail[0] != '\0');
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
	ERR_clear_error();
	return 0;
}
