/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "appraisal/sgx.h"
#include "fuzz.h"

/* The bytes are the value of the SGX extension of a certificate that has nothing else. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509 *cert = X509_new();
	X509_EXTENSION *extension = NULL;
	struct sgx_extension sgx;
	struct outcome o = {0};

	assert(oid != NULL && value != NULL && cert != NULL);
	assert(ASN1_OCTET_STRING_set(value, data, (int)len) == 1);
	extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
	assert(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
	if (!sgx_read(cert, &sgx, &o))
		assert(o.status == CHECK_FAIL && o.detail[0] != '\0');
	X509_EXTENSION_free(extension);
	X509_free(cert);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
	ERR_clear_error();
	return 0;
}
