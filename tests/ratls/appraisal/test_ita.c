/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of Intel Trust Authority: each way to be wrong, one at a time, is refused by the rule that is there
 * for it, with a sentence of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mint.h"
#include "sample.h"

#include <string.h>
#include <openssl/err.h>

#include "appraisal/appraise.h"
#include "appraisal/reported.h"

#define NOW SAMPLE_NOW
#define DAY SAMPLE_DAY

struct trial {
	struct sample sample;
	struct ratls_evidence *evidence;
	struct mint mint;
	unsigned verifiers;
	int64_t at;
	bool keep_nonce, without_keys;
	const char *crl_missing, *keys_url;
	struct ratls_policy *policy;
	struct ratls_error no_token;
};

/* A machine whose measurements differ from each other, so that none can stand for another. */
static void trial_begin(struct trial *t, bool debug)
{
	struct forge_td *td = &t->sample.quote.td;
	uint8_t *const parts[] = {td->mrseam, td->mrconfigid, td->mrowner, td->mrownerconfig, td->rtmr[0],
		td->rtmr[1], td->rtmr[2], td->rtmr[3], td->report_data, td->mrtd};

	*t = (struct trial){.verifiers = APPRAISED_ITA, .at = NOW, .keep_nonce = true, .keys_url = MINT_KEYS_URL};
	sample_init(&t->sample, SAMPLE_V4);
	for (size_t i = 1; i < sizeof(parts) / sizeof(parts[0]); i++)
		memset(parts[i], (int)(0x10 + i), 48);
	if (debug)
		td->td_attributes[0] |= FORGE_TD_DEBUG;
	sample_make(&t->sample);
	assert_int_equal(
		ratls_evidence_from_quote(t->sample.bytes.p, t->sample.bytes.len, &t->evidence, NULL), RATLS_OK);
	mint_init(&t->mint, &t->evidence->quote.td, NOW);
}

static void trial_end(struct trial *t)
{
	mint_done(&t->mint);
	ratls_evidence_free(t->evidence);
	ratls_policy_free(t->policy);
	sample_done(&t->sample);
}

static struct ita_token *take_token(const struct trial *t)
{
	char *text = json_dumps(t->mint.jwks, JSON_ENCODE_ANY);
	struct ita_items items = {
		.text = cur_of(t->mint.token, strlen(t->mint.token)),
		.keys_url = t->keys_url,
		.crls = t->mint.lists,
		.n_crls = t->mint.lists[1].len > 0 ? 2 : 1,
		.crl_missing = t->crl_missing,
		.nonce = t->keep_nonce ? t->mint.nonce : NULL,
	};
	struct outcome o = {0};
	struct ita_token *token;

	if (!t->without_keys && !jwks_new(cur_of(text, strlen(text)), &items.keys, &o))
		fail_msg("%s", o.detail);
	token = ita_token_new(&items);
	assert_non_null(token);
	jwks_free(items.keys);
	free(text);
	return token;
}

/* Of a token alone, what quotes must be rooted in. */
static struct ratls_endorsements *take_root(const struct trial *t)
{
	struct ratls_endorsements_options options = {.size = sizeof(options),
		.insecure_trust_root = t->sample.anchor->p, .insecure_trust_root_len = t->sample.anchor->len};
	struct ratls_endorsements *e = NULL;

	assert_int_equal(endorsements_of_root(&options, &e, NULL), RATLS_OK);
	return e;
}

static struct ratls_endorsements *take_collateral(const struct trial *t)
{
	struct ratls_endorsements_options options = {.size = sizeof(options),
		.insecure_trust_root = t->sample.anchor->p, .insecure_trust_root_len = t->sample.anchor->len};
	struct ratls_endorsements *e = NULL;
	char *json = json_dumps(t->sample.items, 0);

	assert_int_equal(ratls_endorsements_from_json(json, strlen(json), &options, &e, NULL), RATLS_OK);
	free(json);
	return e;
}

static struct ratls_report *appraise_trial(const struct trial *t)
{
	static const struct ratls_binding binding = {.kind = RATLS_BINDING_NONE};
	struct ita_token *token = t->mint.token != NULL ? take_token(t) : NULL;
	struct ratls_endorsements *collateral = (t->verifiers & APPRAISED_DCAP) != 0 ? take_collateral(t) : take_root(t);
	struct appraisal_inputs in = {.verifiers = t->verifiers, .evidence = t->evidence, .endorsements = collateral,
		.token = token, .policy = t->policy, .binding = &binding, .at = t->at, .no_token = &t->no_token};
	struct ratls_report *report = NULL;

	assert_int_equal(appraise_inputs(&in, &report, NULL), RATLS_OK);
	ita_token_free(token);
	ratls_endorsements_free(collateral);
	assert_int_equal(ERR_peek_error(), 0);
	return report;
}

static void make(struct trial *t)
{
	mint_make_keys(&t->mint);
	mint_sign(&t->mint);
}

static const struct report_check *check_of(const struct ratls_report *report, const char *id)
{
	static struct report_check check;

	for (size_t i = 0; report_check_at(report, i, &check); i++)
		if (strcmp(check.id, id) == 0)
			return &check;
	fail_msg("there is no check %s", id);
	return NULL;
}

/* ---- rows ------------------------------------------------------------------------------------------------- */

struct token_row {
	const char *name;
	void (*spoil)(struct trial *);  /* before keys and token are made */
	void (*tamper)(struct trial *); /* after */
	enum reason reason;             /* REASON_NONE: accepted */
	const char *says;               /* what the message holds */
};

static void claim(struct trial *t, const char *name, json_t *value)
{
	json_object_set_new(t->mint.claims, name, value);
}

static void header(struct trial *t, const char *name, json_t *value)
{
	json_object_set_new(t->mint.header, name, value);
}

static json_t *jwk(struct trial *t)
{
	return json_array_get(json_object_get(t->mint.jwks, "keys"), 0);
}

#define SPOIL(name_, body)                                                                                   \
	static void name_(struct trial *t)                                                                   \
	{                                                                                                    \
		body;                                                                                        \
	}

