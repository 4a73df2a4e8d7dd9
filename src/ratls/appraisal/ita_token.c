/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/ita_token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <openssl/err.h>


/* ---- keys ---------------------------------------------------------------------------------------------- */

/* "HOST[:PORT]" of an https URL; empty if it is none. */
static struct cur authority(const char *url)
{
	static const char scheme[] = "https://";

	if (strncasecmp(url, scheme, strlen(scheme)) != 0)
		return cur_of(NULL, 0);
	url += strlen(scheme);
	return cur_of(url, strcspn(url, "/?#\\"));
}

/* The token does not choose whom we ask (invariant trust_is_configured): its key set is never fetched from
 * where it says, and one that says elsewhere was not made by the service that is configured. */
static void judge_location(struct ita_token *t, const char *keys_url)
{
	struct cur named = authority(t->jws.jku), ours = authority(keys_url);

	if (!outcome_passed(&t->jws.format))
		return;
	if (t->jws.jku[0] == '\0' ||
		(named.left > 0 && named.left == ours.left &&
			strncasecmp((const char *)named.p, (const char *)ours.p, ours.left) == 0))
		outcome_pass(&t->location);
	else
		outcome_fail(&t->location, "the token names keys at %.100s, the configured ones are at %.60s",
			t->jws.jku, keys_url);
}

static void find_key(struct ita_token *t)
{
	const struct jwk *k = NULL;

	if (!outcome_passed(&t->jws.format))
		return;
	if (t->keys != NULL)
		k = jwks_find(t->keys, t->jws.kid);
	if (k == NULL)
		outcome_fail(&t->known, "the service has no key \"%.100s\"", t->jws.kid);
	else if (!outcome_passed(&k->outcome))
		t->known = k->outcome;
	else if (k->alg != JWS_UNKNOWN && t->jws.alg != JWS_UNKNOWN && k->alg != t->jws.alg)
		outcome_fail(&t->known, "the key \"%.100s\" is for another algorithm", t->jws.kid);
	else
		outcome_pass(&t->known);
	if (outcome_passed(&t->known))
		t->key = k;
}

static bool read_crls(struct ita_token *t, const struct ita_items *items)
{
	t->crls = sk_X509_CRL_new_null();
	if (t->crls == NULL)
		return false;
	if (items->crl_missing != NULL)
		outcome_unknown(&t->crls_read, "%s", items->crl_missing);
	else
		outcome_pass(&t->crls_read);
	for (size_t i = 0; i < items->n_crls && i < ITA_CRLS_MAX; i++) {
		X509_CRL *crl = jwk_crl_read(cur_of(items->crls[i].p, items->crls[i].len));

		if (crl == NULL)
			outcome_fail(&t->crls_read, "a revocation list could not be decoded");
		else if (sk_X509_CRL_push(t->crls, crl) == 0) {
			X509_CRL_free(crl);
			return false;
		}
	}
	return true;
}

/* What is not signed is not read. */
static void open_payload(struct ita_token *t)
{
	const struct buf *text = &t->jws.payload;

	if (t->key == NULL || !jws_verify(&t->jws, t->key->key, &t->signature))
		return;
	ita_claims_read(cur_of(text->p, text->len), &t->said, &t->claims);
}

/* ---- the token ----------------------------------------------------------------------------------------- */

static bool fill(struct ita_token *t, const struct ita_items *items)
{
	t->keys = items->keys != NULL ? jwks_ref(items->keys) : NULL;
	t->nonce = items->nonce != NULL ? json_deep_copy(items->nonce) : NULL;
	if (!read_crls(t, items) || (items->nonce != NULL && t->nonce == NULL))
		return false;
	jws_parse(items->text, &t->jws);
	judge_location(t, items->keys_url);
	find_key(t);
	open_payload(t);
	return true;
}

struct ita_token *ita_token_new(const struct ita_items *items)
{
	struct ita_token *t = calloc(1, sizeof(*t));
	bool ok;

	if (t == NULL)
		return NULL;
	atomic_init(&t->refs, 1);
	ERR_set_mark();
	ok = fill(t, items);
	ERR_pop_to_mark();
	if (ok)
		return t;
	ita_token_free(t);
	return NULL;
}

struct ita_token *ita_token_ref(struct ita_token *t)
{
	atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

void ita_token_free(struct ita_token *t)
{
	if (t == NULL || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
		return;
	jws_done(&t->jws);
	jwks_free(t->keys);
	sk_X509_CRL_pop_free(t->crls, X509_CRL_free);
	json_decref(t->nonce);
	ita_claims_done(&t->said);
	free(t);
}
