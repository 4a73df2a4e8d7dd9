/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificate chains. Numbers are those of the list of known bad cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sample.h"

#include <string.h>

/* ---- the text of chains ---- */

/* Put this text in place of the PCK chain in the quote: what is not signed can be anything. */
static void put_chain(struct sample *s, const char *text, size_t len)
{
	struct ratls_error err = {0};
	char *copy = strndup(text, len);

	s->quote.certification = cur_of(copy, len);
	s->bytes.len = 0;
	assert_int_equal(forge_quote_write(&s->quote, &s->made, &s->bytes, &err), RATLS_OK);
	free(copy);
}

static void quote_chain(struct sample *s, const enum forge_role *roles, size_t n)
{
	char *text = sample_chain(s, roles, n);

	put_chain(s, text, strlen(text));
	free(text);
}

static void two_certificates(struct sample *s)
{
	quote_chain(s, ROLES(FORGE_PCK, FORGE_PCK_CA));
}

static void four_certificates(struct sample *s)
{
	quote_chain(s, ROLES(FORGE_PCK, FORGE_PCK_CA, FORGE_ROOT, FORGE_ROOT));
}

static void reversed(struct sample *s)
{
	quote_chain(s, ROLES(FORGE_ROOT, FORGE_PCK_CA, FORGE_PCK));
}

static void no_intermediate(struct sample *s)
{
	quote_chain(s, ROLES(FORGE_PCK, FORGE_ROOT, FORGE_ROOT));
}

static void no_leaf(struct sample *s)
{
	quote_chain(s, ROLES(FORGE_PCK_CA, FORGE_PCK_CA, FORGE_ROOT));
}

static void signer_as_leaf(struct sample *s)
{
	quote_chain(s, ROLES(FORGE_TCB_SIGNER, FORGE_PCK_CA, FORGE_ROOT));
}

/* Change one occurrence of a text within the PCK chain. */
static void edit_chain(struct sample *s, const char *from, const char *to, bool last)
{
	char *text = sample_chain(s, ROLES(FORGE_PCK, FORGE_PCK_CA, FORGE_ROOT)), *at = strstr(text, from), *next;
	struct buf out = {0};

	assert_non_null(at);
	while (last && (next = strstr(at + 1, from)) != NULL)
		at = next;
	buf_bytes(&out, text, (size_t)(at - text));
	buf_str(&out, to);
	buf_str(&out, at + strlen(from));
	put_chain(s, (const char *)out.p, out.len);
	buf_done(&out);
	free(text);
}

#define BEGIN_CERTIFICATE "-----BEGIN CERTIFICATE-----"
#define END_CERTIFICATE	  "-----END CERTIFICATE-----"

static void begin_lacks_dash(struct sample *s)
{
	edit_chain(s, BEGIN_CERTIFICATE, "----BEGIN CERTIFICATE-----", false);
}

static void end_lacks_dash(struct sample *s)
{
	edit_chain(s, END_CERTIFICATE, "-----END CERTIFICATE----", true);
}

static void begin_and_end_swapped(struct sample *s)
{
	edit_chain(s, BEGIN_CERTIFICATE, END_CERTIFICATE, false);
}

static void second_begin_missing(struct sample *s)
{
	edit_chain(s, BEGIN_CERTIFICATE, "", true);
}

static void text_between(struct sample *s)
{
	edit_chain(s, END_CERTIFICATE, END_CERTIFICATE "\nhello", false);
}

static void body_flipped(struct sample *s)
{
	edit_chain(s, "\nMII", "\nMIJ", false);
}

static void chain_empty(struct sample *s)
{
	struct ratls_error err = {0};

	s->quote.certification = cur_of("", 1);
	s->quote.no_nul = true;
	s->bytes.len = 0;
	assert_int_equal(forge_quote_write(&s->quote, &s->made, &s->bytes, &err), RATLS_OK);
}

static void windows_line_ends(struct sample *s)
{
	edit_chain(s, END_CERTIFICATE "\n", END_CERTIFICATE "\r\n", false);
}

static void no_nul(struct sample *s)
{
	s->quote.no_nul = true;
}

static void signing_chain(struct sample *s, const enum forge_role *roles, size_t n)
{
	char *text = sample_chain(s, roles, n);

	sample_set(s, "tcb_info_issuer_chain", text);
	free(text);
}

