/* SPDX-License-Identifier: Apache-2.0
 *
 * The quote's signatures, its quoting enclave, its TDX module. Numbers are those of the list of known bad
 * cases; those of its framing are tests of the parser.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"

#include <string.h>
#include <openssl/bn.h>

#include "base/hash.h"

/* ---- flipping what was signed; offsets are those of version 4 ---- */

static size_t body_at(const struct sample *s)
{
	return s->quote.version == 5 ? 54 : 48;
}

static size_t signature_at(const struct sample *s)
{
	return body_at(s) + (s->quote.body == QUOTE_BODY_TD15 ? 648 : 584) + 4;
}

static void flip_body(struct sample *s, size_t at)
{
	s->bytes.p[body_at(s) + at] ^= 1;
}

static void flip_auth(struct sample *s, size_t at)
{
	s->bytes.p[signature_at(s) + at] ^= 1;
}

#define FLIP(name, how, at)                                                                                  \
	static void name(struct sample *s)                                                                   \
	{                                                                                                    \
		how(s, at);                                                                                  \
	}

FLIP(svn_flipped, flip_body, 0)
FLIP(mrseam_flipped, flip_body, 16)
FLIP(mrsignerseam_flipped, flip_body, 64)
FLIP(seam_attributes_flipped, flip_body, 112)
FLIP(td_attributes_flipped, flip_body, 120)
FLIP(xfam_flipped, flip_body, 128)
FLIP(mrtd_flipped, flip_body, 136)
FLIP(mrconfigid_flipped, flip_body, 184)
FLIP(rtmr0_flipped, flip_body, 328)
FLIP(rtmr3_flipped, flip_body, 472)
FLIP(report_data_flipped, flip_body, 520)
FLIP(report_data_end_flipped, flip_body, 583)
FLIP(r_flipped, flip_auth, 5)
FLIP(s_flipped, flip_auth, 40)
FLIP(key_flipped, flip_auth, 64 + 3)
FLIP(qe_cpusvn_flipped, flip_auth, 134)
FLIP(qe_miscselect_flipped, flip_auth, 134 + 16)
FLIP(qe_attributes_flipped, flip_auth, 134 + 48)
FLIP(qe_mrenclave_flipped, flip_auth, 134 + 64)
FLIP(qe_mrsigner_flipped, flip_auth, 134 + 128)
FLIP(qe_prodid_flipped, flip_auth, 134 + 256)
FLIP(qe_svn_flipped, flip_auth, 134 + 258)
FLIP(qe_report_data_flipped, flip_auth, 134 + 320)
FLIP(qe_signature_flipped, flip_auth, 134 + 384 + 9)
FLIP(qe_auth_flipped, flip_auth, 134 + 450 + 7)

static void reserved_flipped(struct sample *s)
{
	s->bytes.p[8] ^= 1;
}

static void user_data_flipped(struct sample *s)
{
	s->bytes.p[28] ^= 1;
}

static void signature_zero(struct sample *s)
{
	memset(s->bytes.p + signature_at(s), 0, 64);
}

static void key_zero(struct sample *s)
{
	memset(s->bytes.p + signature_at(s) + 64, 0, 64);
}

