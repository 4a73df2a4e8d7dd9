/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mint.h"

#include <string.h>
#include <openssl/bn.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/hex.h"

#define DAY INT64_C(86400)

static EVP_PKEY *keys[MINT_KEYS];

EVP_PKEY *mint_key(enum mint_key which)
{
	if (keys[which] == NULL)
		keys[which] = EVP_RSA_gen(which == MINT_KEY_SMALL ? 1024 : 2048);
	assert_non_null(keys[which]);
	return keys[which];
}

void mint_keys_done(void)
{
	for (size_t i = 0; i < MINT_KEYS; i++)
		EVP_PKEY_free(keys[i]);
}

char *mint_base64url(const void *bytes, size_t len)
{
	struct buf b = {0};
	char *text;

	base64_append(&b, bytes, len);
	text = buf_take_str(&b);
	assert_non_null(text);
	for (char *c = text; *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
	return text;
}

/* ---- certificates -------------------------------------------------------------------------------------- */

static const char *const names[] = {
	"Test Attestation Root CA", "Test Attestation Signing CA", "Test Token Signer"};

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void add_extensions(X509 *x, X509 *issuer, const struct mint_certificate_options *o)
{
	char text[300];

	if (o->ca && o->path_length >= 0)
		snprintf(text, sizeof(text), "critical,CA:TRUE,pathlen:%d", o->path_length);
	else
		snprintf(text, sizeof(text), "critical,CA:%s", o->ca ? "TRUE" : "FALSE");
	add_extension(x, issuer, NID_basic_constraints, text);
	add_extension(x, issuer, NID_key_usage,
		!o->ca                   ? "critical,digitalSignature"
		: o->key_usage_sign_only ? "critical,keyCertSign"
					 : "critical,keyCertSign,cRLSign");
	add_extension(x, issuer, NID_subject_key_identifier, "hash");
	if (o->crl_url != NULL) {
		snprintf(text, sizeof(text), "URI:%s", o->crl_url);
		add_extension(x, issuer, NID_crl_distribution_points, text);
	}
}

static void make_certificate(struct mint *m, enum mint_certificate which)
{
	const struct mint_certificate_options *o = &m->certificate[which];
	const char *name = names[which], *above = names[which > 0 ? which - 1 : 0];
	X509 *x = X509_new();

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 100 + which);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_NAME_add_entry_by_txt(
		X509_get_issuer_name(x), "CN", MBSTRING_ASC, (const unsigned char *)above, -1, -1, 0);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)o->not_before);
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)o->not_after);
	X509_set_pubkey(x, o->key);
	add_extensions(x, which > 0 ? m->made[which - 1] : x, o);
	assert_true(X509_sign(x, o->signer, EVP_sha384()) > 0);
	m->made[which] = x;
}

static void make_list(const struct mint *m, size_t i, struct buf *ret)
{
	const struct mint_crl_options *o = &m->crl[i];
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *at = ASN1_TIME_new();
	unsigned char *der = NULL;
	int len;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(m->made[i]));
	ASN1_TIME_set(at, (time_t)o->this_update);
	X509_CRL_set1_lastUpdate(crl, at);
	ASN1_TIME_set(at, (time_t)o->next_update);
	if (!o->without_end)
		X509_CRL_set1_nextUpdate(crl, at);
	if (o->revokes) {
		X509_REVOKED *entry = X509_REVOKED_new();

		ASN1_TIME_set(at, (time_t)o->this_update - 1);
		X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(m->made[i + 1]));
		X509_REVOKED_set_revocationDate(entry, at);
		X509_CRL_add0_revoked(crl, entry);
	}
	assert_true(X509_CRL_sign(crl, o->signer, EVP_sha384()) > 0);
	len = i2d_X509_CRL(crl, &der);
	buf_bytes(ret, o->garbage ? (const void *)"no list" : der, o->garbage ? 7 : (size_t)len);
	OPENSSL_free(der);
	ASN1_TIME_free(at);
	X509_CRL_free(crl);
}

/* ---- the key set --------------------------------------------------------------------------------------- */

static json_t *number(EVP_PKEY *key, const char *which)
{
	BIGNUM *n = NULL;
	uint8_t bytes[1024];
	char *text;
	json_t *out;
	int len;

	assert_int_equal(EVP_PKEY_get_bn_param(key, which, &n), 1);
	len = BN_bn2bin(n, bytes);
	text = mint_base64url(bytes, (size_t)len);
	out = json_string(text);
	free(text);
	BN_free(n);
	return out;
}