/* accepted */
SPOIL(nested, mint_nest(&t->mint))
SPOIL(rs256, t->mint.signature = MINT_RS256; header(t, "alg", json_string("RS256")))
SPOIL(without_jku, json_object_del(t->mint.header, "jku"))
SPOIL(other_case_jku, header(t, "jku", json_string("HTTPS://Portal.Example/other/certs")))
SPOIL(status_ok, claim(t, "attester_tcb_status", json_string("OK")))
SPOIL(old_issuer, claim(t, "iss", json_string("Trust Authority")))
SPOIL(no_nonce_asked, t->keep_nonce = false)
SPOIL(no_advisories, json_object_del(t->mint.claims, "attester_advisory_ids"))
SPOIL(no_date, json_object_del(t->mint.claims, "attester_tcb_date"))
SPOIL(date_with_fraction, claim(t, "attester_tcb_date", json_string("2024-03-13T00:00:00.000Z")))
SPOIL(date_with_offset, claim(t, "attester_tcb_date", json_string("2024-03-13T00:00:00+00:00")))
SPOIL(date_number, claim(t, "attester_tcb_date", json_integer(1710288000)))
SPOIL(ahead, t->at = NOW - 60)
SPOIL(first_second_too_old, t->at = NOW + ITA_AGE_MAX + 1)
SPOIL(last_second, t->at = NOW + ITA_AGE_MAX)

/* What else may be in a set: keys of other kinds, also of the same name, and such as no token can name. */
static void foreign_keys(struct trial *t)
{
	json_t *keys = json_object_get(t->mint.jwks, "keys");

	json_array_insert_new(keys, 0, json_pack("{s:s, s:s, s:s}", "kid", MINT_KID, "kty", "EC", "crv", "P-256"));
	json_array_append_new(keys, json_pack("{s:s}", "kty", "RSA"));
	json_array_append_new(keys, json_pack("{s:i, s:s}", "kid", 7, "kty", "RSA"));
	json_array_append_new(keys, json_pack("{s:s, s:s}", "kid", "a\n", "kty", "RSA"));
	json_array_append_new(keys, json_integer(1));
}

SPOIL(key_without_alg, json_object_del(jwk(t), "alg"))

/* the header */
SPOIL(alg_none, t->mint.signature = MINT_UNSIGNED; header(t, "alg", json_string("none")))
SPOIL(alg_None, t->mint.signature = MINT_UNSIGNED; header(t, "alg", json_string("NonE")))
SPOIL(alg_hs256, t->mint.signature = MINT_HS256; header(t, "alg", json_string("HS256")))
SPOIL(alg_es256, header(t, "alg", json_string("ES256")))
SPOIL(alg_ps256, t->mint.signature = MINT_PS256; header(t, "alg", json_string("PS256")))
SPOIL(alg_absent, json_object_del(t->mint.header, "alg"))
SPOIL(alg_number, header(t, "alg", json_integer(384)))
SPOIL(alg_twice, t->mint.header_text = "{\"alg\":\"PS384\",\"alg\":\"none\",\"kid\":\"key-1\"}")
SPOIL(header_no_json, t->mint.header_text = "{\"alg\":\"PS384\"")
SPOIL(header_array, t->mint.header_text = "[]")
SPOIL(crit, header(t, "crit", json_pack("[s]", "exp")))
SPOIL(typ, header(t, "typ", json_string("at+jwt")))
SPOIL(kid_absent, json_object_del(t->mint.header, "kid"))
SPOIL(kid_other, header(t, "kid", json_string("key-2")))
SPOIL(kid_longer, header(t, "kid", json_string("key-10")))
SPOIL(kid_control, header(t, "kid", json_string("key-1\n")))
SPOIL(jku_elsewhere, header(t, "jku", json_string("https://portal.example.evil.test/certs")))
SPOIL(jku_user, header(t, "jku", json_string("https://portal.example@evil.test/certs")))
SPOIL(jku_http, header(t, "jku", json_string("http://portal.example/certs")))
SPOIL(jku_port, header(t, "jku", json_string("https://portal.example:8443/certs")))
SPOIL(jku_region, t->keys_url = "https://portal.eu.example/certs")
SPOIL(own_key_in_header, t->mint.signer = mint_key(MINT_KEY_OTHER);
	header(t, "jwk", json_pack("{s:s}", "kty", "RSA")))

/* the compact form */
static void replace_token(struct trial *t, const char *text)
{
	free(t->mint.token);
	t->mint.token = strdup(text);
}

static void append_to_token(struct trial *t, const char *text)
{
	t->mint.token = realloc(t->mint.token, strlen(t->mint.token) + strlen(text) + 1);
	strcat(t->mint.token, text);
}

SPOIL(empty, replace_token(t, ""))
SPOIL(two_parts, *strrchr(t->mint.token, '.') = '\0')
SPOIL(four_parts, append_to_token(t, ".AAAA"))
SPOIL(five_parts_jwe, replace_token(t, "e30.AAAA.AAAA.AAAA.AAAA"))
SPOIL(padded, append_to_token(t, "=="))
SPOIL(standard_base64, *(strrchr(t->mint.token, '.') + 3) = '+')
SPOIL(line_end, append_to_token(t, "\n"))
SPOIL(no_signature, strrchr(t->mint.token, '.')[1] = '\0')

static void oversized(struct trial *t)
{
	char *text = malloc(JWS_TEXT_MAX + 2);

	memset(text, 'A', JWS_TEXT_MAX + 1);
	text[JWS_TEXT_MAX + 1] = '\0';
	replace_token(t, text);
	free(text);
}

static void flip_payload(struct trial *t)
{
	char *payload = strchr(t->mint.token, '.') + 1;

	payload[20] = payload[20] == 'A' ? 'B' : 'A';
}

/* the signature */
SPOIL(other_signer, t->mint.signer = mint_key(MINT_KEY_OTHER))
SPOIL(long_salt, t->mint.signature = MINT_PS384_LONG_SALT)
SPOIL(rs256_called_ps384, t->mint.signature = MINT_RS256)

