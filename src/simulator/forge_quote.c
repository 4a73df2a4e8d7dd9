/* SPDX-License-Identifier: Apache-2.0
 *
 * Intel, "TDX DCAP Quoting Library API", appendix A; the SGX report is that of the "SGX Developer
 * Reference", sgx_report_body_t.
 */
#include "simulator/forge_quote.h"

#include <string.h>

#include "base/err.h"
#include "base/hash.h"

#define PADDING 70 /* what real quotes have after the authentication data */

static const uint8_t intel_vendor_id[16] = {
	0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
const uint8_t forge_qe_mrsigner[32] = {0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7,
	0xfc, 0x43, 0xed, 0x03, 0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e,
	0x54, 0xa8, 0xc5};

void forge_quote_defaults(struct forge_quote_options *o)
{
	*o = (struct forge_quote_options){.version = 4,
		.body = QUOTE_BODY_TD10,
		.key_type = 2,
		.tee = QUOTE_TEE_TDX,
		.td = {.tee_tcb_svn = {6, 1, 3},
			.td_attributes = {0, 0, 0, 0x10}, /* SEPT_VE_DISABLE */
			.xfam = {0xe7, 0x02, 0x06},
			.tee_tcb_svn2 = {6, 1, 3}},
		.qe = {.attributes = {0x15, 0, 0, 0, 0, 0, 0, 0, 0xe7},
			.isvprodid = 2,
			.isvsvn = 6,
			.auth_len = 32},
		.attestation_key = FORGE_KEY_ATTESTATION,
		.quote_signed_by = FORGE_KEY_ATTESTATION,
		.qe_signed_by = FORGE_KEY_PCK,
		.outer_type = 6,
		.inner_type = 5,
		.padding = PADDING};
	memcpy(o->vendor_id, intel_vendor_id, sizeof(o->vendor_id));
	memcpy(o->qe.mrsigner, forge_qe_mrsigner, sizeof(o->qe.mrsigner));
	for (size_t i = 0; i < o->qe.auth_len; i++)
		o->qe.auth[i] = (uint8_t)i;
}

static void put_zeros(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_u8(b, 0);
}

static void put_td(struct buf *b, const struct forge_td *td, bool td15)
{
	buf_bytes(b, td->tee_tcb_svn, 16);
	buf_bytes(b, td->mrseam, 48);
	buf_bytes(b, td->mrsignerseam, 48);
	buf_bytes(b, td->seam_attributes, 8);
	buf_bytes(b, td->td_attributes, 8);
	buf_bytes(b, td->xfam, 8);
	buf_bytes(b, td->mrtd, 48);
	buf_bytes(b, td->mrconfigid, 48);
	buf_bytes(b, td->mrowner, 48);
	buf_bytes(b, td->mrownerconfig, 48);
	for (size_t i = 0; i < 4; i++)
		buf_bytes(b, td->rtmr[i], 48);
	buf_bytes(b, td->report_data, 64);
	if (!td15)
		return;
	buf_bytes(b, td->tee_tcb_svn2, 16);
	buf_bytes(b, td->mrservicetd, 48);
}

/* Header, descriptor and body: the part that the attestation key signs. */
static void put_signed_part(struct buf *b, const struct forge_quote_options *o)
{
	bool td15 = o->body == QUOTE_BODY_TD15;

	buf_u16le(b, o->version);
	buf_u16le(b, o->key_type);
	buf_u32le(b, o->tee);
	put_zeros(b, 4);
	buf_bytes(b, o->vendor_id, sizeof(o->vendor_id));
	buf_bytes(b, o->user_data, sizeof(o->user_data));
	if (o->version == 5) {
		buf_u16le(b, (uint16_t)o->body);
		buf_u32le(b, (uint32_t)((td15 ? 648 : 584) + o->body_size_off));
	}
	put_td(b, &o->td, td15);
}

/* The QE vouches for the attestation key: REPORTDATA = SHA-256(key || auth data), zero padded. */
static bool qe_binding(const struct forge_qe *qe, const uint8_t *point, uint8_t ret[static 64])
{
	struct cur parts[] = {cur_of(point, FORGE_POINT_SIZE), cur_of(qe->auth, qe->auth_len)};

	memset(ret, 0, 64);
	if (!qe->has_report_data)
		return hash_parts(HASH_SHA256, parts, 2, ret);
	memcpy(ret, qe->report_data, 64);
	return true;
}

static void put_qe_report(struct buf *b, const struct forge_qe *qe, const uint8_t *report_data)
{
	buf_bytes(b, qe->cpusvn, 16);
	buf_bytes(b, qe->miscselect, 4);
	put_zeros(b, 28);
	buf_bytes(b, qe->attributes, 16);
	buf_bytes(b, qe->mrenclave, 32);
	put_zeros(b, 32);
	buf_bytes(b, qe->mrsigner, 32);
	put_zeros(b, 96);
	buf_u16le(b, qe->isvprodid);
	buf_u16le(b, qe->isvsvn);
	put_zeros(b, 60);
	buf_bytes(b, report_data, 64);
}

static bool sign_as(const uint8_t *seed, const char *label, struct cur message,
	uint8_t ret[static FORGE_SIGNATURE_SIZE])
{
	EVP_PKEY *key = forge_key(seed, label);
	bool ok = key != NULL && forge_sign(key, message, ret);

	EVP_PKEY_free(key);
	return ok;
}

/* What certification data of type 6 holds: QE report, its signature, QE auth data, the PCK chain. */
static bool put_qe_part(struct buf *b, const struct forge_quote_options *o, const struct forge_pki *pki,
	const uint8_t *point)
{
	struct buf chain = {0};
	uint8_t binding[64], signature[FORGE_SIGNATURE_SIZE] = {0};
	bool ok = qe_binding(&o->qe, point, binding);

	put_qe_report(b, &o->qe, binding);
	ok = ok && !b->bad && sign_as(pki->seed, o->qe_signed_by, cur_of(b->p, b->len), signature);
	buf_bytes(b, signature, sizeof(signature));
	buf_u16le(b, o->qe.auth_len);
	buf_bytes(b, o->qe.auth, o->qe.auth_len);
	if (o->certification.left > 0) {
		buf_bytes(&chain, o->certification.p, o->certification.left);
	} else if (o->names_pck) {
		buf_bytes(&chain, pki->pck_name.p, pki->pck_name.len);
	} else {
		forge_pki_pck_chain(pki, &chain);
		if (!o->no_nul)
			buf_u8(&chain, 0);
	}
	buf_u16le(b, o->names_pck ? 3 : o->inner_type);
	buf_u32le(b, (uint32_t)chain.len + (uint32_t)o->inner_size_off);
	buf_bytes(b, chain.p, chain.len);
	ok = ok && !chain.bad && !b->bad;
	buf_done(&chain);
	return ok;
}

int forge_quote_write(const struct forge_quote_options *o, const struct forge_pki *pki, struct buf *ret,
	struct ratls_error *err)
{
	EVP_PKEY *attestation = forge_key(pki->seed, o->attestation_key);
	struct buf quote = {0}, qe = {0};
	uint8_t point[FORGE_POINT_SIZE], signature[FORGE_SIGNATURE_SIZE];
	bool ok = false;

	put_signed_part(&quote, o);
	if (quote.bad || attestation == NULL || !forge_key_point(attestation, point) ||
		!put_qe_part(&qe, o, pki, point) ||
		!sign_as(pki->seed, o->quote_signed_by, cur_of(quote.p, quote.len), signature))
		goto out;
	buf_u32le(&quote, (uint32_t)(sizeof(signature) + sizeof(point) + 2 + 4 + qe.len) +
		(uint32_t)o->auth_size_off);
	buf_bytes(&quote, signature, sizeof(signature));
	buf_bytes(&quote, point, sizeof(point));
	buf_u16le(&quote, o->outer_type);
	buf_u32le(&quote, (uint32_t)qe.len + (uint32_t)o->outer_size_off);
	buf_bytes(&quote, qe.p, qe.len);
	put_zeros(&quote, o->padding);
	if (!quote.bad)
		buf_bytes(ret, quote.p, quote.len);
	ok = !quote.bad && !ret->bad;
out:
	EVP_PKEY_free(attestation);
	buf_done(&quote);
	buf_done(&qe);
	return ok ? RATLS_OK : err_set(err, RATLS_E_CRYPTO, "could not make a quote");
}