static json_t *certificate_text(X509 *x)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);
	struct buf b = {0};
	json_t *out;
	char *text;

	base64_append(&b, der, (size_t)len);
	text = buf_take_str(&b);
	out = json_string(text);
	free(text);
	OPENSSL_free(der);
	return out;
}

void mint_make_keys(struct mint *m)
{
	json_t *chain = json_array();

	for (enum mint_certificate i = 0; i < MINT_CERTIFICATES; i++)
		make_certificate(m, i);
	for (int i = MINT_LEAF; i >= (m->without_root ? MINT_CA : MINT_ROOT); i--)
		json_array_insert_new(
			chain, m->reversed ? 0 : json_array_size(chain), certificate_text(m->made[i]));
	for (size_t i = 0; i < 2; i++)
		if (!m->crl[i].absent)
			make_list(m, i, &m->lists[i]);
	m->jwks = json_pack("{s:[{s:s, s:s, s:s, s:o, s:o, s:o}]}", "keys", "kty", "RSA", "alg",
		m->signature == MINT_RS256 ? "RS256" : "PS384", "kid", MINT_KID, "n",
		number(m->published, "n"), "e", number(m->published, "e"), "x5c", chain);
	assert_non_null(m->jwks);
}

/* ---- the token ----------------------------------------------------------------------------------------- */

static char *sign_rsa(const struct mint *m, const char *text)
{
	bool pss = m->signature != MINT_RS256;
	const EVP_MD *md =
		m->signature == MINT_RS256 || m->signature == MINT_PS256 ? EVP_sha256() : EVP_sha384();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key;
	uint8_t signature[1024];
	size_t len = sizeof(signature);

	assert_int_equal(EVP_DigestSignInit(ctx, &key, md, NULL, m->signer), 1);
	if (pss) {
		EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(key,
			m->signature == MINT_PS384_LONG_SALT ? RSA_PSS_SALTLEN_MAX : RSA_PSS_SALTLEN_DIGEST);
	}
	assert_int_equal(EVP_DigestSign(ctx, signature, &len, (const uint8_t *)text, strlen(text)), 1);
	EVP_MD_CTX_free(ctx);
	return mint_base64url(signature, len);
}

/* With the public key as the secret: what a verifier does that lets the token choose. */
static char *sign_hmac(const struct mint *m, const char *text)
{
	unsigned char *der = NULL;
	int der_len = i2d_PUBKEY(m->published, &der);
	uint8_t mac[32];
	unsigned len = sizeof(mac);

	assert_non_null(HMAC(EVP_sha256(), der, der_len, (const uint8_t *)text, strlen(text), mac, &len));
	OPENSSL_free(der);
	return mint_base64url(mac, len);
}

static char *encode(const char *text, const json_t *object)
{
	char *json = text != NULL ? strdup(text) : json_dumps(object, JSON_COMPACT);
	char *out = mint_base64url(json, strlen(json));

	free(json);
	return out;
}

void mint_sign(struct mint *m)
{
	char *header = encode(m->header_text, m->header), *payload = encode(m->payload_text, m->claims);
	char *signature = NULL;
	struct buf b = {0};

	buf_fmt(&b, "%s.%s", header, payload);
	buf_u8(&b, 0);
	b.len--;
	if (m->signature == MINT_HS256)
		signature = sign_hmac(m, (const char *)b.p);
	else if (m->signature != MINT_UNSIGNED)
		signature = sign_rsa(m, (const char *)b.p);
	buf_fmt(&b, ".%s", signature != NULL ? signature : "");
	free(m->token);
	m->token = buf_take_str(&b);
	free(signature);
	free(payload);
	free(header);
}

/* ---- a good one ---------------------------------------------------------------------------------------- */

static json_t *hex(struct cur bytes)
{
	char text[129];

	assert_true(bytes.left <= 64);
	hex_encode(bytes.p, bytes.left, text);
	return json_string(text);
}

