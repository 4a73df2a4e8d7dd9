/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "appraisal/pck.h"
#include "fuzz.h"

/* PEM text to a chain: without a root nothing is ever trusted, and what passed was decoded. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct ecdsa_keys keys; /* kept, as endorsements keep theirs */
	const struct pck_known nothing = {.keys = &keys};
	struct pck *p = pck_new(cur_of(data, len), &nothing);

	assert(p != NULL && !outcome_passed(&p->root));
	if (outcome_passed(&p->chain))
		assert(cert_there(&p->leaf) && p->ca != NULL);
	pck_unref(p);
	ERR_clear_error();
	return 0;
}
