/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON is written as text, in Intel's order of members and without white space: the bytes are what
 * is signed.
 */
#include "simulator/forge_collateral.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hex.h"
#include "simulator/forge_quote.h"

#define DAY ((int64_t)24 * 60 * 60)

#define TCB_DATE     "2024-03-13T00:00:00Z"
#define TCB_DATE_OLD "2023-08-09T00:00:00Z"

static struct forge_document good_document(int64_t now)
{
	return (struct forge_document){.signed_by = FORGE_KEY_TCB_SIGNER, .issued = now - DAY,
		.next_update = now + 30 * DAY, .evaluation_number = 17,
		.chain = {FORGE_TCB_SIGNER, FORGE_ROOT}, .n_chain = 2};
}

static struct forge_module good_module(const char *id)
{
	struct forge_module m = {.id = id};

	memset(m.attributes_mask, 0xff, sizeof(m.attributes_mask));
	return m;
}

static void good_tcb_info(struct forge_tcb_info_options *o, int64_t now)
{
	*o = (struct forge_tcb_info_options){.document = good_document(now), .id = "TDX", .version = 3};
	memcpy(o->fmspc, forge_fmspc_default, sizeof(o->fmspc));
	o->module = good_module(NULL);
	o->modules[0] = good_module("TDX_03");
	o->modules[0].levels[0] = (struct forge_svn_level){3, "UpToDate", NULL};
	o->modules[1] = good_module("TDX_01");
	o->modules[1].levels[0] = (struct forge_svn_level){4, "UpToDate", NULL};
	o->modules[1].levels[1] = (struct forge_svn_level){2, "OutOfDate", NULL};
	o->levels[0] = (struct forge_tcb_level){
		.sgx = {2, 2, 2, 2, 3, 1, 0, 5}, .tdx = {5, 0, 2}, .pcesvn = 11, .status = "UpToDate"};
	o->levels[1] = (struct forge_tcb_level){.sgx = {2, 2, 2, 2, 3, 1, 0, 3}, .tdx = {5, 0, 2}, .pcesvn = 5,
		.status = "OutOfDate", .advisory = "INTEL-SA-00837"};
}

/* The values of Intel's own TD QE. */
static void good_qe_identity(struct forge_qe_identity_options *o, int64_t now)
{
	*o = (struct forge_qe_identity_options){.document = good_document(now), .id = "TD_QE", .version = 2,
		.miscselect_mask = {0xff, 0xff, 0xff, 0xff}, .attributes = {0x11},
		.attributes_mask = {0xfb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, .isvprodid = 2};
	memcpy(o->mrsigner, forge_qe_mrsigner, sizeof(o->mrsigner));
	o->levels[0] = (struct forge_svn_level){4, "UpToDate", NULL};
}

void forge_collateral_defaults(struct forge_collateral_options *o, int64_t now)
{
	good_tcb_info(&o->tcb_info, now);
	good_qe_identity(&o->qe_identity, now);
}

/* ,"name":"HEX" in upper case, as Intel writes it. */
static void put_hex(struct buf *b, const char *name, const uint8_t *p, size_t n)
{
	buf_fmt(b, ",\"%s\":\"", name);
	for (size_t i = 0; i < n; i++)
		buf_fmt(b, "%02X", p[i]);
	buf_u8(b, '"');
}

static void put_time(struct buf *b, const char *name, int64_t at)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(at, text);
	buf_fmt(b, ",\"%s\":\"%s\"", name, text);
}

/* The members that follow "tcb" in every kind of level. */
static void put_level_end(struct buf *b, bool newest, const char *status, const char *advisory)
{
	buf_fmt(b, ",\"tcbDate\":\"%s\",\"tcbStatus\":\"%s\"", newest ? TCB_DATE : TCB_DATE_OLD, status);
	if (advisory != NULL)
		buf_fmt(b, ",\"advisoryIDs\":[\"%s\"]", advisory);
	buf_u8(b, '}');
}

static void put_svn_levels(struct buf *b, const struct forge_svn_level *levels)
{
	buf_str(b, ",\"tcbLevels\":[");
	for (size_t i = 0; i < FORGE_LEVELS_MAX && levels[i].status != NULL; i++) {
		buf_fmt(b, "%s{\"tcb\":{\"isvsvn\":%u}", i > 0 ? "," : "", levels[i].isvsvn);
		put_level_end(b, i == 0, levels[i].status, levels[i].advisory);
	}
	buf_u8(b, ']');
}

static void put_components(struct buf *b, const char *name, const uint32_t *svn)
{
	buf_fmt(b, "\"%s\":[", name);
	for (size_t i = 0; i < 16; i++)
		buf_fmt(b, "%s{\"svn\":%u}", i > 0 ? "," : "", svn[i]);
	buf_u8(b, ']');
}

