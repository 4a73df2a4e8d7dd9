/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificate chains and the SGX extension. Numbers are those of the list of known bad cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sample.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "simulator/forge_der.h"

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

/* ---- the SGX extension ---- */

static void sgx_absent(struct sample *s)
{
	s->pki.cert[FORGE_PCK].omit = FORGE_SGX;
}

static void sgx_twice(struct sample *s)
{
	s->pki.sgx.twice = true;
}

static void five_entries_of_platform(struct sample *s)
{
	s->pki.sgx.processor = true;
}

static void seven_entries_of_processor(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].cn = s->pki.cert[FORGE_PCK].issuer_cn = "Intel SGX PCK Processor CA";
	s->pki.crl[FORGE_PCK_CRL].issuer_cn = "Intel SGX PCK Processor CA";
}

static void processor(struct sample *s)
{
	seven_entries_of_processor(s);
	s->pki.sgx.processor = true;
}

static void cpusvn_differs(struct sample *s)
{
	s->pki.sgx.cpusvn[3]++;
}

static struct buf sgx_bytes; /* what s->pki.sgx.bytes points to until the next row */

/* Replace bytes (hex) within the extension, which must occur; lengths are the row's business. */
static void edit_sgx(struct sample *s, const char *from_hex, const char *to_hex)
{
	uint8_t from[64], to[64];
	size_t n_from = strlen(from_hex) / 2, n_to = strlen(to_hex) / 2;
	struct buf whole = {0};
	uint8_t *at;

	assert_true(hex_decode(from_hex, 2 * n_from, from, n_from) && hex_decode(to_hex, 2 * n_to, to, n_to));
	forge_sgx_write(&s->pki.sgx, &whole);
	at = memmem(whole.p, whole.len, from, n_from);
	assert_non_null(at);
	sgx_bytes.len = 0;
	buf_bytes(&sgx_bytes, whole.p, (size_t)(at - whole.p));
	buf_bytes(&sgx_bytes, to, n_to);
	buf_bytes(&sgx_bytes, at + n_from, whole.len - (size_t)(at - whole.p) - n_from);
	s->pki.sgx.bytes = cur_of(sgx_bytes.p, sgx_bytes.len);
	buf_done(&whole);
}

#define SGX_OID "2a864886f84d010d01"

static void sgx_garbage(struct sample *s)
{
	s->pki.sgx.bytes = cur_of("\x30\x03\x02\x01\x01", 5);
}

static void sgx_trailing_byte(struct sample *s)
{
	sgx_bytes.len = 0;
	forge_sgx_write(&s->pki.sgx, &sgx_bytes);
	buf_u8(&sgx_bytes, 0);
	s->pki.sgx.bytes = cur_of(sgx_bytes.p, sgx_bytes.len);
}

static void sgx_name_is_no_oid(struct sample *s)
{
	edit_sgx(s, "060a" SGX_OID "04", "040a" SGX_OID "04");
}

static void sgx_name_is_unknown(struct sample *s)
{
	edit_sgx(s, "060a" SGX_OID "04", "060a" SGX_OID "09");
}

static void sgx_name_twice(struct sample *s)
{
	edit_sgx(s, "060a" SGX_OID "04", "060a" SGX_OID "03");
}

static void sgx_fmspc_type(struct sample *s)
{
	edit_sgx(s, "060a" SGX_OID "040406", "060a" SGX_OID "040c06");
}

static void sgx_type_is_integer(struct sample *s)
{
	edit_sgx(s, "060a" SGX_OID "050a01", "060a" SGX_OID "050201");
}

static void sgx_component_is_octets(struct sample *s)
{
	edit_sgx(s, "060b" SGX_OID "02010201", "060b" SGX_OID "02010401");
}

static void sgx_component_negative(struct sample *s)
{
	edit_sgx(s, "060b" SGX_OID "0201020103", "060b" SGX_OID "02010201ff");
}

static void sgx_component_missing(struct sample *s)
{
	edit_sgx(s, "060b" SGX_OID "0210", "060b" SGX_OID "0213");
}

/* An extension whose values have these sizes. */
struct sgx_sizes {
	size_t ppid, pceid, fmspc, cpusvn, pcesvn, instance;
	size_t elements; /* of the PPID's pair */
};

static const struct sgx_sizes good_sizes = {16, 2, 6, 16, 1, 16, 2};