/* the key set */
SPOIL(no_keys, t->without_keys = true)
SPOIL(published_other, t->mint.published = mint_key(MINT_KEY_OTHER))
SPOIL(jwk_ec, json_object_set_new(jwk(t), "kty", json_string("EC")))
SPOIL(jwk_enc, json_object_set_new(jwk(t), "use", json_string("enc")))
SPOIL(jwk_ps512, json_object_set_new(jwk(t), "alg", json_string("PS512")))
SPOIL(jwk_rs256, json_object_set_new(jwk(t), "alg", json_string("RS256")))
SPOIL(jwk_no_n, json_object_del(jwk(t), "n"))
SPOIL(jwk_even_e, json_object_set_new(jwk(t), "e", json_string("AQAA")))
SPOIL(jwk_small, t->mint.signer = t->mint.published = mint_key(MINT_KEY_SMALL);
	t->mint.certificate[MINT_LEAF].key = mint_key(MINT_KEY_SMALL))
SPOIL(jwk_no_chain, json_object_del(jwk(t), "x5c"))
SPOIL(jwk_garbage_chain, json_array_set_new(json_object_get(jwk(t), "x5c"), 1, json_string("AAAA")))
SPOIL(jwk_leaf_alone, json_object_set_new(jwk(t), "x5c",
	json_pack("[O]", json_array_get(json_object_get(jwk(t), "x5c"), 0))))

static void jwk_eleven(struct trial *t)
{
	json_t *chain = json_object_get(jwk(t), "x5c");

	while (json_array_size(chain) <= JWK_CHAIN_MAX)
		json_array_append(chain, json_array_get(chain, 2));
}

/* the chain */
SPOIL(no_root, t->mint.without_root = true)
SPOIL(wrong_order, t->mint.reversed = true)
SPOIL(ca_forged, t->mint.certificate[MINT_CA].signer = mint_key(MINT_KEY_OTHER))
SPOIL(leaf_forged, t->mint.certificate[MINT_LEAF].signer = mint_key(MINT_KEY_OTHER))
SPOIL(root_forged, t->mint.certificate[MINT_ROOT].signer = mint_key(MINT_KEY_OTHER))
SPOIL(ca_is_none, t->mint.certificate[MINT_CA].ca = false)
SPOIL(leaf_is_ca, t->mint.certificate[MINT_LEAF].ca = true)
SPOIL(path_too_long, t->mint.certificate[MINT_ROOT].path_length = 0)
SPOIL(chain_surplus, json_array_append(json_object_get(jwk(t), "x5c"),
	json_array_get(json_object_get(jwk(t), "x5c"), 2)))
SPOIL(leaf_ended, t->mint.certificate[MINT_LEAF].not_after = NOW - 1)
SPOIL(ca_ended, t->mint.certificate[MINT_CA].not_after = NOW - 1)
SPOIL(root_ended, t->mint.certificate[MINT_ROOT].not_after = NOW - 1)
SPOIL(leaf_not_yet, t->mint.certificate[MINT_LEAF].not_before = NOW + 1)

/* revocation */
SPOIL(leaf_revoked, t->mint.crl[1].revokes = true)
SPOIL(ca_revoked, t->mint.crl[0].revokes = true)
SPOIL(no_leaf_list, t->mint.crl[1].absent = true)
SPOIL(list_not_had, t->mint.crl[1].absent = true; t->crl_missing = "https://portal.example/ca.crl: status 503")
SPOIL(list_ended, t->mint.crl[1].next_update = NOW - 1)
SPOIL(list_not_yet, t->mint.crl[0].this_update = NOW + 10)
SPOIL(list_without_end, t->mint.crl[1].without_end = true)
SPOIL(list_forged, t->mint.crl[1].signer = mint_key(MINT_KEY_OTHER); t->mint.crl[1].revokes = true)
SPOIL(list_garbage, t->mint.crl[0].garbage = true)
SPOIL(ca_may_not_sign_lists, t->mint.certificate[MINT_CA].key_usage_sign_only = true)

/* claims */
SPOIL(payload_no_json, t->mint.payload_text = "{\"iss\":")
SPOIL(payload_array, t->mint.payload_text = "[]")
SPOIL(payload_twice, t->mint.payload_text = "{\"iss\":\"a\",\"iss\":\"Intel Trust Authority\"}")
SPOIL(no_exp, json_object_del(t->mint.claims, "exp"))
SPOIL(no_iat, json_object_del(t->mint.claims, "iat"))
SPOIL(no_iss, json_object_del(t->mint.claims, "iss"))
SPOIL(exp_text, claim(t, "exp", json_string("1751601800")))
SPOIL(exp_real, claim(t, "exp", json_real(1751601800.5)))
SPOIL(exp_huge, claim(t, "exp", json_integer(INT64_MAX)))
SPOIL(issuer, claim(t, "iss", json_string("Intel Trust Authority ")))
SPOIL(expired, claim(t, "iat", json_integer(NOW - 200)); claim(t, "nbf", json_integer(NOW - 200));
	claim(t, "exp", json_integer(NOW - 61)))
SPOIL(future, claim(t, "iat", json_integer(NOW + 61)))
SPOIL(not_before, claim(t, "nbf", json_integer(NOW + 61)))
SPOIL(stale, claim(t, "iat", json_integer(NOW - ITA_AGE_MAX - 1)))
SPOIL(backwards, claim(t, "exp", json_integer(NOW)))
SPOIL(for_ever, claim(t, "exp", json_integer(NOW + ITA_LIFETIME_MAX + 1)))
SPOIL(nonce_absent, json_object_del(t->mint.claims, "verifier_nonce"))
SPOIL(nonce_other, claim(t, "verifier_nonce",
	json_pack("{s:s, s:s, s:s}", "val", "b3RoZXI=", "iat", "MjAyNQ==", "signature", "c2ln")))