/* n - s verifies as well as s: the signature's bytes are no name for a quote. */
static void s_negated(struct sample *s)
{
	uint8_t *at = s->bytes.p + signature_at(s) + 32;
	BIGNUM *order = NULL, *value = BN_bin2bn(at, 32, NULL);

	assert_true(BN_hex2bn(&order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551") > 0);
	assert_int_equal(BN_sub(value, order, value), 1);
	assert_int_equal(BN_bn2binpad(value, at, 32), 32);
	BN_free(order);
	BN_free(value);
}

/* ---- signed, but by the wrong key or over the wrong thing ---- */

static void quote_signed_by_another(struct sample *s)
{
	s->quote.quote_signed_by = "another";
}

static void qe_signed_by_another(struct sample *s)
{
	s->quote.qe_signed_by = "another";
}

static void qe_signed_by_tcb_signer(struct sample *s)
{
	s->quote.qe_signed_by = FORGE_KEY_TCB_SIGNER;
}

static void qe_vouches_for_nothing(struct sample *s)
{
	s->quote.qe.has_report_data = true;
}

/* The right digest, and something in the half that is to be zero. */
static void qe_says_more(struct sample *s)
{
	EVP_PKEY *key = forge_key(s->pki.seed, FORGE_KEY_ATTESTATION);
	uint8_t point[FORGE_POINT_SIZE];
	struct cur parts[] = {cur_of(point, sizeof(point)), cur_of(s->quote.qe.auth, s->quote.qe.auth_len)};

	assert_true(forge_key_point(key, point));
	assert_true(hash_parts(HASH_SHA256, parts, 2, s->quote.qe.report_data));
	s->quote.qe.report_data[63] = 1;
	s->quote.qe.has_report_data = true;
	EVP_PKEY_free(key);
}

/* Header and body of one quote in front of the signature of another. */
static void spliced(struct sample *s)
{
	struct buf other = {0};
	struct ratls_error err = {0};
	size_t head = signature_at(s);

	s->quote.td.mrtd[0] ^= 1;
	assert_int_equal(forge_quote_write(&s->quote, &s->made, &other, &err), RATLS_OK);
	memcpy(s->bytes.p, other.p, head);
	buf_done(&other);
}

static void auth_of_0(struct sample *s)
{
	s->quote.qe.auth_len = 0;
}

static void auth_of_33(struct sample *s)
{
	s->quote.qe.auth_len = 33;
}

static void chain_not_carried(struct sample *s)
{
	s->quote.inner_type = 3;
}

static void chain_is_named(struct sample *s)
{
	s->quote.names_pck = true;
}

static void named_chain_is_at_hand(struct sample *s)
{
	struct buf chain = {0};

	forge_pki_pck_chain(&s->made, &chain);
	buf_u8(&chain, 0);
	sample_set(s, "pck_certificate_chain", (const char *)chain.p);
	buf_done(&chain);
}

/* Where the name stands in the quote: nobody signs it. */
static uint8_t *name_in(struct sample *s)
{
	uint8_t *name = memmem(s->bytes.p, s->bytes.len, s->made.pck_name.p, s->made.pck_name.len);

	assert_non_null(name);
	named_chain_is_at_hand(s);
	return name;
}

static void another_cpusvn_is_named(struct sample *s)
{
	name_in(s)[384] ^= 1;
}

static void another_pcesvn_is_named(struct sample *s)
{
	name_in(s)[384 + 16] ^= 1;
}

static void another_pceid_is_named(struct sample *s)
{
	name_in(s)[384 + 18] ^= 1;
}

static void name_of_another_size(struct sample *s)
{
	name_in(s)[-6] = 2; /* the type: RSA-2048 */
}

/* ---- the quoting enclave ---- */

static void miscselect_differs(struct sample *s)
{
	s->quote.qe.miscselect[0] = 1;
}

static void miscselect_differs_unmasked(struct sample *s)
{
	s->quote.qe.miscselect[0] = 1;
	s->collateral.qe_identity.miscselect_mask[0] = 0xfe;
}

static void attributes_differ(struct sample *s)
{
	s->quote.qe.attributes[1] = 1;
}

static void attributes_differ_unmasked(struct sample *s)
{
	s->quote.qe.attributes[0] &= (uint8_t)~0x04;
}

static void golden_outside_mask(struct sample *s)
{
	s->collateral.qe_identity.attributes[0] |= 0x04;
}

static void mrsigner_differs(struct sample *s)
{
	s->quote.qe.mrsigner[0] ^= 1;
}

static void prodid_differs(struct sample *s)
{
	s->quote.qe.isvprodid = 1;
}

/* The mask is made to hide it. */
static void qe_debug(struct sample *s)
{
	s->quote.qe.attributes[0] |= 0x02;
	s->collateral.qe_identity.attributes_mask[0] = 0xf9;
}

/* ---- the TDX module ---- */

static void module_of_another(struct sample *s)
{
	s->quote.td.mrsignerseam[0] = 1;
}

static void seam_attributes(struct sample *s)
{
	s->quote.td.seam_attributes[0] = 1;
}

static void seam_attributes_golden(struct sample *s)
{
	s->quote.td.seam_attributes[0] = 1;
	s->collateral.tcb_info.modules[1].attributes[0] = 1;
}

static void golden_attributes(struct sample *s)
{
	s->collateral.tcb_info.modules[1].attributes[0] = 1;
}

static void seam_attributes_unmasked(struct sample *s)
{
	s->quote.td.seam_attributes[0] = 1;
	s->collateral.tcb_info.modules[1].attributes_mask[0] = 0xfe;
}

static void no_identities(struct sample *s)
{
	s->collateral.tcb_info.modules[0].id = NULL;
}

static void module_unknown(struct sample *s)
{
	s->quote.td.tee_tcb_svn[1] = 7;
}

static void module_id_lower_case(struct sample *s)
{
	s->collateral.tcb_info.modules[1].id = "tdx_01";
}

/* ---- what it is to name ---- */

static const uint8_t wanted[3] = {1, 2, 3};

static void bind(struct sample *s, size_t len)
{
	s->binding = (struct ratls_binding){RATLS_BINDING_REPORT_DATA, wanted, len};
}

static void names_nothing(struct sample *s)
{
	bind(s, 3);
}

static void names_it(struct sample *s)
{
	bind(s, 3);
	memcpy(s->quote.td.report_data, wanted, 3);
}

static void names_it_and_more(struct sample *s)
{
	names_it(s);
	s->quote.td.report_data[63] = 1;
}

static void names_more_than_it(struct sample *s)
{
	names_it(s);
	bind(s, 2);
}

static void no_certificate(struct sample *s)
{
	s->binding = (struct ratls_binding){.kind = RATLS_BINDING_CERTIFICATE};
}

/* ---- the leaf alone, in certification data of type 4: the chain is at hand ---- */

static void carries(struct sample *s, uint16_t type, struct cur text)
{
	struct ratls_error err = {0};

	s->quote.inner_type = type;
	s->quote.certification = text;
	s->bytes.len = 0;
	assert_int_equal(forge_quote_write(&s->quote, &s->made, &s->bytes, &err), RATLS_OK);
	named_chain_is_at_hand(s);
}

static void carries_certificate(struct sample *s, enum forge_role role)
{
	char *pem = sample_chain(s, &role, 1);

	carries(s, 4, cur_of(pem, strlen(pem) + 1));
	free(pem);
}

static void carries_its_leaf(struct sample *s)
{
	carries_certificate(s, FORGE_PCK);
}

static void carries_another_leaf(struct sample *s)
{
	carries_certificate(s, FORGE_PCK_CA);
}

static void carries_no_leaf(struct sample *s)
{
	carries(s, 4, cur_of("\n", 1));
}

static void carries_two_leaves(struct sample *s)
{
	char *pem = sample_chain(s, ROLES(FORGE_PCK, FORGE_PCK));

	carries(s, 4, cur_of(pem, strlen(pem)));
	free(pem);
}

static void carries_a_manifest(struct sample *s)
{
	carries(s, 7, cur_of("manifest", 8));
}

const struct row rows_quote[] = {
	CHANGED("38 the leaf alone, its chain at hand", carries_its_leaf, NONE),
	CHANGED("38 another leaf than that of the chain at hand", carries_another_leaf, PCK_NAMED),
	CHANGED("38 no leaf, a chain at hand", carries_no_leaf, PCK_NAMED),
	CHANGED("38 two leaves", carries_two_leaves, PCK_NAMED),
	CHANGED("36 a platform manifest", carries_a_manifest, PCK_NAMED),
	MADE("37 38 the quote does not carry its chain", chain_not_carried, PCK_PRESENT),
	{.name = "a named chain that is at hand is as good", .spoil = chain_is_named, .tamper = named_chain_is_at_hand},
	{.name = "the chain is of another CPUSVN", .spoil = chain_is_named, .tamper = another_cpusvn_is_named,
		.reason = REASON_PCK_NAMED},
	{.name = "the chain is of another PCESVN", .spoil = chain_is_named, .tamper = another_pcesvn_is_named,
		.reason = REASON_PCK_NAMED},
	{.name = "the chain is of another PCEID", .spoil = chain_is_named, .tamper = another_pceid_is_named,
		.reason = REASON_PCK_NAMED},
	{.name = "the name is not of its type's size", .spoil = chain_is_named, .tamper = name_of_another_size,
		.reason = REASON_PCK_PRESENT},
	CHANGED("177 reserved bytes flipped", reserved_flipped, QUOTE_SIGNATURE),
	CHANGED("178 user data flipped", user_data_flipped, QUOTE_SIGNATURE),
	CHANGED("179 TEE_TCB_SVN flipped", svn_flipped, QUOTE_SIGNATURE),
	CHANGED("180 MRSEAM flipped", mrseam_flipped, QUOTE_SIGNATURE),
	CHANGED("181 TDATTRIBUTES flipped", td_attributes_flipped, QUOTE_SIGNATURE),
	CHANGED("182 XFAM flipped", xfam_flipped, QUOTE_SIGNATURE),
	CHANGED("183 MRTD flipped", mrtd_flipped, QUOTE_SIGNATURE),
	CHANGED("184 MRCONFIGID flipped", mrconfigid_flipped, QUOTE_SIGNATURE),
	CHANGED("185 RTMR0 flipped", rtmr0_flipped, QUOTE_SIGNATURE),
	CHANGED("186 RTMR3 flipped", rtmr3_flipped, QUOTE_SIGNATURE),
	CHANGED("187 REPORTDATA flipped", report_data_flipped, QUOTE_SIGNATURE),
	CHANGED("188 REPORTDATA flipped at its end", report_data_end_flipped, QUOTE_SIGNATURE),
	CHANGED("189 MRSIGNERSEAM flipped", mrsignerseam_flipped, QUOTE_SIGNATURE),
	CHANGED("189 SEAMATTRIBUTES flipped", seam_attributes_flipped, QUOTE_SIGNATURE),
	CHANGED("190 r flipped", r_flipped, QUOTE_SIGNATURE),
	CHANGED("190 s flipped", s_flipped, QUOTE_SIGNATURE),
	CHANGED("190 signature zero", signature_zero, QUOTE_SIGNATURE),
	MADE("190 signed by another key", quote_signed_by_another, QUOTE_SIGNATURE),
	CHANGED("191 attestation key flipped", key_flipped, QE_BINDING),
	CHANGED("192 attestation key is no point", key_zero, QE_BINDING),
	CHANGED("193 QE CPUSVN flipped", qe_cpusvn_flipped, QE_SIGNATURE),
	CHANGED("193 QE MISCSELECT flipped", qe_miscselect_flipped, QE_SIGNATURE),
	CHANGED("193 QE ATTRIBUTES flipped", qe_attributes_flipped, QE_SIGNATURE),
	CHANGED("193 QE MRENCLAVE flipped", qe_mrenclave_flipped, QE_SIGNATURE),
	CHANGED("193 QE MRSIGNER flipped", qe_mrsigner_flipped, QE_SIGNATURE),
	CHANGED("193 QE ISVPRODID flipped", qe_prodid_flipped, QE_SIGNATURE),
	CHANGED("193 QE ISVSVN flipped", qe_svn_flipped, QE_SIGNATURE),
	CHANGED("193 QE REPORTDATA flipped", qe_report_data_flipped, QE_SIGNATURE),
	CHANGED("194 QE signature flipped", qe_signature_flipped, QE_SIGNATURE),
	MADE("194 199 QE report signed by another key", qe_signed_by_another, QE_SIGNATURE),
	MADE("194 QE report signed by the TCB signer", qe_signed_by_tcb_signer, QE_SIGNATURE),
	CHANGED("195 QE authentication data flipped", qe_auth_flipped, QE_BINDING),
	MADE("196 QE vouches for nothing", qe_vouches_for_nothing, QE_BINDING),
	MADE("QE REPORTDATA says more", qe_says_more, QE_BINDING),
	CHANGED("197 s negated", s_negated, NONE),
	CHANGED("198 head of one quote, signature of another", spliced, QUOTE_SIGNATURE),
	MADE("no QE authentication data", auth_of_0, NONE),
	MADE("33 bytes of QE authentication data", auth_of_33, NONE),

	MADE("200 MISCSELECT differs", miscselect_differs, QE_IDENTITY),
	MADE("201 MISCSELECT differs outside its mask", miscselect_differs_unmasked, NONE),
	MADE("202 ATTRIBUTES differ", attributes_differ, QE_IDENTITY),
	MADE("203 ATTRIBUTES differ outside their mask", attributes_differ_unmasked, NONE),
	MADE("204 golden value outside its mask", golden_outside_mask, QE_IDENTITY),
	MADE("205 MRSIGNER differs", mrsigner_differs, QE_IDENTITY),
	MADE("206 ISVPRODID differs", prodid_differs, QE_IDENTITY),
	MADE("207 QE in debug mode", qe_debug, QE_IDENTITY),

	MADE("212 MRSIGNERSEAM differs", module_of_another, MODULE_IDENTITY),
	MADE("213 SEAMATTRIBUTES", seam_attributes, MODULE_IDENTITY),
	MADE("213 SEAMATTRIBUTES as TCB info has them", seam_attributes_golden, MODULE_IDENTITY),
	MADE("214 TCB info has SEAMATTRIBUTES", golden_attributes, MODULE_IDENTITY),
	MADE("215 SEAMATTRIBUTES outside their mask", seam_attributes_unmasked, MODULE_IDENTITY),
	MADE("216 no module identities", no_identities, MODULE_IDENTITY),
	MADE("217 module of a version that is not known", module_unknown, MODULE_IDENTITY),
	MADE("module id in lower case", module_id_lower_case, NONE),

	MADE("253 the quote names nothing", names_nothing, BINDING_KEY),
	MADE("the quote names what it is to name", names_it, NONE),
	MADE("253 the quote names more", names_it_and_more, BINDING_KEY),
	MADE("253 the quote names what begins so", names_more_than_it, BINDING_KEY),
	MADE("253 no certificate whose key it could name", no_certificate, BINDING_KEY),
};

const size_t n_rows_quote = sizeof(rows_quote) / sizeof(rows_quote[0]);
