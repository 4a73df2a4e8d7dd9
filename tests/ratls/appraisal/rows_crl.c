/* SPDX-License-Identifier: Apache-2.0
 *
 * Revocation lists, their issuers' chains and what they list. Numbers are those of the list of known bad cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sample.h"

#include <string.h>

#include "base/hex.h"

static void root_crl_garbage(struct sample *s)
{
	sample_set(s, "root_ca_crl", "00");
}

static void root_crl_empty(struct sample *s)
{
	sample_set(s, "root_ca_crl", "");
}

static void pck_crl_truncated(struct sample *s)
{
	char *text = strdup(sample_get(s, "pck_crl"));

	text[strlen(text) - 2] = '\0';
	sample_set(s, "pck_crl", text);
	free(text);
}

static void pck_crl_bad_pem(struct sample *s)
{
	sample_set(s, "pck_crl", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
}

static void pck_crl_pem(struct sample *s)
{
	struct buf text = {0};
	char *out;

	buf_str(&text, "-----BEGIN X509 CRL-----\n");
	base64_append(&text, s->made.crl[FORGE_PCK_CRL].p, s->made.crl[FORGE_PCK_CRL].len);
	buf_str(&text, "\n-----END X509 CRL-----\n");
	out = buf_take_str(&text);
	sample_set(s, "pck_crl", out);
	free(out);
}

static void crls_swapped(struct sample *s)
{
	char *root = strdup(sample_get(s, "root_ca_crl"));

	sample_set(s, "root_ca_crl", sample_get(s, "pck_crl"));
	sample_set(s, "pck_crl", root);
	free(root);
}

static void root_crl_for_both(struct sample *s)
{
	sample_set(s, "pck_crl", sample_get(s, "root_ca_crl"));
}

static void crl_of_processor(struct sample *s)
{
	s->pki.crl[FORGE_PCK_CRL].issuer_cn = "Intel SGX PCK Processor CA";
}

static void crl_names_another_key(struct sample *s)
{
	s->pki.crl[FORGE_PCK_CRL].issuer_key = "another";
}

static void pck_crl_partial(struct sample *s)
{
	s->pki.crl[FORGE_PCK_CRL].partial = true;
}

static void root_crl_lacks_number(struct sample *s)
{
	s->pki.crl[FORGE_ROOT_CRL].omit = FORGE_CRL_NUMBER;
}

static void pck_crl_lacks_aki(struct sample *s)
{
	s->pki.crl[FORGE_PCK_CRL].omit = FORGE_AKI;
}

static void root_crl_signed_by_another(struct sample *s)
{
	s->pki.crl[FORGE_ROOT_CRL].signed_by = "another";
}

static void pck_crl_signed_by_another(struct sample *s)
{
	s->pki.crl[FORGE_PCK_CRL].signed_by = "another";
}

static void root_crl_ended(struct sample *s)
{
	s->pki.crl[FORGE_ROOT_CRL].next_update = SAMPLE_NOW - 1;
}

static void pck_crl_ended(struct sample *s)
{
	s->pki.crl[FORGE_PCK_CRL].next_update = SAMPLE_NOW - 1;
}

static void pck_crl_ends_now(struct sample *s)
{
	s->pki.crl[FORGE_PCK_CRL].next_update = SAMPLE_NOW;
}

static void root_crl_begins_later(struct sample *s)
{
	s->pki.crl[FORGE_ROOT_CRL].this_update = SAMPLE_NOW + 1;
}

static void pck_crl_inverted(struct sample *s)
{
	s->pki.crl[FORGE_PCK_CRL].this_update = SAMPLE_NOW + SAMPLE_DAY;
	s->pki.crl[FORGE_PCK_CRL].next_update = SAMPLE_NOW - SAMPLE_DAY;
}

static void pck_crl_never_ends(struct sample *s)
{
	s->pki.crl[FORGE_PCK_CRL].next_update = 0;
}

static void leaf_revoked(struct sample *s)
{
	s->pki.crl[FORGE_PCK_CRL].revoked_roles = 1u << FORGE_PCK;
}

static void ca_revoked(struct sample *s)
{
	s->pki.crl[FORGE_ROOT_CRL].revoked_roles = 1u << FORGE_PCK_CA;
}

static void signer_revoked(struct sample *s)
{
	s->pki.crl[FORGE_ROOT_CRL].revoked_roles = 1u << FORGE_TCB_SIGNER;
}

static void root_revoked(struct sample *s)
{
	s->pki.crl[FORGE_ROOT_CRL].revoked_roles = 1u << FORGE_ROOT;
}

static void another_revoked(struct sample *s)
{
	s->pki.crl[FORGE_PCK_CRL].revoked[0] = cur_of("\x01\x02\x03", 3);
}

static void crl_chain_of_three(struct sample *s)
{
	char *text = sample_chain(s, ROLES(FORGE_PCK, FORGE_PCK_CA, FORGE_ROOT));

	sample_set(s, "pck_crl_issuer_chain", text);
	free(text);
}

static void crl_chain_of_signer(struct sample *s)
{
	char *text = sample_chain(s, ROLES(FORGE_TCB_SIGNER, FORGE_ROOT));

	sample_set(s, "pck_crl_issuer_chain", text);
	free(text);
}

static void crl_chain_without_root(struct sample *s)
{
	char *text = sample_chain(s, ROLES(FORGE_PCK_CA));

	sample_set(s, "pck_crl_issuer_chain", text);
	free(text);
}

/* The collateral's chain is not the quote's: what is broken here is no word against the peer. */
static void crl_chain_of_another_root(struct sample *s)
{
	struct ratls_error err = {0};
	struct forge_pki other = {0};
	struct buf text = {0};
	char *chain;

	s->pki.seed[0] ^= 1;
	assert_int_equal(forge_pki_make(&s->pki, &other, &err), RATLS_OK);
	forge_pki_pem(&s->made, ROLES(FORGE_PCK_CA), &text);
	forge_pki_pem(&other, ROLES(FORGE_ROOT), &text);
	chain = buf_take_str(&text);
	sample_set(s, "pck_crl_issuer_chain", chain);
	free(chain);
	forge_pki_done(&other);
}

