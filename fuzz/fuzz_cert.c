/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "../tests/sample/oracle.h"
#include "fuzz.h"

/* A certificate in DER: what our own reader accepts OpenSSL reads in the same way. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct ecdsa_keys keys; /* kept, as endorsements keep theirs */
	struct cur der = cur_of(data, len);
	struct outcome o = {0};
	struct cert c = {0};

	if (cert_parse(der, &keys, &c, &o)) {
		assert(cert_is(&c, der) && oracle_cert(&c, der) == NULL);
		for (int role = CERT_ROOT; role <= CERT_TCB_SIGNING; role++)
			if (cert_check_role(&c, (enum cert_role)role, &o))
				assert(oracle_role(der, (enum cert_role)role) == NULL);
	} else {
		assert(!cert_there(&c) && o.detail[0] != '\0');
	}
	cert_done(&c);
	ERR_clear_error();
	return 0;
}
