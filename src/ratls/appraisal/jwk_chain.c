/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificates of a key of Intel Trust Authority. Their root is what the key set says it is: what is
 * believed is the portal, through TLS. The chain and its revocation lists show that the owner of the portal
 * still stands behind the key.
 */
#include "appraisal/jwks.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "appraisal/cert.h"
#include "appraisal/pem.h"
#include "base/utf8.h"
#include "evidence/certificate.h"

#define AUTH_LEVEL 2 /* OpenSSL's: 112 bits, so neither short keys nor SHA-1 */

static const char *name_of(const X509 *x, char ret[static 65])
{
	int n = x != NULL ? X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, ret, 65) : -1;

	if (n < 1 || !utf8_is_plain(ret))
		memcpy(ret, "a certificate", sizeof("a certificate"));
	return ret;
}

/* X509_verify_cert takes some certificates for CAs that do not say that they are. */
static bool check_flags(const struct jwk *k, struct outcome *o)
{
	char name[65];

	for (int i = 0; i < sk_X509_num(k->chain); i++) {
		X509 *x = sk_X509_value(k->chain, i);

		if (i > 0 && X509_check_ca(x) != 1)
			return outcome_fail(o, "\"%s\" is not a certificate authority", name_of(x, name));
		if (i == 0 && X509_check_ca(x) != 0)
			return outcome_fail(o, "\"%s\" is a certificate authority", name_of(x, name));
	}
	if ((X509_get_key_usage(sk_X509_value(k->chain, 0)) & KU_DIGITAL_SIGNATURE) == 0)
		return outcome_fail(o, "the key may not be used for signatures");
	return true;
}

/* One run of OpenSSL's verification; the root is the last certificate of the chain. Returns its code; -1 if
 * it could not run. */
static int verify(const struct jwk *k, STACK_OF(X509_CRL) * crls, int64_t at, unsigned long flags,
	char failed[static 65])
{
	X509 *root = sk_X509_value(k->chain, sk_X509_num(k->chain) - 1);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *anchors = sk_X509_new_null();
	X509_VERIFY_PARAM *param;
	int code = -1;

	if (ctx == NULL || anchors == NULL || sk_X509_push(anchors, root) == 0 ||
		X509_STORE_CTX_init(ctx, NULL, sk_X509_value(k->chain, 0), k->chain) != 1)
		goto out;
	X509_STORE_CTX_set0_trusted_stack(ctx, anchors);
	X509_STORE_CTX_set0_crls(ctx, crls);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param, flags);
	if ((flags & X509_V_FLAG_NO_CHECK_TIME) ==
		0) /* a time that is set would be held against all the same */
		X509_VERIFY_PARAM_set_time(param, (time_t)at);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(param, JWK_CHAIN_MAX);
	if (X509_verify_cert(ctx) < 0)
		goto out;
	code = X509_STORE_CTX_get_error(ctx);
	name_of(X509_STORE_CTX_get_current_cert(ctx), failed);
	/* Certificates that nothing needs would be there to be overlooked. */
	if (code == X509_V_OK && sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) != sk_X509_num(k->chain))
		code = X509_V_ERR_CERT_CHAIN_TOO_LONG;
out:
	X509_STORE_CTX_free(ctx);
	sk_X509_free(anchors);
	return code;
}

static bool judge_chain(const struct jwk *k, struct outcome *o)
{
	X509 *root = sk_X509_value(k->chain, sk_X509_num(k->chain) - 1);
	char name[65] = "";
	int code;

	if (!check_flags(k, o))
		return false;
	if (X509_self_signed(root, 1) != 1)
		return outcome_fail(
			o, "the chain ends in \"%s\", which does not sign itself", name_of(root, name));
	code = verify(k, NULL, 0, X509_V_FLAG_NO_CHECK_TIME, name);
	if (code < 0)
		return outcome_unknown(o, "the chain could not be verified");
	if (code != X509_V_OK)
		return outcome_fail(o, "\"%s\": %s", name, X509_verify_cert_error_string(code));
	return outcome_pass(o);
}

static bool find_times(const struct jwk *k, struct jwk_trust *t)
{
	t->begin = INT64_MIN;
	t->end = INT64_MAX;
	for (int i = 0; i < sk_X509_num(k->chain); i++) {
		const X509 *x = sk_X509_value(k->chain, i);
		int64_t begin, end;

		if (!certificate_time(X509_get0_notBefore(x), &begin) || !certificate_time(X509_get0_notAfter(x), &end))
			return outcome_fail(&t->chain, "the validity of a certificate is malformed");
		t->begin = begin > t->begin ? begin : t->begin;
		t->end = end < t->end ? end : t->end;
	}
	return true;
}

static int64_t earliest_update(STACK_OF(X509_CRL) * crls)
{
	int64_t end = INT64_MAX, next;

	for (int i = 0; i < sk_X509_CRL_num(crls); i++)
		if (certificate_time(X509_CRL_get0_nextUpdate(sk_X509_CRL_value(crls, i)), &next) && next < end)
			end = next;
	return end;
}