SPOIL(nonce_part, json_object_del(json_object_get(t->mint.claims, "verifier_nonce"), "iat"))
SPOIL(sgx, claim(t, "attester_type", json_string("SGX")))
SPOIL(no_type, json_object_del(t->mint.claims, "attester_type"))
SPOIL(dbgstat, claim(t, "dbgstat", json_string("enabled")))
SPOIL(dbgstat_word, claim(t, "dbgstat", json_string("maybe")))
SPOIL(debuggable, claim(t, "tdx_is_debuggable", json_true()))
SPOIL(debuggable_text, claim(t, "tdx_is_debuggable", json_string("false")))
SPOIL(attribute_debug, claim(t, "tdx_td_attributes_debug", json_true()))
SPOIL(nested_no_object, claim(t, "tdx", json_string("x")))
SPOIL(nested_and_flat, claim(t, "tdx", json_pack("{s:s}", "attester_tcb_status", "OutOfDate")))
SPOIL(nested_mrtd_differs, claim(t, "tdx", json_pack("{s:s}", "tdx_mrtd", "00")))
SPOIL(no_status, json_object_del(t->mint.claims, "attester_tcb_status"))
SPOIL(status_word, claim(t, "attester_tcb_status", json_string("Excellent")))
SPOIL(status_not_supported, claim(t, "attester_tcb_status", json_string("NotSupported")))
SPOIL(status_case, claim(t, "attester_tcb_status", json_string("uptodate")))
SPOIL(advisories_form, claim(t, "attester_advisory_ids", json_pack("[i]", 1)))
SPOIL(out_of_date, claim(t, "attester_tcb_status", json_string("OutOfDate")))
SPOIL(revoked, claim(t, "attester_tcb_status", json_string("Revoked")))
SPOIL(configuration, claim(t, "attester_tcb_status", json_string("ConfigurationNeeded")))

#define ROW(spoil_, reason_, says_)  {#spoil_, spoil_, NULL, REASON_##reason_, says_}
#define LATE(tamper_, reason_, says_) {#tamper_, NULL, tamper_, REASON_##reason_, says_}

