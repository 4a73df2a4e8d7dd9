/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/chain.h"

#include "appraisal/pem.h"

bool chain_split(struct cur pem, size_t n, struct chain_text *ret, struct outcome *o)
{
	struct chain_text chain = {0};
	struct buf surplus = {0};
	bool whole, no_memory;

	while (chain.n < n && pem_next(&pem, "CERTIFICATE", &chain.der[chain.n]))
		chain.n++;
	/* One more step than there are certificates: it must find the end of the text. */
	whole = chain.n == n && !pem_next(&pem, "CERTIFICATE", &surplus) && !pem.bad;
	no_memory = surplus.bad || (chain.n < n && chain.der[chain.n].bad);
	buf_done(&surplus);
	if (whole) {
		*ret = chain;
		return true;
	}
	if (no_memory)
		outcome_unknown(o, "out of memory");
	else
		outcome_fail(o,
			pem.bad ? "a certificate chain is malformed"
				: "a certificate chain does not hold exactly %zu certificate%s",
			n, n == 1 ? "" : "s");
	chain_done(&chain);
	return false;
}

void chain_done(struct chain_text *c)
{
	for (size_t i = 0; i < CHAIN_MAX; i++)
		buf_done(&c->der[i]);
	c->n = 0;
}

bool chain_check_pair(struct cur pem, enum cert_role role, const struct cert *anchor, struct ecdsa_keys *keys,
	struct cert *ret, struct outcome *o)
{
	struct chain_text chain = {0};
	bool ok = false;

	if (!chain_split(pem, 2, &chain, o))
		return false;
	if (!cert_parse(chain_der(&chain, 0), keys, ret, o))
		goto out;
	if (!cert_is(anchor, chain_der(&chain, 1))) {
		outcome_fail(o, "the chain of \"%s\" does not end in the configured root", ret->name);
		goto out;
	}
	ok = cert_check_role(ret, role, o) && cert_check_role(anchor, CERT_ROOT, o) &&
	     cert_check_issued(ret, anchor, o) && cert_check_signature(ret, anchor, keys, o) && outcome_pass(o);
out:
	chain_done(&chain);
	return ok;
}
