/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "appraisal/crl.h"
#include "fuzz.h"

/* OpenSSL, which reads the list, and we, who read what is signed, see one signature. */
static void agree(const struct crl *c)
{
	const ASN1_BIT_STRING *signature;

	X509_CRL_get0_signature(c->x509, &signature, NULL);
	assert(cur_is(&c->signature, signature->data, (size_t)signature->length));
}

/* DER, PEM or hex: what was accepted has its two times. Appraisal clears OpenSSL's error queue, here we do. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct outcome o = {0};
	struct crl c = {0};

	if (crl_parse(cur_of(data, len), &c, &o)) {
		assert(c.x509 != NULL && X509_CRL_get0_nextUpdate(c.x509) != NULL);
		agree(&c);
	} else {
		assert(c.x509 == NULL && o.detail[0] != '\0');
	}
	crl_done(&c);
	ERR_clear_error();
	return 0;
}