/* ---- the PCK CA in two certificates of the same key: another one in the collateral than in the quote ---- */

static const uint8_t another_serial[] = {0x11, 0x22, 0x33};

/* The issuer's chain of an item begins with another certificate of its key. */
static void has_another_issuer(struct sample *s, enum forge_role role, const char *item)
{
	struct ratls_error err = {0};
	struct forge_pki other = {0};
	struct buf text = {0};
	char *chain;

	s->pki.cert[role].serial = cur_of(another_serial, sizeof(another_serial));
	assert_int_equal(forge_pki_make(&s->pki, &other, &err), RATLS_OK);
	forge_pki_pem(&other, ROLES(role), &text);
	forge_pki_pem(&s->made, ROLES(FORGE_ROOT), &text);
	chain = buf_take_str(&text);
	sample_set(s, item, chain);
	free(chain);
	forge_pki_done(&other);
}

static void collateral_has_another_ca(struct sample *s)
{
	has_another_issuer(s, FORGE_PCK_CA, "pck_crl_issuer_chain");
}

static void collateral_has_an_expired_ca(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].not_after = SAMPLE_NOW - 1;
	collateral_has_another_ca(s);
}

static void collateral_has_a_ca_that_ends(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].not_after = SAMPLE_NOW + 5;
	collateral_has_another_ca(s);
}

static void collateral_has_a_later_ca(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].not_before = SAMPLE_NOW + 1;
	collateral_has_another_ca(s);
}

static void another_ca_revoked(struct sample *s)
{
	s->pki.crl[FORGE_ROOT_CRL].revoked[0] = cur_of(another_serial, sizeof(another_serial));
}

/* The list, and the chain of its issuer, are those of the other of Intel's two PCK CAs: all of it holds. */
static void collateral_of_processor_ca(struct sample *s)
{
	struct ratls_error err = {0};
	struct forge_pki other = {0};
	struct buf text = {0}, hex = {0};
	char *chain, *list;

	s->pki.cert[FORGE_PCK_CA].cn = s->pki.cert[FORGE_PCK].issuer_cn = "Intel SGX PCK Processor CA";
	s->pki.crl[FORGE_PCK_CRL].issuer_cn = "Intel SGX PCK Processor CA";
	assert_int_equal(forge_pki_make(&s->pki, &other, &err), RATLS_OK);
	forge_pki_pem(&other, ROLES(FORGE_PCK_CA, FORGE_ROOT), &text);
	hex_append(&hex, other.crl[FORGE_PCK_CRL].p, other.crl[FORGE_PCK_CRL].len);
	chain = buf_take_str(&text);
	list = buf_take_str(&hex);
	sample_set(s, "pck_crl_issuer_chain", chain);
	sample_set(s, "pck_crl", list);
	free(chain);
	free(list);
	forge_pki_done(&other);
}

static void qe_has_another_signer(struct sample *s)
{
	has_another_issuer(s, FORGE_TCB_SIGNER, "qe_identity_issuer_chain");
}