static void put_tcb_levels(struct buf *b, const struct forge_tcb_level *levels, bool tdx)
{
	buf_str(b, ",\"tcbLevels\":[");
	for (size_t i = 0; i < FORGE_LEVELS_MAX && levels[i].status != NULL; i++) {
		buf_fmt(b, "%s{\"tcb\":{", i > 0 ? "," : "");
		put_components(b, "sgxtcbcomponents", levels[i].sgx);
		buf_fmt(b, ",\"pcesvn\":%u", levels[i].pcesvn);
		if (tdx) {
			buf_u8(b, ',');
			put_components(b, "tdxtcbcomponents", levels[i].tdx);
		}
		buf_u8(b, '}');
		put_level_end(b, i == 0, levels[i].status, levels[i].advisory);
	}
	buf_u8(b, ']');
}

/* "mrsigner":"..","attributes":"..","attributesMask":".." */
static void put_module_identity(struct buf *b, const struct forge_module *m)
{
	char mrsigner[2 * sizeof(m->mrsigner) + 1];

	hex_encode(m->mrsigner, sizeof(m->mrsigner), mrsigner);
	buf_fmt(b, "\"mrsigner\":\"%s\"", mrsigner);
	put_hex(b, "attributes", m->attributes, sizeof(m->attributes));
	put_hex(b, "attributesMask", m->attributes_mask, sizeof(m->attributes_mask));
}

static void put_modules(struct buf *b, const struct forge_tcb_info_options *o)
{
	buf_str(b, ",\"tdxModule\":{");
	put_module_identity(b, &o->module);
	buf_u8(b, '}');
	if (o->modules[0].id == NULL)
		return;
	buf_str(b, ",\"tdxModuleIdentities\":[");
	for (size_t i = 0; i < FORGE_MODULES_MAX && o->modules[i].id != NULL; i++) {
		buf_fmt(b, "%s{\"id\":\"%s\",", i > 0 ? "," : "", o->modules[i].id);
		put_module_identity(b, &o->modules[i]);
		put_svn_levels(b, o->modules[i].levels);
		buf_u8(b, '}');
	}
	buf_u8(b, ']');
}

static void put_tcb_info(struct buf *b, const struct forge_tcb_info_options *o)
{
	bool tdx = strcmp(o->id, "TDX") == 0;

	buf_fmt(b, "{\"id\":\"%s\",\"version\":%u", o->id, o->version);
	put_time(b, "issueDate", o->document.issued);
	put_time(b, "nextUpdate", o->document.next_update);
	put_hex(b, "fmspc", o->fmspc, sizeof(o->fmspc));
	put_hex(b, "pceId", o->pceid, sizeof(o->pceid));
	buf_fmt(b, ",\"tcbType\":%u,\"tcbEvaluationDataNumber\":%u", o->tcb_type,
		o->document.evaluation_number);
	if (tdx)
		put_modules(b, o);
	put_tcb_levels(b, o->levels, tdx);
	buf_u8(b, '}');
}

static void put_qe_identity(struct buf *b, const struct forge_qe_identity_options *o)
{
	buf_fmt(b, "{\"id\":\"%s\",\"version\":%u", o->id, o->version);
	put_time(b, "issueDate", o->document.issued);
	put_time(b, "nextUpdate", o->document.next_update);
	buf_fmt(b, ",\"tcbEvaluationDataNumber\":%u", o->document.evaluation_number);
	put_hex(b, "miscselect", o->miscselect, sizeof(o->miscselect));
	put_hex(b, "miscselectMask", o->miscselect_mask, sizeof(o->miscselect_mask));
	put_hex(b, "attributes", o->attributes, sizeof(o->attributes));
	put_hex(b, "attributesMask", o->attributes_mask, sizeof(o->attributes_mask));
	put_hex(b, "mrsigner", o->mrsigner, sizeof(o->mrsigner));
	buf_fmt(b, ",\"isvprodid\":%u", o->isvprodid);
	put_svn_levels(b, o->levels);
	buf_u8(b, '}');
}

static int apply_edit(struct buf *b, const struct forge_edit *edit, struct ratls_error *err)
{
	struct buf out = {0};
	const uint8_t *at;
	size_t from;

	if (edit->from == NULL)
		return RATLS_OK;
	from = strlen(edit->from);
	at = memmem(b->p, b->len, edit->from, from);
	if (at == NULL)
		return err_set(
			err, RATLS_E_ARG, "could not edit the collateral: there is no \"%s\"", edit->from);
	buf_bytes(&out, b->p, (size_t)(at - b->p));
	buf_str(&out, edit->to);
	buf_bytes(&out, at + from, b->len - (size_t)(at - b->p) - from);
	buf_done(b);
	*b = out;
	return RATLS_OK;
}