static const struct token_row rows[] = {
	{"good", NULL, NULL, REASON_NONE, "accepted"},
	ROW(nested, NONE, "accepted"),
	ROW(rs256, NONE, "accepted"),
	ROW(without_jku, NONE, "accepted"),
	ROW(other_case_jku, NONE, "accepted"),
	ROW(status_ok, NONE, "accepted"),
	ROW(old_issuer, NONE, "accepted"),
	ROW(no_nonce_asked, NONE, "accepted"),
	ROW(no_advisories, NONE, "accepted"),
	ROW(no_date, NONE, "accepted"),
	ROW(date_with_fraction, NONE, "accepted"),
	ROW(date_with_offset, NONE, "accepted"),
	ROW(date_number, NONE, "accepted"),
	ROW(ahead, NONE, "accepted"),
	ROW(last_second, NONE, "accepted"),
	LATE(key_without_alg, NONE, "accepted"),
	LATE(foreign_keys, NONE, "accepted"),

	ROW(alg_none, ITA_ALGORITHM, "not signed (algorithm \"none\")"),
	ROW(alg_None, ITA_ALGORITHM, "not signed (algorithm \"none\")"),
	ROW(alg_hs256, ITA_ALGORITHM, "signed with a shared secret (HS256)"),
	ROW(alg_es256, ITA_ALGORITHM, "signed with ES256, not with PS384 or RS256"),
	ROW(alg_ps256, ITA_ALGORITHM, "signed with PS256, not with PS384 or RS256"),
	ROW(alg_absent, ITA_ALGORITHM, "does not say how it is signed"),
	ROW(alg_number, ITA_ALGORITHM, "does not say how it is signed"),
	ROW(alg_twice, ITA_FORMAT, "header is not a JSON object"),
	ROW(header_no_json, ITA_FORMAT, "header is not a JSON object"),
	ROW(header_array, ITA_FORMAT, "header is not an object"),
	ROW(crit, ITA_FORMAT, "header.crit asks for something that is not known"),
	ROW(typ, ITA_FORMAT, "header.typ is not \"JWT\""),
	ROW(kid_absent, ITA_FORMAT, "header.kid is missing"),
	ROW(kid_control, ITA_FORMAT, "header.kid is not printable"),
	ROW(kid_other, ITA_KEY, "has no key \"key-2\""),
	ROW(kid_longer, ITA_KEY, "has no key \"key-10\""),
	ROW(jku_elsewhere, ITA_LOCATION, "names keys at https://portal.example.evil.test/certs"),
	ROW(jku_user, ITA_LOCATION, "names keys at https://portal.example@evil.test/certs"),
	ROW(jku_http, ITA_LOCATION, "names keys at http://portal.example/certs"),
	ROW(jku_port, ITA_LOCATION, "names keys at https://portal.example:8443/certs"),
	ROW(jku_region, ITA_LOCATION, "the configured ones are at https://portal.eu.example/certs"),
	ROW(own_key_in_header, ITA_SIGNATURE, "was not signed by the key \"key-1\""),

	LATE(empty, ITA_FORMAT, "the token is empty"),
	LATE(two_parts, ITA_FORMAT, "does not have three parts"),
	LATE(four_parts, ITA_FORMAT, "does not have three parts"),
	LATE(five_parts_jwe, ITA_FORMAT, "does not have three parts"),
	LATE(padded, ITA_FORMAT, "signature is not base64url"),
	LATE(standard_base64, ITA_FORMAT, "signature is not base64url"),
	LATE(line_end, ITA_FORMAT, "signature is not base64url"),
	LATE(no_signature, ITA_FORMAT, "signature is empty"),
	LATE(oversized, ITA_FORMAT, "larger than any"),
	LATE(flip_payload, ITA_SIGNATURE, "was not signed by the key"),

	ROW(other_signer, ITA_SIGNATURE, "was not signed by the key \"key-1\""),
	ROW(long_salt, ITA_SIGNATURE, "was not signed by the key \"key-1\""),
	ROW(rs256_called_ps384, ITA_KEY, "is for another algorithm"),

	ROW(no_keys, ITA_KEY, "has no key \"key-1\""),
	ROW(published_other, ITA_KEY, "jwk.x5c is of another key than n and e"),
	LATE(jwk_ec, ITA_KEY, "has no key \"key-1\""),
	LATE(jwk_enc, ITA_KEY, "jwk.use is not for signatures"),
	LATE(jwk_ps512, ITA_KEY, "jwk.alg is neither PS384 nor RS256"),
	LATE(jwk_rs256, ITA_KEY, "is for another algorithm"),
	LATE(jwk_no_n, ITA_KEY, "jwk.n is missing"),
	LATE(jwk_even_e, ITA_KEY, "jwk.e is no exponent"),
	ROW(jwk_small, ITA_KEY, "jwk.n is not of 2048 to 8192 bits"),
	LATE(jwk_no_chain, ITA_KEY, "jwk.x5c is missing"),
	LATE(jwk_garbage_chain, ITA_KEY, "jwk.x5c holds something that is no certificate"),
	LATE(jwk_leaf_alone, ITA_KEY, "jwk.x5c does not have its number of elements"),
	LATE(jwk_eleven, ITA_KEY, "jwk.x5c does not have its number of elements"),

	ROW(no_root, ITA_CHAIN, "does not sign itself"),
	ROW(wrong_order, ITA_KEY, "jwk.x5c is of another key"),
	ROW(ca_forged, ITA_CHAIN, "\"Test Attestation Signing CA\": certificate signature failure"),
	ROW(leaf_forged, ITA_CHAIN, "\"Test Token Signer\": certificate signature failure"),
	ROW(root_forged, ITA_CHAIN, "\"Test Attestation Root CA\", which does not sign itself"),
	ROW(ca_is_none, ITA_CHAIN, "\"Test Attestation Signing CA\" is not a certificate authority"),
	ROW(leaf_is_ca, ITA_CHAIN, "\"Test Token Signer\" is a certificate authority"),
	ROW(path_too_long, ITA_CHAIN, "path length constraint exceeded"),
	LATE(chain_surplus, ITA_CHAIN, "certificate chain too long"),
	ROW(leaf_ended, ITA_CHAIN_TIME, "held until"),
	ROW(ca_ended, ITA_CHAIN_TIME, "held until"),
	ROW(root_ended, ITA_CHAIN_TIME, "held until"),
	ROW(leaf_not_yet, ITA_CHAIN_TIME, "begins to hold"),

	ROW(leaf_revoked, ITA_REVOKED, "\"Test Token Signer\" is revoked"),
	ROW(ca_revoked, ITA_REVOKED, "\"Test Attestation Signing CA\" is revoked"),
	ROW(no_leaf_list, ITA_CRL, "\"Test Token Signer\": unable to get certificate CRL"),
	ROW(list_not_had, ITA_CRL, "https://portal.example/ca.crl: status 503"),
	ROW(list_ended, ITA_CRL, "\"Test Token Signer\": CRL has expired"),
	ROW(list_not_yet, ITA_CRL, "CRL is not yet valid"),
	ROW(list_without_end, ITA_CRL, "does not say when it ends"),
	ROW(list_forged, ITA_CRL, "CRL signature failure"),
	ROW(list_garbage, ITA_CRL, "could not be decoded"),
	ROW(ca_may_not_sign_lists, ITA_CRL, "key usage does not include CRL signing"),

	ROW(payload_no_json, ITA_CLAIMS, "payload is not a JSON object"),
	ROW(payload_array, ITA_CLAIMS, "claims is not an object"),
	ROW(payload_twice, ITA_CLAIMS, "payload is not a JSON object"),
	ROW(no_exp, ITA_CLAIMS, "claims.exp is missing"),
	ROW(no_iat, ITA_CLAIMS, "claims.iat is missing"),
	ROW(no_iss, ITA_CLAIMS, "claims.iss is missing"),
	ROW(exp_text, ITA_CLAIMS, "claims.exp is not an integer"),
	ROW(exp_real, ITA_CLAIMS, "claims.exp is not an integer"),
	ROW(exp_huge, ITA_CLAIMS, "claims.exp is not an integer in its range"),
	ROW(nested_no_object, ITA_CLAIMS, "claims.tdx is not an object"),
	ROW(nested_and_flat, ITA_CLAIMS, "claims.attester_tcb_status is said twice"),
	ROW(nested_mrtd_differs, ITA_CLAIMS, "claims.tdx_mrtd is said twice"),
	ROW(no_status, ITA_CLAIMS, "claims.attester_tcb_status is missing"),
	ROW(status_word, ITA_CLAIMS, "TCB status \"Excellent\" is not one that is known"),
	ROW(status_not_supported, ITA_CLAIMS, "TCB status \"NotSupported\" is not one that is known"),
	ROW(status_case, ITA_CLAIMS, "TCB status \"uptodate\" is not one that is known"),
	ROW(advisories_form, ITA_CLAIMS, "claims.attester_advisory_ids does not hold texts alone"),
	ROW(issuer, ITA_ISSUER, "it was issued by \"Intel Trust Authority \""),
	ROW(expired, ITA_TIME, "the token held until"),
	ROW(future, ITA_TIME, "the token begins to hold"),
	ROW(not_before, ITA_TIME, "the token begins to hold"),
	ROW(stale, ITA_TIME, "the token was made 301 seconds ago"),
	ROW(first_second_too_old, ITA_TIME, "the token was made 301 seconds ago"),
	ROW(backwards, ITA_TIME, "made to hold for 0 seconds"),
	ROW(for_ever, ITA_TIME, "made to hold for 86401 seconds"),
	ROW(nonce_absent, ITA_NONCE, "carries no nonce"),
	ROW(nonce_other, ITA_NONCE, "carries another nonce than ours"),
	ROW(nonce_part, ITA_NONCE, "carries another nonce than ours"),
	ROW(sgx, ITA_ATTESTER, "the token is about \"SGX\""),
	ROW(no_type, ITA_ATTESTER, "does not say what it is about"),
	ROW(dbgstat, ITA_DEBUG, "dbgstat of the token"),
	ROW(dbgstat_word, ITA_DEBUG, "dbgstat of the token"),
	ROW(debuggable, ITA_DEBUG, "tdx_is_debuggable of the token"),
	ROW(debuggable_text, ITA_DEBUG, "tdx_is_debuggable of the token"),
	ROW(attribute_debug, ITA_DEBUG, "tdx_td_attributes_debug of the token"),
	ROW(out_of_date, TCB_STATUS, "OutOfDate"),
	ROW(configuration, TCB_STATUS, "ConfigurationNeeded"),
	ROW(revoked, TCB_REVOKED, "no policy can accept them"),
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static bool row_holds(const struct token_row *row)
{
	struct ratls_report *report;
	struct trial t;
	bool ok;

	trial_begin(&t, false);
	if (row->spoil != NULL)
		row->spoil(&t);
	make(&t);
	if (row->tamper != NULL)
		row->tamper(&t);
	report = appraise_trial(&t);
	ok = report_reason(report) == (int)row->reason && ratls_report_accepted(report) == (row->reason == 0) &&
	     strstr(ratls_report_message(report), row->says) != NULL;
	if (!ok)
		print_error("%s: TQ-%04d %s\n", row->name, report_reason(report), ratls_report_message(report));
	ratls_report_free(report);
	trial_end(&t);
	return ok;
}

static void every_row(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < N_ROWS; i++)
		wrong += !row_holds(&rows[i]);
	if (wrong > 0)
		fail_msg("%zu are not as they should be", wrong);
}