static void put_value(struct buf *b, const char *suffix, uint8_t tag, size_t len)
{
	static const uint8_t ones[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	size_t start = b->len;
	char oid[40];

	snprintf(oid, sizeof(oid), "1.2.840.113741.1.13.1.%s", suffix);
	der_oid(b, oid);
	der_bytes(b, tag, ones, len);
	der_wrap(b, start, DER_SEQUENCE);
}

static void put_tcb(struct buf *b, const struct sgx_sizes *sizes)
{
	size_t start = b->len, list;
	char suffix[8];

	der_oid(b, "1.2.840.113741.1.13.1.2");
	list = b->len;
	for (unsigned i = 1; i <= 16; i++) {
		snprintf(suffix, sizeof(suffix), "2.%u", i);
		put_value(b, suffix, DER_INTEGER, 1);
	}
	put_value(b, "2.17", DER_INTEGER, sizes->pcesvn);
	put_value(b, "2.18", DER_OCTET_STRING, sizes->cpusvn);
	der_wrap(b, list, DER_SEQUENCE);
	der_wrap(b, start, DER_SEQUENCE);
}

static void write_sgx(struct sample *s, const struct sgx_sizes *sizes)
{
	size_t start;

	sgx_bytes.len = 0;
	der_oid(&sgx_bytes, "1.2.840.113741.1.13.1.1");
	der_bytes(&sgx_bytes, DER_OCTET_STRING, s->pki.sgx.ppid, sizes->ppid);
	for (size_t i = 2; i < sizes->elements; i++)
		der_bytes(&sgx_bytes, DER_OCTET_STRING, NULL, 0);
	der_wrap(&sgx_bytes, 0, DER_SEQUENCE);
	put_tcb(&sgx_bytes, sizes);
	put_value(&sgx_bytes, "3", DER_OCTET_STRING, sizes->pceid);
	put_value(&sgx_bytes, "4", DER_OCTET_STRING, sizes->fmspc);
	put_value(&sgx_bytes, "5", DER_ENUMERATED, 1);
	put_value(&sgx_bytes, "6", DER_OCTET_STRING, sizes->instance);
	start = sgx_bytes.len;
	der_oid(&sgx_bytes, "1.2.840.113741.1.13.1.7");
	der_wrap(&sgx_bytes, sgx_bytes.len, DER_SEQUENCE);
	der_wrap(&sgx_bytes, start, DER_SEQUENCE);
	der_wrap(&sgx_bytes, 0, DER_SEQUENCE);
	s->pki.sgx.bytes = cur_of(sgx_bytes.p, sgx_bytes.len);
}

/* What is written this way is read: TCB info is then of another platform. */
static void sgx_sizes_good(struct sample *s)
{
	write_sgx(s, &good_sizes);
}

#define SIZE(name, member, size)                                                                             \
	static void name(struct sample *s)                                                                   \
	{                                                                                                    \
		struct sgx_sizes sizes = good_sizes;                                                         \
                                                                                                             \
		sizes.member = (size);                                                                       \
		write_sgx(s, &sizes);                                                                        \
	}

SIZE(sgx_ppid_short, ppid, 15)
SIZE(sgx_pceid_long, pceid, 3)
SIZE(sgx_fmspc_short, fmspc, 5)
SIZE(sgx_cpusvn_long, cpusvn, 17)
SIZE(sgx_pcesvn_long, pcesvn, 3)
SIZE(sgx_instance_short, instance, 15)
SIZE(sgx_pair_of_three, elements, 3)

static void sgx_deep(struct sample *s)
{
	sgx_bytes.len = 0;
	for (size_t i = 0; i < 1000; i++)
		der_wrap(&sgx_bytes, 0, DER_SEQUENCE);
	s->pki.sgx.bytes = cur_of(sgx_bytes.p, sgx_bytes.len);
}

const struct row rows_chain[] = {
	STATUS("good", NULL, NONE, "UpToDate"),
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

	MADE("81 SGX extension absent", sgx_absent, PCK_EXTENSION),
	MADE("82 SGX extension twice", sgx_twice, PCK_EXTENSION),
	MADE("83 SGX extension is something else", sgx_garbage, PCK_EXTENSION),
	MADE("83 a byte follows the SGX extension", sgx_trailing_byte, PCK_EXTENSION),
	MADE("84 5 entries under Platform CA", five_entries_of_platform, PCK_EXTENSION),
	MADE("84 7 entries under Processor CA", seven_entries_of_processor, PCK_EXTENSION),
	MADE("5 entries under Processor CA", processor, NONE),
	MADE("85 a name is no OID", sgx_name_is_no_oid, PCK_EXTENSION),
	MADE("87 FMSPC missing", sgx_name_is_unknown, PCK_EXTENSION),
	MADE("87 PCEID in place of FMSPC", sgx_name_twice, PCK_EXTENSION),
	MADE("87 SGX type is no enumeration", sgx_type_is_integer, PCK_EXTENSION),
	MADE("88 a component is missing", sgx_component_missing, PCK_EXTENSION),
	MADE("89 FMSPC is no octet string", sgx_fmspc_type, PCK_EXTENSION),
	MADE("92 a component is no integer", sgx_component_is_octets, PCK_EXTENSION),
	MADE("92 a component is negative", sgx_component_negative, PCK_EXTENSION),
	MADE("an extension written by hand", sgx_sizes_good, TCBINFO_PLATFORM),
	MADE("86 a pair of three", sgx_pair_of_three, PCK_EXTENSION),
	MADE("87 PPID of 15 bytes", sgx_ppid_short, PCK_EXTENSION),
	MADE("87 PCEID of 3 bytes", sgx_pceid_long, PCK_EXTENSION),
	MADE("89 FMSPC of 5 bytes", sgx_fmspc_short, PCK_EXTENSION),
	MADE("90 CPUSVN of 17 bytes", sgx_cpusvn_long, PCK_EXTENSION),
	MADE("91 PCESVN of 3 bytes", sgx_pcesvn_long, PCK_EXTENSION),
	MADE("instance id of 15 bytes", sgx_instance_short, PCK_EXTENSION),
	MADE("94 a thousand levels deep", sgx_deep, PCK_EXTENSION),
	MADE("93 CPUSVN differs from components", cpusvn_differs, PCK_EXTENSION),
};

const size_t n_rows_chain = sizeof(rows_chain) / sizeof(rows_chain[0]);