/* Edit, sign and spoil what b holds. */
static int sign_document(struct buf *b, const struct forge_document *document, const struct forge_pki *pki,
	char *ret_signature, struct buf *ret_chain, struct ratls_error *err)
{
	uint8_t signature[FORGE_SIGNATURE_SIZE];
	EVP_PKEY *key = NULL;
	int rc = apply_edit(b, &document->edit, err);

	if (rc != RATLS_OK)
		return rc;
	key = forge_key(pki->seed, document->signed_by);
	if (b->bad || key == NULL || !forge_sign(key, cur_of(b->p, b->len), signature))
		rc = err_set(err, RATLS_E_CRYPTO, "could not sign the collateral");
	EVP_PKEY_free(key);
	if (rc != RATLS_OK)
		return rc;
	hex_encode(signature, sizeof(signature), ret_signature);
	forge_pki_pem(pki, document->chain, document->n_chain, ret_chain);
	return apply_edit(b, &document->spoil, err);
}

int forge_collateral_make(const struct forge_collateral_options *o, const struct forge_pki *pki,
	struct forge_collateral *ret, struct ratls_error *err)
{
	struct forge_collateral c = {0};
	int rc;

	put_tcb_info(&c.tcb_info, &o->tcb_info);
	put_qe_identity(&c.qe_identity, &o->qe_identity);
	rc = sign_document(
		&c.tcb_info, &o->tcb_info.document, pki, c.tcb_info_signature, &c.tcb_info_chain, err);
	if (rc == RATLS_OK)
		rc = sign_document(&c.qe_identity, &o->qe_identity.document, pki, c.qe_identity_signature,
			&c.qe_identity_chain, err);
	if (rc != RATLS_OK) {
		forge_collateral_done(&c);
		return rc;
	}
	*ret = c;
	return RATLS_OK;
}

void forge_collateral_done(struct forge_collateral *c)
{
	buf_done(&c->tcb_info);
	buf_done(&c->qe_identity);
	buf_done(&c->tcb_info_chain);
	buf_done(&c->qe_identity_chain);
}

static void put_envelope(struct buf *ret, const char *name, const struct buf *object, const char *signature)
{
	buf_fmt(ret, "{\"%s\":", name);
	buf_bytes(ret, object->p, object->len);
	buf_fmt(ret, ",\"signature\":\"%s\"}", signature);
}

void forge_tcb_info_envelope(const struct forge_collateral *c, struct buf *ret)
{
	put_envelope(ret, "tcbInfo", &c->tcb_info, c->tcb_info_signature);
}

void forge_qe_identity_envelope(const struct forge_collateral *c, struct buf *ret)
{
	put_envelope(ret, "enclaveIdentity", &c->qe_identity, c->qe_identity_signature);
}

static json_t *text_of(const struct buf *b)
{
	return b->bad ? NULL : json_stringn((const char *)b->p, b->len);
}

static json_t *hex_of(const struct buf *b)
{
	struct buf text = {0};
	json_t *out;

	hex_append(&text, b->p, b->len);
	out = text_of(&text);
	buf_done(&text);
	return out;
}

int forge_collateral_json(const struct forge_collateral *c, const struct forge_pki *pki, struct buf *ret,
	struct ratls_error *err)
{
	struct buf ca_chain = {0};
	json_t *object;
	char *text = NULL;

	forge_pki_pck_ca_chain(pki, &ca_chain);
	object = json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:s}", "pck_crl_issuer_chain",
		text_of(&ca_chain), "root_ca_crl", hex_of(&pki->crl[FORGE_ROOT_CRL]), "pck_crl",
		hex_of(&pki->crl[FORGE_PCK_CRL]), "tcb_info_issuer_chain", text_of(&c->tcb_info_chain),
		"tcb_info", text_of(&c->tcb_info), "tcb_info_signature", c->tcb_info_signature,
		"qe_identity_issuer_chain", text_of(&c->qe_identity_chain), "qe_identity",
		text_of(&c->qe_identity), "qe_identity_signature", c->qe_identity_signature);
	if (object != NULL)
		text = json_dumps(object, JSON_INDENT(2));
	json_decref(object);
	buf_done(&ca_chain);
	if (text == NULL)
		return err_set(err, RATLS_E_NOMEM, "could not write the collateral: out of memory");
	buf_str(ret, text);
	free(text);
	return RATLS_OK;
}