static bool has_row(const char *id)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].reason != REASON_NONE && strcmp(reason_find((int)rows[i].reason)->id, id) == 0)
			return true;
	/* Have tests of their own below. */
	return strcmp(id, "ita.token.present") == 0 || strcmp(id, "ita.measurements") == 0;
}

static void every_rule_of_tokens_has_a_row(void **state)
{
	size_t seen = 0;

	(void)state;
	for (enum rule rule = 0; rule < RULE_COUNT; rule++) {
		const char *id = rule_reason(rule)->id;

		if (strncmp(id, "ita.", 4) != 0)
			continue;
		seen++;
		if (!has_row(id))
			fail_msg("no row is refused by %s", id);
	}
	assert_int_equal(seen, 17);
}

/* ---- measurements ----------------------------------------------------------------------------------------- */

static const char *const measured[] = {"tdx_mrtd", "tdx_rtmr0", "tdx_rtmr1", "tdx_rtmr2", "tdx_rtmr3",
	"tdx_mrseam", "tdx_mrsignerseam", "tdx_mrconfigid", "tdx_mrowner", "tdx_mrownerconfig", "tdx_report_data",
	"tdx_td_attributes", "tdx_xfam", "tdx_tee_tcb_svn"};

enum spoiling { ABSENT, OTHER, SHORT, LONG, NO_TEXT, SPOILINGS };

static void spoil_claim(json_t *claims, const char *name, enum spoiling how)
{
	char text[200];

	snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(claims, name)));
	switch (how) {
	case ABSENT:
		json_object_del(claims, name);
		return;
	case OTHER:
		text[strlen(text) - 1] ^= 1; /* another digit: 0 and 1 and so on stand in pairs */
		break;
	case SHORT:
		text[strlen(text) - 2] = '\0';
		break;
	case LONG:
		strcat(text, "00");
		break;
	case NO_TEXT:
		json_object_set_new(claims, name, json_integer(0));
		return;
	case SPOILINGS:
		break;
	}
	json_object_set_new(claims, name, json_string(text));
}

static void check_measurement(const char *name, enum spoiling how, bool nest)
{
	struct ratls_report *report;
	struct trial t;

	trial_begin(&t, false);
	spoil_claim(t.mint.claims, name, how);
	if (nest)
		mint_nest(&t.mint);
	make(&t);
	report = appraise_trial(&t);
	if (report_reason(report) != REASON_ITA_MEASUREMENTS || strstr(ratls_report_message(report), name) == NULL)
		fail_msg("%s, %d: %s", name, (int)how, ratls_report_message(report));
	assert_false(ratls_report_accepted(report));
	ratls_report_free(report);
	trial_end(&t);
}

/* All of them must be there and be the quote's: the token is about this quote or about none. */
static void every_measurement_counts(void **state)
{
	(void)state;
	assert_int_equal(sizeof(measured) / sizeof(measured[0]), ITA_MEASUREMENTS);
	for (size_t i = 0; i < ITA_MEASUREMENTS; i++)
		for (enum spoiling how = 0; how < SPOILINGS; how++)
			check_measurement(measured[i], how, (i + how) % 2 == 0);
}

/* ---- what is not in a row --------------------------------------------------------------------------------- */

static void what_is_not_signed_is_not_read(void **state)
{
	struct ratls_report *report;
	struct trial t;

	(void)state;
	trial_begin(&t, false);
	other_signer(&t);
	make(&t);
	report = appraise_trial(&t);
	assert_int_equal(check_of(report, "ita.token.signature")->status, CHECK_FAIL);
	assert_int_equal(check_of(report, "ita.token.claims")->status, CHECK_UNKNOWN);
	assert_int_equal(check_of(report, "ita.measurements")->status, CHECK_UNKNOWN);
	ratls_report_free(report);
	trial_end(&t);
}

static void no_answer_is_undetermined(void **state)
{
	struct ratls_report *report;
	struct trial t;
	json_t *json;

	(void)state;
	trial_begin(&t, false);
	report = appraise_trial(&t);
	assert_int_equal(report_reason(report), REASON_ITA_PRESENT);
	assert_int_equal(ratls_report_class(report), CLASS_UNDETERMINED);
	assert_string_equal(check_of(report, "ita.measurements")->hint, "there are no claims that could be read");
	/* Of a quote that came in no certificate nothing ends. */
	assert_int_equal(ratls_report_valid_until(report), INT64_MAX);
	json = json_loads(ratls_report_json(report), 0, NULL);
	assert_true(json_is_null(json_object_get(json, "valid_until")));
	json_decref(json);
	ratls_report_free(report);

	t.no_token = (struct ratls_error){
		.code = RATLS_E_UNAVAILABLE, .reason = REASON_COLLATERAL_UNAVAILABLE, .message = "nobody was there"};
	report = appraise_trial(&t);
	assert_int_equal(report_reason(report), REASON_COLLATERAL_UNAVAILABLE);
	assert_string_equal(ratls_report_message(report), "nobody was there");
	assert_false(ratls_report_accepted(report));
	ratls_report_free(report);
	trial_end(&t);
}