static void signing_chain_of_three(struct sample *s)
{
	signing_chain(s, ROLES(FORGE_TCB_SIGNER, FORGE_PCK_CA, FORGE_ROOT));
}

static void signing_chain_of_one(struct sample *s)
{
	signing_chain(s, ROLES(FORGE_ROOT));
}

static void signing_chain_empty(struct sample *s)
{
	sample_set(s, "tcb_info_issuer_chain", "");
}

static void qe_chain_text(struct sample *s)
{
	sample_set(s, "qe_identity_issuer_chain", "no chain");
}

static void qe_chain_truncated(struct sample *s)
{
	char *text = sample_chain(s, ROLES(FORGE_TCB_SIGNER, FORGE_ROOT));

	text[strlen(text) / 3] = '\0';
	sample_set(s, "qe_identity_issuer_chain", text);
	free(text);
}

/* ---- names, roles, signatures ---- */

static void root_named_otherwise(struct sample *s)
{
	s->pki.cert[FORGE_ROOT].cn = s->pki.cert[FORGE_ROOT].issuer_cn = "Some Root";
	s->pki.cert[FORGE_PCK_CA].issuer_cn = s->pki.cert[FORGE_TCB_SIGNER].issuer_cn = "Some Root";
	s->pki.crl[FORGE_ROOT_CRL].issuer_cn = "Some Root";
}

static void ca_named_otherwise(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].cn = s->pki.cert[FORGE_PCK].issuer_cn = "Intel SGX PCK Platform";
	s->pki.crl[FORGE_PCK_CRL].issuer_cn = "Intel SGX PCK Platform";
}

static void ca_issuer_differs(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].issuer_cn = "Intel SGX Other Root CA";
}

static void ca_signed_by_another(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].signed_by = "another";
}

static void ca_is_no_ca(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].ca = false;
	s->pki.cert[FORGE_PCK_CA].path_length = -1;
}

static void ca_may_not_sign(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].key_usage = FORGE_USAGE_SIGN;
}

#define USAGE_CERT_SIGN 0x0204 /* keyCertSign alone */

static void ca_may_not_sign_lists(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].key_usage = USAGE_CERT_SIGN;
}

static void root_allows_no_ca(struct sample *s)
{
	s->pki.cert[FORGE_ROOT].path_length = 0;
}

static void leaf_named_otherwise(struct sample *s)
{
	s->pki.cert[FORGE_PCK].cn = "Intel SGX TCB Signing";
}

static void leaf_issuer_differs(struct sample *s)
{
	s->pki.cert[FORGE_PCK].issuer_cn = "Intel SGX PCK Processor CA";
}

static void leaf_signed_by_another(struct sample *s)
{
	s->pki.cert[FORGE_PCK].signed_by = "another";
}

static void leaf_is_a_ca(struct sample *s)
{
	s->pki.cert[FORGE_PCK].ca = true;
}

static void leaf_names_another_key(struct sample *s)
{
	s->pki.cert[FORGE_PCK].issuer_key = "another";
}

static void leaf_lacks_aki(struct sample *s)
{
	s->pki.cert[FORGE_PCK].omit = FORGE_AKI;
}

static void leaf_lacks_ski(struct sample *s)
{
	s->pki.cert[FORGE_PCK].omit = FORGE_SKI;
}

static void leaf_lacks_distribution(struct sample *s)
{
	s->pki.cert[FORGE_PCK].omit = FORGE_CRL_DISTRIBUTION;
}

static void leaf_lacks_usage(struct sample *s)
{
	s->pki.cert[FORGE_PCK].omit = FORGE_KEY_USAGE;
}

static void leaf_lacks_constraints(struct sample *s)
{
	s->pki.cert[FORGE_PCK].omit = FORGE_BASIC_CONSTRAINTS;
}

static void ca_lacks_distribution(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].omit = FORGE_CRL_DISTRIBUTION;
}

static void signer_lacks_ski(struct sample *s)
{
	s->pki.cert[FORGE_TCB_SIGNER].omit = FORGE_SKI;
}

static void signer_named_otherwise(struct sample *s)
{
	s->pki.cert[FORGE_TCB_SIGNER].cn = "Intel SGX PCK Certificate";
}

static void signer_issuer_differs(struct sample *s)
{
	s->pki.cert[FORGE_TCB_SIGNER].issuer_cn = "Intel SGX PCK Platform CA";
}

static void signer_signed_by_another(struct sample *s)
{
	s->pki.cert[FORGE_TCB_SIGNER].signed_by = "another";
}