/* Without an end a list would hold forever. */
static bool all_end(STACK_OF(X509_CRL) * crls)
{
	int64_t next;

	for (int i = 0; i < sk_X509_CRL_num(crls); i++)
		if (!certificate_time(X509_CRL_get0_nextUpdate(sk_X509_CRL_value(crls, i)), &next))
			return false;
	return true;
}

static void judge_revocation(const struct jwk *k, STACK_OF(X509_CRL) * crls, int64_t at, struct jwk_trust *t)
{
	char name[65] = "";
	int code;

	if (!all_end(crls)) {
		outcome_fail(&t->crl, "a revocation list does not say when it ends");
		return;
	}
	code = verify(k, crls, at, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL, name);
	switch (code) {
	case X509_V_OK:
	case X509_V_ERR_CERT_HAS_EXPIRED: /* judged by the times; lists come first, and were good */
	case X509_V_ERR_CERT_NOT_YET_VALID:
		outcome_pass(&t->crl);
		outcome_pass(&t->revoked);
		t->crl_end = earliest_update(crls);
		break;
	case X509_V_ERR_CERT_REVOKED:
		outcome_pass(&t->crl);
		outcome_fail(&t->revoked, "\"%s\" is revoked", name);
		t->crl_end = earliest_update(crls);
		break;
	case -1:
		outcome_unknown(&t->crl, "the revocation lists could not be verified");
		break;
	default:
		outcome_fail(&t->crl, "\"%s\": %s", name, X509_verify_cert_error_string(code));
	}
}

void jwk_judge(const struct jwk *k, STACK_OF(X509_CRL) * crls, int64_t at, struct jwk_trust *ret)
{
	struct jwk_trust t = {.begin = 0};

	if (!outcome_passed(&k->outcome))
		t.chain = k->outcome;
	else if (judge_chain(k, &t.chain) && find_times(k, &t))
		judge_revocation(k, crls, at, &t);
	*ret = t;
}

/* ---- revocation lists --------------------------------------------------------------------------------------- */

X509_CRL *jwk_crl_read(struct cur text)
{
	struct buf der = {0};
	const unsigned char *p;
	X509_CRL *crl = NULL;

	if (text.left > 0 && text.p[0] == '-')
		pem_next(&text, "X509 CRL", &der);
	else
		buf_bytes(&der, text.p, text.left);
	p = der.p;
	if (!der.bad && !text.bad && der.len > 0)
		crl = d2i_X509_CRL(NULL, &p, (long)der.len);
	if (crl != NULL && p != der.p + der.len) {
		X509_CRL_free(crl);
		crl = NULL;
	}
	buf_done(&der);
	return crl;
}

bool jwk_crl_next_update(struct cur text, int64_t *ret)
{
	X509_CRL *crl;
	bool ok;

	ERR_set_mark();
	crl = jwk_crl_read(text);
	ok = crl != NULL && certificate_time(X509_CRL_get0_nextUpdate(crl), ret);
	X509_CRL_free(crl);
	ERR_pop_to_mark();
	return ok;
}

/* ---- distribution points ------------------------------------------------------------------------------- */

static bool take_url(const GENERAL_NAME *name, char ret[static JWK_URL_MAX + 1])
{
	const ASN1_IA5STRING *uri = name->type == GEN_URI ? name->d.uniformResourceIdentifier : NULL;
	const char *text = uri != NULL ? (const char *)ASN1_STRING_get0_data(uri) : NULL;
	size_t len = uri != NULL ? (size_t)ASN1_STRING_length(uri) : 0;

	if (len < 8 || len > JWK_URL_MAX || strlen(text) != len || !utf8_is_plain(text) ||
		strchr(text, ' ') != NULL)
		return false;
	if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		return false;
	memcpy(ret, text, len + 1);
	return true;
}

static bool point_url(const DIST_POINT *point, char ret[static JWK_URL_MAX + 1])
{
	const GENERAL_NAMES *names;

	if (point->distpoint == NULL || point->distpoint->type != 0)
		return false;
	names = point->distpoint->name.fullname;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		if (take_url(sk_GENERAL_NAME_value(names, i), ret))
			return true;
	return false;
}

size_t jwk_n_revocable(const struct jwk *k)
{
	return outcome_passed(&k->outcome) ? (size_t)sk_X509_num(k->chain) - 1 : 0;
}

bool jwk_crl_url(const struct jwk *k, size_t i, char ret[static JWK_URL_MAX + 1])
{
	CRL_DIST_POINTS *points = i < jwk_n_revocable(k) ? X509_get_ext_d2i(sk_X509_value(k->chain, (int)i),
								   NID_crl_distribution_points, NULL, NULL)
							 : NULL;
	bool found = false;

	for (int p = 0; p < sk_DIST_POINT_num(points) && !found; p++)
		found = point_url(sk_DIST_POINT_value(points, p), ret);
	CRL_DIST_POINTS_free(points);
	return found;
}
