/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "../tests/sample/oracle.h"
#include "fuzz.h"

/* The bytes are the value of the SGX extension: what our own reader accepts OpenSSL reads in the same way. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cur value = cur_of(data, len);
	struct sgx_extension sgx;
	struct outcome o = {0};

	if (sgx_read(value, &sgx, &o))
		assert(oracle_sgx(&sgx, value) == NULL);
	else
		assert(o.status == CHECK_FAIL && o.detail[0] != '\0');
	ERR_clear_error();
	return 0;
}