static void pck_ca_signs_tcb_info(struct sample *s)
{
	struct forge_document *d = &s->collateral.tcb_info.document;

	d->signed_by = FORGE_KEY_PCK_CA;
	d->chain[0] = FORGE_PCK_CA;
}

static void pck_leaf_signs_tcb_info(struct sample *s)
{
	struct forge_document *d = &s->collateral.tcb_info.document;

	d->signed_by = FORGE_KEY_PCK;
	d->chain[0] = FORGE_PCK;
	d->chain[1] = FORGE_PCK_CA;
	d->chain[2] = FORGE_ROOT;
	d->n_chain = 3;
}

static void pck_leaf_signs_with_two(struct sample *s)
{
	struct forge_document *d = &s->collateral.tcb_info.document;

	d->signed_by = FORGE_KEY_PCK;
	d->chain[0] = FORGE_PCK;
}

/* Invariant trust_is_configured: the peer's own root gains nothing. The quote is of another PKI with the same
 * names, the collateral is that of the configured one. */
static void own_root(struct sample *s)
{
	struct ratls_error err = {0};
	struct forge_pki other = {0};

	s->pki.seed[0] ^= 1;
	assert_int_equal(forge_pki_make(&s->pki, &other, &err), RATLS_OK);
	s->bytes.len = 0;
	assert_int_equal(forge_quote_write(&s->quote, &other, &s->bytes, &err), RATLS_OK);
	forge_pki_done(&other);
}

/* The same, but the peer appends the configured root to its own chain. */
static void appended_root(struct sample *s)
{
	struct ratls_error err = {0};
	struct forge_pki other = {0};
	struct buf text = {0};

	s->pki.seed[0] ^= 1;
	assert_int_equal(forge_pki_make(&s->pki, &other, &err), RATLS_OK);
	forge_pki_pem(&other, ROLES(FORGE_PCK, FORGE_PCK_CA), &text);
	forge_pki_pem(&s->made, ROLES(FORGE_ROOT), &text);
	s->quote.certification = cur_of(text.p, text.len);
	s->bytes.len = 0;
	assert_int_equal(forge_quote_write(&s->quote, &other, &s->bytes, &err), RATLS_OK);
	forge_pki_done(&other);
	buf_done(&text);
}

/* ---- times ---- */

static void leaf_begins_later(struct sample *s)
{
	s->pki.cert[FORGE_PCK].not_before = SAMPLE_NOW + 1;
}

static void leaf_begins_now(struct sample *s)
{
	s->pki.cert[FORGE_PCK].not_before = SAMPLE_NOW;
}

static void leaf_ended(struct sample *s)
{
	s->pki.cert[FORGE_PCK].not_after = SAMPLE_NOW - 1;
}

static void leaf_ends_now(struct sample *s)
{
	s->pki.cert[FORGE_PCK].not_after = SAMPLE_NOW;
}

static void ca_ended(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].not_after = SAMPLE_NOW - 1;
}

static void root_ended(struct sample *s)
{
	s->pki.cert[FORGE_ROOT].not_after = SAMPLE_NOW - 1;
}

static void signer_ended(struct sample *s)
{
	s->pki.cert[FORGE_TCB_SIGNER].not_after = SAMPLE_NOW - 1;
}

static void signer_begins_later(struct sample *s)
{
	s->pki.cert[FORGE_TCB_SIGNER].not_before = SAMPLE_NOW + 1;
}

