/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/jws.h"

#include <jansson.h>
#include <openssl/rsa.h>
#include <string.h>
#include <strings.h>

#include "appraisal/fields.h"
#include "base/hex.h"
#include "base/utf8.h"

enum jws_alg jws_alg_of(const char *name)
{
	if (strcmp(name, "PS384") == 0)
		return JWS_PS384;
	return strcmp(name, "RS256") == 0 ? JWS_RS256 : JWS_UNKNOWN;
}

/* The text up to the next dot. */
static bool next_part(struct cur *rest, struct cur *ret)
{
	const uint8_t *dot = memchr(rest->p, '.', rest->left);

	if (dot == NULL)
		return false;
	*ret = cur_take(rest, (size_t)(dot - rest->p));
	cur_take(rest, 1);
	return true;
}

static bool decode_part(struct cur part, const char *name, struct buf *ret, struct outcome *o)
{
	if (part.left == 0)
		return outcome_fail(o, "the token's %s is empty", name);
	if (!base64url_decode((const char *)part.p, part.left, ret))
		return ret->bad ? outcome_unknown(o, "out of memory")
				: outcome_fail(o, "the token's %s is not base64url", name);
	return true;
}

static bool copy_text(struct fields *f, const char *name, char *ret, size_t max)
{
	const char *text = fields_text(f, name, max);

	if (!f->bad && !utf8_is_plain(text))
		fields_fail(f, name, "is not printable");
	if (!f->bad)
		memcpy(ret, text, strlen(text) + 1);
	return !f->bad;
}

/* RFC 7515 section 4.1.11: what "crit" lists must be understood, and none of it is. */
static bool read_header(const json_t *header, struct jws *t)
{
	struct fields f = fields_of(header, "header", &t->format);

	if (!f.bad && json_object_get(header, "crit") != NULL)
		fields_fail(&f, "crit", "asks for something that is not known");
	if (!f.bad && json_object_get(header, "typ") != NULL &&
		strcmp(fields_text(&f, "typ", 16), "JWT") != 0)
		fields_fail(&f, "typ", "is not \"JWT\"");
	if (!f.bad && json_object_get(header, "jku") != NULL)
		copy_text(&f, "jku", t->jku, JWS_JKU_MAX);
	return copy_text(&f, "kid", t->kid, JWS_KID_MAX);
}

/* Each way in which a verifier of tokens was ever talked into believing one has its own sentence. */
static void judge_algorithm(const json_t *header, struct jws *t)
{
	const char *name = json_string_value(json_object_get(header, "alg"));

	if (name == NULL)
		outcome_fail(&t->algorithm, "the token does not say how it is signed");
	else if (strcasecmp(name, "none") == 0)
		outcome_fail(&t->algorithm, "the token is not signed (algorithm \"none\")");
	else if (strncmp(name, "HS", 2) == 0)
		outcome_fail(&t->algorithm,
			"the token is signed with a shared secret (%.16s), not with a private key",
			utf8_is_plain(name) ? name : "HS");
	else if (jws_alg_of(name) == JWS_UNKNOWN)
		outcome_fail(&t->algorithm, "the token is signed with %.32s, not with PS384 or RS256",
			utf8_is_plain(name) ? name : "an algorithm without a readable name");
	else
		outcome_pass(&t->algorithm);
	if (outcome_passed(&t->algorithm))
		t->alg = jws_alg_of(name);
}

static bool parse_header(struct cur part, struct jws *t)
{
	struct buf text = {0};
	json_t *header = NULL;
	bool ok;

	if (part.left > JWS_HEADER_MAX)
		return outcome_fail(&t->format, "the token's header is larger than any");
	ok = decode_part(part, "header", &text, &t->format);
	if (ok) {
		header = json_loadb((const char *)text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
		if (json_is_object(header))
			judge_algorithm(header, t);
		ok = header != NULL ? read_header(header, t)
				    : outcome_fail(&t->format, "the token's header is not a JSON object");
	}
	json_decref(header);
	buf_done(&text);
	return ok;
}

void jws_parse(struct cur text, struct jws *ret)
{
	struct cur rest = text, header, payload;
	size_t signed_len;

	if (text.bad || text.left == 0 || text.left > JWS_TEXT_MAX) {
		outcome_fail(
			&ret->format, text.left > 0 ? "the token is larger than any" : "the token is empty");
		return;
	}
	if (!next_part(&rest, &header) || !next_part(&rest, &payload) ||
		memchr(rest.p, '.', rest.left) != NULL) {
		outcome_fail(&ret->format, "the token does not have three parts");
		return;
	}
	signed_len = header.left + 1 + payload.left;
	if (!parse_header(header, ret) || !decode_part(payload, "payload", &ret->payload, &ret->format))
		return;
	/* An unsigned token has an empty signature: then its algorithm is the word to say. */
	if ((rest.left > 0 || outcome_passed(&ret->algorithm)) &&
		!decode_part(rest, "signature", &ret->signature, &ret->format))
		return;
	buf_bytes(&ret->signed_part, text.p, signed_len);
	if (ret->signed_part.bad)
		outcome_unknown(&ret->format, "out of memory");
	else
		outcome_pass(&ret->format);
}

void jws_done(struct jws *t)
{
	buf_done(&t->signed_part);
	buf_done(&t->signature);
	buf_done(&t->payload);
	*t = (struct jws){0};
}

/* RFC 7518 section 3.5: the salt is as long as the digest, and MGF1 uses the same hash. */
static bool set_pss(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha384()) == 1;
}

bool jws_verify(const struct jws *t, EVP_PKEY *key, struct outcome *o)
{
	const EVP_MD *md = t->alg == JWS_PS384 ? EVP_sha384() : EVP_sha256();
	EVP_PKEY_CTX *ctx; /* the digest context's */
	EVP_MD_CTX *digest;
	int rc = -1;

	if (!outcome_passed(&t->format) || t->alg == JWS_UNKNOWN)
		return outcome_unknown(o, "there is no signature that could be verified");
	digest = EVP_MD_CTX_new();
	if (digest != NULL && EVP_DigestVerifyInit(digest, &ctx, md, NULL, key) == 1 &&
		(t->alg != JWS_PS384 || set_pss(ctx)))
		rc = EVP_DigestVerify(
			digest, t->signature.p, t->signature.len, t->signed_part.p, t->signed_part.len);
	EVP_MD_CTX_free(digest);
	return rc == 1 ? outcome_pass(o)
		       : outcome_fail(o, "the token was not signed by the key \"%.100s\"", t->kid);
}