static void a_good_token_says_what_it_says(void **state)
{
	struct ratls_report *report;
	struct trial t;
	json_t *json, *ita;

	(void)state;
	trial_begin(&t, false);
	make(&t);
	report = appraise_trial(&t);
	trial_end(&t);
	assert_true(ratls_report_accepted(report));
	assert_int_equal(ratls_report_valid_until(report), NOW + 1800);
	assert_string_equal(report_tcb_status(report), "UpToDate");
	assert_int_equal(check_of(report, "tcb.advisories")->status, CHECK_WARN);
	json = json_loads(ratls_report_json(report), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json, "verifier")), "ita");
	ita = json_object_get(json, "ita");
	assert_string_equal(json_string_value(json_object_get(ita, "key")), MINT_KID);
	assert_string_equal(json_string_value(json_object_get(ita, "expires")), "2025-07-04T04:03:20Z");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(json_object_get(json, "tcb"), "advisories"), 0)),
		"INTEL-SA-00001");
	json_decref(json);
	ratls_report_free(report);
}

/* Of everything that a verdict rests on, the earliest end counts. */
static void a_verdict_ends_with_its_grounds(void **state)
{
	int64_t ends[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct ratls_report *report;
		struct trial t;

		trial_begin(&t, false);
		if (i == 1)
			t.mint.certificate[MINT_ROOT].not_after = NOW + 700;
		if (i == 2)
			t.mint.crl[0].next_update = NOW + 600;
		if (i == 3)
			t.mint.crl[1].next_update = NOW + 500;
		make(&t);
		report = appraise_trial(&t);
		assert_true(ratls_report_accepted(report));
		ends[i] = ratls_report_valid_until(report) - NOW;
		ratls_report_free(report);
		trial_end(&t);
	}
	assert_int_equal(ends[0], 1800);
	assert_int_equal(ends[1], 700);
	assert_int_equal(ends[2], 600);
	assert_int_equal(ends[3], 500);
}

/* A debug machine is refused by the rule that judges it under every verifier, and the token may not hide it. */
static void debug_is_debug(void **state)
{
	struct ratls_report *report;
	struct trial t;

	(void)state;
	trial_begin(&t, true);
	make(&t);
	report = appraise_trial(&t);
	assert_int_equal(report_reason(report), REASON_ITA_DEBUG);
	assert_int_equal(check_of(report, "td.debug")->status, CHECK_FAIL);
	ratls_report_free(report);
	claim(&t, "dbgstat", json_string("enabled"));
	claim(&t, "tdx_is_debuggable", json_true());
	claim(&t, "tdx_td_attributes_debug", json_true());
	mint_sign(&t.mint);
	report = appraise_trial(&t);
	assert_int_equal(report_reason(report), REASON_TD_DEBUG);
	ratls_report_free(report);
	trial_end(&t);
}

static int reason_under(struct trial *t, const char *policy)
{
	struct ratls_report *report;
	int reason;

	ratls_policy_free(t->policy);
	t->policy = NULL;
	assert_int_equal(ratls_policy_from_json(policy, strlen(policy), &t->policy, NULL), RATLS_OK);
	report = appraise_trial(t);
	reason = report_reason(report);
	ratls_report_free(report);
	return reason;
}

/* Reference values and tolerances are the same under every verifier. */
static void policy_is_the_same(void **state)
{
	static const char other_mrtd[] =
		"{\"tcb_status\":[\"OutOfDate\"],\"mrtd\":[\"000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000000000000000000000\"]}";
	struct trial t;

	(void)state;
	trial_begin(&t, false);
	claim(&t, "attester_tcb_status", json_string("OutOfDate"));
	make(&t);
	assert_int_equal(reason_under(&t, "{}"), REASON_TCB_STATUS);
	assert_int_equal(reason_under(&t, "{\"tcb_status\":[\"OutOfDate\"]}"), REASON_NONE);
	assert_int_equal(reason_under(&t, "{\"tcb_status\":[\"OutOfDate\"],\"advisories_allowed\":[]}"),
		REASON_TCB_ADVISORIES);
	assert_int_equal(reason_under(&t, other_mrtd), REASON_POLICY_MRTD);
	assert_int_equal(reason_under(&t, "{\"tcb_status\":[\"OutOfDate\"],\"min_evaluation_data_number\":1}"),
		REASON_POLICY_EVALUATION); /* which no token says */
	trial_end(&t);
}

/* ---- two verifiers ---------------------------------------------------------------------------------------- */

static struct ratls_report *both(struct trial *t, void (*spoil)(struct trial *))
{
	trial_begin(t, false);
	t->verifiers = APPRAISED_DCAP | APPRAISED_ITA;
	if (spoil != NULL)
		spoil(t);
	make(t);
	return appraise_trial(t);
}

SPOIL(hardening, claim(t, "attester_tcb_status", json_string("SWHardeningNeeded")))

static void both_must_accept(void **state)
{
	struct ratls_report *report;
	struct trial t;

	(void)state;
	report = both(&t, NULL);
	assert_string_equal(ratls_report_message(report), "accepted");
	assert_true(ratls_report_accepted(report));
	assert_int_equal(check_of(report, "verifiers.agree")->status, CHECK_PASS);
	assert_int_equal(check_of(report, "quote.signature")->status, CHECK_PASS);
	assert_int_equal(check_of(report, "ita.measurements")->status, CHECK_PASS);
	ratls_report_free(report);
	trial_end(&t);
}

