/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <string.h>

#include "appraisal/jwks.h"
#include "base/utf8.h"
#include "fuzz.h"

static void judge(const struct jwk *k)
{
	struct jwk_trust trust;
	char url[JWK_URL_MAX + 1];
	size_t n = jwk_n_revocable(k);

	for (size_t i = 0; i <= n; i++)
		if (jwk_crl_url(k, i, url))
			assert(i < n && strncmp(url, "http", 4) == 0 && utf8_is_plain(url));
	jwk_judge(k, NULL, 1751600000, &trust);
	assert(!outcome_passed(&trust.revoked)); /* without lists nobody knows */
	assert(!outcome_passed(&trust.chain) || outcome_passed(&k->outcome));
}

/* A key set, and all that is asked of the key of the seeds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct jwks *s = NULL;
	struct outcome o = {0};
	const struct jwk *k;

	if (jwks_new(cur_of(data, len), &s, &o)) {
		k = jwks_find(s, "key-1");
		if (k != NULL)
			judge(k);
	} else {
		assert(s == NULL && o.detail[0] != '\0');
	}
	jwks_free(s);
	ERR_clear_error(); /* whoever judges a chain has set a mark */
	return 0;
}