static void qe_signer_ended(struct sample *s)
{
	s->pki.cert[FORGE_TCB_SIGNER].not_after = SAMPLE_NOW - 1;
	qe_has_another_signer(s);
}

static void qe_signer_signed_by_another(struct sample *s)
{
	s->pki.cert[FORGE_TCB_SIGNER].signed_by = "another";
	qe_has_another_signer(s);
}

static void qe_signer_is_ca(struct sample *s)
{
	s->pki.cert[FORGE_TCB_SIGNER].ca = true;
	qe_has_another_signer(s);
}

const struct row rows_crl[] = {
	CHANGED("99 all of the Processor CA for a Platform PCK", collateral_of_processor_ca, CRL_PCK),
	CHANGED("another certificate of QE signer", qe_has_another_signer, NONE),
	{.name = "109 QE signer revoked", .spoil = another_ca_revoked, .tamper = qe_has_another_signer,
		.reason = REASON_QEID_REVOKED},
	CHANGED("77 QE signer expired", qe_signer_ended, QEID_TIME),
	CHANGED("72 QE signer signed by another", qe_signer_signed_by_another, QEID_CHAIN),
	CHANGED("QE signer is a CA", qe_signer_is_ca, QEID_CHAIN),
	CHANGED("95 root CRL cannot be parsed", root_crl_garbage, CRL_ROOT),
	CHANGED("95 root CRL missing", root_crl_empty, CRL_ROOT),
	CHANGED("96 PCK CRL truncated", pck_crl_truncated, CRL_PCK),
	CHANGED("96 PCK CRL in bad PEM", pck_crl_bad_pem, CRL_PCK),
	CHANGED("PCK CRL in PEM", pck_crl_pem, NONE),
	CHANGED("98 CRLs swapped", crls_swapped, CRL_ROOT),
	CHANGED("98 root CRL in place of PCK CRL", root_crl_for_both, CRL_PCK),
	MADE("99 112 Processor CRL for a Platform PCK", crl_of_processor, CRL_PCK),
	MADE("98 CRL names another key", crl_names_another_key, CRL_PCK),
	MADE("101 root CRL lacks its number", root_crl_lacks_number, CRL_ROOT),
	MADE("101 PCK CRL lacks AKI", pck_crl_lacks_aki, CRL_PCK),
	MADE("PCK CRL does not list all", pck_crl_partial, CRL_PCK),
	MADE("102 root CRL signed by another", root_crl_signed_by_another, CRL_ROOT),
	MADE("102 PCK CRL signed by another", pck_crl_signed_by_another, CRL_PCK),
	MADE("103 root CRL expired", root_crl_ended, CRL_ROOT_TIME),
	MADE("103 PCK CRL expired", pck_crl_ended, CRL_PCK_TIME),
	MADE("PCK CRL valid until this second", pck_crl_ends_now, NONE),
	MADE("104 root CRL issued in the future", root_crl_begins_later, CRL_ROOT_TIME),
	MADE("105 PCK CRL validity inverted", pck_crl_inverted, CRL_PCK_TIME),
	MADE("106 PCK CRL without next update", pck_crl_never_ends, CRL_PCK),
	MADE("107 leaf revoked", leaf_revoked, PCK_REVOKED),
	MADE("108 intermediate revoked", ca_revoked, PCK_REVOKED),
	MADE("109 TCB signer revoked", signer_revoked, TCBINFO_REVOKED),
	MADE("110 root revoked", root_revoked, PCK_REVOKED),
	MADE("another certificate revoked", another_revoked, NONE),
	CHANGED("111 CRL chain of three", crl_chain_of_three, CRL_PCK),
	CHANGED("111 CRL chain of TCB signer", crl_chain_of_signer, CRL_PCK),
	CHANGED("113 CRL chain without root", crl_chain_without_root, CRL_PCK),
	CHANGED("113 CRL chain ends in another root", crl_chain_of_another_root, CRL_PCK),
	CHANGED("another certificate of the PCK CA", collateral_has_another_ca, NONE),
	CHANGED("75 another certificate of the PCK CA, expired", collateral_has_an_expired_ca, CRL_PCK_TIME),
	{.name = "the verdict ends with another certificate of the PCK CA", .tamper = collateral_has_a_ca_that_ends,
		.ends = SAMPLE_NOW + 5},
	CHANGED("another certificate of the PCK CA, not yet valid", collateral_has_a_later_ca, CRL_PCK_TIME),
	{.name = "108 another certificate of the PCK CA, revoked", .spoil = another_ca_revoked,
		.tamper = collateral_has_another_ca, .reason = REASON_PCK_REVOKED},
};

const size_t n_rows_crl = sizeof(rows_crl) / sizeof(rows_crl[0]);