static void a_disagreement_is_loud(void **state)
{
	static const struct {
		void (*spoil)(struct trial *);
		enum reason reason;
		const char *says;
	} cases[] = {
		{out_of_date, REASON_VERIFIERS_AGREE, "the status is UpToDate, Intel Trust Authority says OutOfDate"},
		{other_signer, REASON_ITA_SIGNATURE, "; the verifiers disagree"},
		{sgx, REASON_ITA_ATTESTER, "; the verifiers disagree"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ratls_report *report;
		struct trial t;

		report = both(&t, cases[i].spoil);
		assert_int_equal(report_reason(report), cases[i].reason);
		if (strstr(ratls_report_message(report), cases[i].says) == NULL)
			fail_msg("%s", ratls_report_message(report));
		assert_int_equal(check_of(report, "verifiers.agree")->status, CHECK_FAIL);
		ratls_report_free(report);
		trial_end(&t);
	}
}

static void collateral_can_object_to_a_token(void **state)
{
	struct ratls_report *report;
	struct trial t;

	(void)state;
	trial_begin(&t, false);
	t.verifiers = APPRAISED_DCAP | APPRAISED_ITA;
	make(&t);
	t.sample.anchor = &t.sample.made.cert[FORGE_ROOT];
	sample_set(&t.sample, "tcb_info_signature",
		"0000000000000000000000000000000000000000000000000000000000000000"
		"0000000000000000000000000000000000000000000000000000000000000001");
	report = appraise_trial(&t);
	assert_int_equal(report_reason(report), REASON_TCBINFO_SIGNATURE);
	assert_non_null(strstr(check_of(report, "verifiers.agree")->hint, "(tcbinfo.signature)"));
	ratls_report_free(report);
	trial_end(&t);
}

static void a_difference_that_both_accept_is_a_warning(void **state)
{
	struct ratls_report *report;
	struct trial t;

	(void)state;
	report = both(&t, hardening);
	assert_true(ratls_report_accepted(report));
	assert_int_equal(check_of(report, "verifiers.agree")->status, CHECK_WARN);
	ratls_report_free(report);
	trial_end(&t);
}

static void one_alone_is_not_both(void **state)
{
	struct ratls_report *report;
	struct trial t;

	(void)state;
	trial_begin(&t, false);
	t.verifiers = APPRAISED_DCAP | APPRAISED_ITA;
	report = appraise_trial(&t);
	assert_int_equal(report_reason(report), REASON_ITA_PRESENT);
	assert_int_equal(ratls_report_class(report), CLASS_UNDETERMINED);
	assert_int_equal(check_of(report, "verifiers.agree")->status, CHECK_UNKNOWN);
	assert_null(strstr(ratls_report_message(report), "disagree"));
	ratls_report_free(report);
	trial_end(&t);
}

/* ---- parsers alone ---------------------------------------------------------------------------------------- */

static void every_truncation_of_a_token_is_refused(void **state)
{
	struct trial t;
	size_t len;

	(void)state;
	trial_begin(&t, false);
	make(&t);
	len = strlen(t.mint.token);
	for (size_t n = 0; n < len; n++) {
		struct jws jws = {0};
		struct outcome o = {0};

		jws_parse(cur_of(t.mint.token, n), &jws);
		assert_false(jws_verify(&jws, mint_key(MINT_KEY_LEAF), &o));
		jws_done(&jws);
	}
	ERR_clear_error();
	trial_end(&t);
}

static void refuse_set(const char *text, const char *says)
{
	struct jwks *s = NULL;
	struct outcome o = {0};

	assert_false(jwks_new(cur_of(text, strlen(text)), &s, &o));
	assert_null(s);
	if (strstr(o.detail, says) == NULL)
		fail_msg("%s: %s", text, o.detail);
}

static void key_sets_are_strict(void **state)
{
	struct buf many = {0};
	char *text;

	(void)state;
	refuse_set("", "is not a JSON object");
	refuse_set("[]", "jwks is not an object");
	refuse_set("{}", "jwks.keys is missing");
	refuse_set("{\"keys\":{}}", "jwks.keys is not an array");
	refuse_set("{\"keys\":[]}", "jwks.keys does not have its number of elements");
	refuse_set("{\"keys\":[{\"kid\":\"a\"},{\"kid\":\"a\"}]}", "two keys of the set are called \"a\"");
	refuse_set("{\"keys\":[{\"kid\":\"a\",\"kid\":\"b\"}]}", "is not a JSON object");
	refuse_set("{\"keys\":[{\"kid\":\"a\"}]} x", "is not a JSON object");
	buf_str(&many, "{\"keys\":[");
	for (int i = 0; i <= JWKS_KEYS_MAX; i++)
		buf_fmt(&many, "%s{\"kid\":\"%d\"}", i > 0 ? "," : "", i);
	buf_str(&many, "]}");
	text = buf_take_str(&many);
	refuse_set(text, "jwks.keys does not have its number of elements");
	free(text);
	assert_int_equal(ERR_peek_error(), 0);
}

static void distribution_points_are_found(void **state)
{
	char url[JWK_URL_MAX + 1], *text;
	struct jwks *s = NULL;
	struct outcome o = {0};
	const struct jwk *k;
	struct trial t;

	(void)state;
	trial_begin(&t, false);
	t.mint.certificate[MINT_CA].crl_url = "ldap://portal.example/root";
	make(&t);
	text = json_dumps(t.mint.jwks, 0);
	assert_true(jwks_new(cur_of(text, strlen(text)), &s, &o));
	k = jwks_find(s, MINT_KID);
	assert_int_equal(jwk_n_revocable(k), 2);
	assert_true(jwk_crl_url(k, 0, url));
	assert_string_equal(url, MINT_PORTAL "/ca.crl");
	assert_false(jwk_crl_url(k, 1, url));
	assert_false(jwk_crl_url(k, 2, url));
	jwks_free(s);
	free(text);
	trial_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(what_is_not_signed_is_not_read),
		cmocka_unit_test(every_rule_of_tokens_has_a_row),
		cmocka_unit_test(every_measurement_counts),
		cmocka_unit_test(no_answer_is_undetermined),
		cmocka_unit_test(a_good_token_says_what_it_says),
		cmocka_unit_test(a_verdict_ends_with_its_grounds),
		cmocka_unit_test(debug_is_debug),
		cmocka_unit_test(policy_is_the_same),
		cmocka_unit_test(both_must_accept),
		cmocka_unit_test(a_disagreement_is_loud),
		cmocka_unit_test(collateral_can_object_to_a_token),
		cmocka_unit_test(a_difference_that_both_accept_is_a_warning),
		cmocka_unit_test(one_alone_is_not_both),
		cmocka_unit_test(every_truncation_of_a_token_is_refused),
		cmocka_unit_test(key_sets_are_strict),
		cmocka_unit_test(distribution_points_are_found),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	mint_keys_done();
	return failed;
}