static json_t *good_claims(const struct quote_td *td, const json_t *nonce, int64_t now)
{
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:[s], s:o, s:b, s:b}", "iss",
		"Intel Trust Authority", "iat", (json_int_t)now, "nbf", (json_int_t)now, "exp",
		(json_int_t)now + 1800, "ver", "1.0.0", "dbgstat", "disabled", "attester_type", "TDX",
		"attester_tcb_status", "UpToDate", "attester_tcb_date", "2025-05-14T00:00:00Z",
		"attester_advisory_ids", "INTEL-SA-00001", "verifier_nonce", json_deep_copy(nonce),
		"tdx_is_debuggable", 0, "tdx_td_attributes_debug", 0);

	json_object_set_new(o, "tdx_mrtd", hex(td->mrtd));
	json_object_set_new(o, "tdx_rtmr0", hex(td->rtmr[0]));
	json_object_set_new(o, "tdx_rtmr1", hex(td->rtmr[1]));
	json_object_set_new(o, "tdx_rtmr2", hex(td->rtmr[2]));
	json_object_set_new(o, "tdx_rtmr3", hex(td->rtmr[3]));
	json_object_set_new(o, "tdx_mrseam", hex(td->mrseam));
	json_object_set_new(o, "tdx_mrsignerseam", hex(td->mrsignerseam));
	json_object_set_new(o, "tdx_mrconfigid", hex(td->mrconfigid));
	json_object_set_new(o, "tdx_mrowner", hex(td->mrowner));
	json_object_set_new(o, "tdx_mrownerconfig", hex(td->mrownerconfig));
	json_object_set_new(o, "tdx_report_data", hex(td->report_data));
	json_object_set_new(o, "tdx_td_attributes", hex(td->td_attributes));
	json_object_set_new(o, "tdx_xfam", hex(td->xfam));
	json_object_set_new(o, "tdx_tee_tcb_svn", hex(td->tee_tcb_svn));
	return o;
}

void mint_nest(struct mint *m)
{
	static const char *const own[] = {"iss", "iat", "nbf", "exp", "ver", NULL};
	json_t *below = json_deep_copy(m->claims);

	for (size_t i = 0; own[i] != NULL; i++)
		json_object_del(below, own[i]);
	json_object_update_existing(m->claims, below);
	for (void *it = json_object_iter(below); it != NULL; it = json_object_iter_next(below, it))
		json_object_del(m->claims, json_object_iter_key(it));
	json_object_set_new(m->claims, "tdx", below);
}

void mint_init(struct mint *m, const struct quote_td *td, int64_t now)
{
	static const enum mint_key own[] = {MINT_KEY_ROOT, MINT_KEY_CA, MINT_KEY_LEAF};

	*m = (struct mint){.signature = MINT_PS384, .signer = mint_key(MINT_KEY_LEAF)};
	m->published = m->signer;
	for (int i = 0; i < MINT_CERTIFICATES; i++)
		m->certificate[i] = (struct mint_certificate_options){
			.not_before = now - 30 * DAY,
			.not_after = now + (300 - i * 100) * DAY,
			.ca = i != MINT_LEAF,
			.path_length = i == MINT_LEAF ? -1 : MINT_CA - i,
			.crl_url = i == MINT_ROOT ? NULL
				   : i == MINT_CA ? MINT_PORTAL "/root.crl"
						  : MINT_PORTAL "/ca.crl",
			.key = mint_key(own[i]),
			.signer = mint_key(own[i > 0 ? i - 1 : 0]),
		};
	for (int i = 0; i < 2; i++)
		m->crl[i] = (struct mint_crl_options){
			.this_update = now - DAY, .next_update = now + 7 * DAY, .signer = mint_key(own[i])};
	m->nonce = json_pack("{s:s, s:s, s:s}", "val", "bm9uY2U=", "iat", "MjAyNQ==", "signature", "c2ln");
	m->header = json_pack(
		"{s:s, s:s, s:s, s:s}", "alg", "PS384", "typ", "JWT", "kid", MINT_KID, "jku", MINT_KEYS_URL);
	m->claims = good_claims(td, m->nonce, now);
	assert_true(m->nonce != NULL && m->header != NULL && m->claims != NULL);
}

void mint_done(struct mint *m)
{
	for (size_t i = 0; i < MINT_CERTIFICATES; i++)
		X509_free(m->made[i]);
	buf_done(&m->lists[0]);
	buf_done(&m->lists[1]);
	json_decref(m->header);
	json_decref(m->claims);
	json_decref(m->nonce);
	json_decref(m->jwks);
	free(m->token);
}