const struct row rows_chain[] = {
	STATUS("good", NULL, NONE, "UpToDate"),
	CHANGED("42 chain empty", chain_empty, PCK_CHAIN),
	CHANGED("CR LF in the chain", windows_line_ends, NONE),
	MADE("no NUL after the chain", no_nul, NONE),
	CHANGED("43 BEGIN lacks a dash", begin_lacks_dash, PCK_CHAIN),
	CHANGED("44 END lacks a dash", end_lacks_dash, PCK_CHAIN),
	CHANGED("45 BEGIN and END inverted", begin_and_end_swapped, PCK_CHAIN),
	CHANGED("46 a BEGIN is absent", second_begin_missing, PCK_CHAIN),
	CHANGED("47 80 one certificate cannot be parsed", body_flipped, PCK_CHAIN),
	CHANGED("text between certificates", text_between, PCK_CHAIN),
	CHANGED("48 PCK chain of two", two_certificates, PCK_CHAIN),
	CHANGED("49 PCK chain of four", four_certificates, PCK_CHAIN),
	CHANGED("PCK chain reversed", reversed, PCK_CHAIN),
	CHANGED("50 signing chain of three", signing_chain_of_three, TCBINFO_CHAIN),
	CHANGED("51 signing chain empty", signing_chain_empty, TCBINFO_CHAIN),
	CHANGED("51 signing chain is text", qe_chain_text, QEID_CHAIN),
	CHANGED("signing chain truncated", qe_chain_truncated, QEID_CHAIN),
	MADE("53 root named otherwise", root_named_otherwise, PCK_CHAIN),
	CHANGED("56 intermediate missing", no_intermediate, PCK_CHAIN),
	MADE("57 intermediate named otherwise", ca_named_otherwise, PCK_CHAIN),
	MADE("58 intermediate of another issuer", ca_issuer_differs, PCK_CHAIN),
	MADE("59 intermediate signed by another", ca_signed_by_another, PCK_SIGNATURE),
	MADE("intermediate is no CA", ca_is_no_ca, PCK_CHAIN),
	MADE("intermediate may not sign certificates", ca_may_not_sign, PCK_CHAIN),
	MADE("the CA's key may not sign revocation lists", ca_may_not_sign_lists, PCK_CHAIN),
	MADE("root allows no CA below it", root_allows_no_ca, PCK_CHAIN),
	CHANGED("60 leaf missing", no_leaf, PCK_CHAIN),
	MADE("61 leaf named otherwise", leaf_named_otherwise, PCK_CHAIN),
	CHANGED("61 TCB signer as leaf", signer_as_leaf, PCK_CHAIN),
	MADE("62 leaf of another issuer", leaf_issuer_differs, PCK_CHAIN),
	MADE("62 leaf names another key of its issuer", leaf_names_another_key, PCK_CHAIN),
	MADE("63 leaf signed by another", leaf_signed_by_another, PCK_SIGNATURE),
	MADE("leaf is a CA", leaf_is_a_ca, PCK_CHAIN),
	MADE("64 leaf lacks AKI", leaf_lacks_aki, PCK_CHAIN),
	MADE("64 leaf lacks SKI", leaf_lacks_ski, PCK_CHAIN),
	MADE("64 leaf lacks CRL distribution point", leaf_lacks_distribution, PCK_CHAIN),
	MADE("64 leaf lacks key usage", leaf_lacks_usage, PCK_CHAIN),
	MADE("64 leaf lacks basic constraints", leaf_lacks_constraints, PCK_CHAIN),
	MADE("64 intermediate lacks CRL distribution point", ca_lacks_distribution, PCK_CHAIN),
	MADE("64 TCB signer lacks SKI", signer_lacks_ski, TCBINFO_CHAIN),
	CHANGED("65 another root of the same names", own_root, PCK_ROOT),
	CHANGED("65 the configured root appended to another chain", appended_root, PCK_CHAIN),
	CHANGED("52 68 signing chain without signer", signing_chain_of_one, TCBINFO_CHAIN),
	MADE("69 PCK CA signs TCB info", pck_ca_signs_tcb_info, TCBINFO_CHAIN),
	MADE("69 TCB signer named otherwise", signer_named_otherwise, TCBINFO_CHAIN),
	MADE("70 PCK leaf signs TCB info", pck_leaf_signs_tcb_info, TCBINFO_CHAIN),
	MADE("70 PCK leaf signs TCB info, chain of two", pck_leaf_signs_with_two, TCBINFO_CHAIN),
	MADE("71 TCB signer of another issuer", signer_issuer_differs, TCBINFO_CHAIN),
	MADE("72 TCB signer signed by another", signer_signed_by_another, TCBINFO_CHAIN),
	MADE("73 leaf not yet valid", leaf_begins_later, PCK_TIME),
	MADE("leaf valid from this second", leaf_begins_now, NONE),
	MADE("74 leaf expired", leaf_ended, PCK_TIME),
	MADE("leaf valid until this second", leaf_ends_now, NONE),
	MADE("75 intermediate expired", ca_ended, PCK_TIME),
	MADE("76 78 root expired", root_ended, PCK_TIME),
	MADE("77 TCB signer expired", signer_ended, TCBINFO_TIME),
	MADE("TCB signer not yet valid", signer_begins_later, TCBINFO_TIME),
};

const size_t n_rows_chain = sizeof(rows_chain) / sizeof(rows_chain[0]);
