/* SPDX-License-Identifier: Apache-2.0
 *
 * Stricter than the libraries in the field on purpose: they ignore what is left over inside a structure,
 * the outer certification type and what trails, and none of these is signed. What nobody may vary cannot
 * be used to tell two verifiers different things.
 */
#include "evidence/quote.h"

#include "base/err.h"
#include "base/reason.h"

/* "TDX DCAP Quoting Library API", A.3.1 (header) and A.4 (version 5). */
#define KEY_TYPE_ECDSA_P256             2
#define TD10_SIZE                       584
#define TD15_SIZE                       648
#define SIGNATURE_SIZE                  64
#define PUBLIC_KEY_SIZE                 64
#define CERTIFICATION_QE_REPORT         6 /* the outer certification data */
#define CERTIFICATION_PLATFORM_MANIFEST 7

static const uint8_t intel_qe_vendor[16] = {
	0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

static int truncated(struct ratls_error *err, const char *what)
{
	return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_TRUNCATED,
		"could not parse quote: it ends within its %s", what);
}

static int check_header(const struct quote *q, struct ratls_error *err)
{
	if (q->version == 3 && q->tee == QUOTE_TEE_SGX)
		return err_reason(err, RATLS_E_UNSUPPORTED, REASON_QUOTE_TEE,
			"quote is of an SGX enclave (version 3), not of a TDX virtual machine");
	if (q->version != 4 && q->version != 5)
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_VERSION,
			"could not parse quote: version %u is neither 4 nor 5", q->version);
	if (q->key_type != KEY_TYPE_ECDSA_P256)
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_KEY_TYPE,
			"could not parse quote: attestation key type %u is not ECDSA P-256", q->key_type);
	if (q->tee != QUOTE_TEE_TDX && q->tee != QUOTE_TEE_SGX)
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_TEE,
			"could not parse quote: TEE type 0x%08x is unknown", q->tee);
	if (!cur_is(&q->vendor_id, intel_qe_vendor, sizeof(intel_qe_vendor)))
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_VENDOR,
			"could not parse quote: its quoting enclave is not of Intel");
	return RATLS_OK;
}

static int read_header(struct cur *c, struct quote *q, struct ratls_error *err)
{
	q->version = cur_u16le(c);
	q->key_type = cur_u16le(c);
	q->tee = cur_u32le(c);
	cur_take(c, 4); /* SGX: SVNs of QE and PCE; TDX: reserved */
	q->vendor_id = cur_take(c, 16);
	q->user_data = cur_take(c, 20);
	return cur_ok(c) ? check_header(q, err) : truncated(err, "header");
}

static uint32_t body_size(enum quote_body body)
{
	switch (body) {
	case QUOTE_BODY_SGX:
		return QUOTE_QE_REPORT_SIZE;
	case QUOTE_BODY_TD10:
		return TD10_SIZE;
	case QUOTE_BODY_TD15:
		return TD15_SIZE;
	}
	return 0;
}

/* Which body follows: version 5 says so, in version 4 the TEE implies it. */
static int read_descriptor(struct cur *c, struct quote *q, struct ratls_error *err)
{
	uint16_t type;
	uint32_t size;

	q->body = q->tee == QUOTE_TEE_SGX ? QUOTE_BODY_SGX : QUOTE_BODY_TD10;
	if (q->version == 5) {
		type = cur_u16le(c);
		size = cur_u32le(c);
		if (!cur_ok(c))
			return truncated(err, "body descriptor");
		q->body = (enum quote_body)type;
		if (body_size(q->body) == 0 || body_size(q->body) != size)
			return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_BODY,
				"could not parse quote: a body of type %u and %u bytes is unknown", type,
				size);
		if ((q->body == QUOTE_BODY_SGX) != (q->tee == QUOTE_TEE_SGX))
			return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_BODY,
				"could not parse quote: body type %u is not of TEE type 0x%08x", type,
				q->tee);
	}
	if (q->tee == QUOTE_TEE_SGX)
		return err_reason(err, RATLS_E_UNSUPPORTED, REASON_QUOTE_TEE,
			"quote is of an SGX enclave (version %u), not of a TDX virtual machine", q->version);
	return RATLS_OK;
}

/* A.3.2 and A.4: the TD report bodies. */
static int read_td(struct cur *c, enum quote_body body, struct quote_td *td, struct ratls_error *err)
{
	bool td15 = body == QUOTE_BODY_TD15;

	td->tee_tcb_svn = cur_take(c, 16);
	td->mrseam = cur_take(c, 48);
	td->mrsignerseam = cur_take(c, 48);
	td->seam_attributes = cur_take(c, 8);
	td->td_attributes = cur_take(c, 8);
	td->xfam = cur_take(c, 8);
	td->mrtd = cur_take(c, 48);
	td->mrconfigid = cur_take(c, 48);
	td->mrowner = cur_take(c, 48);
	td->mrownerconfig = cur_take(c, 48);
	for (size_t i = 0; i < 4; i++)
		td->rtmr[i] = cur_take(c, 48);
	td->report_data = cur_take(c, 64);
	td->tee_tcb_svn2 = cur_take(c, td15 ? 16 : 0);
	td->mrservicetd = cur_take(c, td15 ? 48 : 0);
	return cur_ok(c) ? RATLS_OK : truncated(err, "body");
}

/* A.3.3: the enclave report body. */
static void read_qe_report(struct cur *c, struct quote_qe_report *qe)
{
	struct cur r = cur_take(c, QUOTE_QE_REPORT_SIZE);

	qe->whole = r;
	qe->cpusvn = cur_take(&r, 16);
	qe->miscselect = cur_take(&r, 4);
	cur_take(&r, 28);
	qe->attributes = cur_take(&r, 16);
	qe->mrenclave = cur_take(&r, 32);
	cur_take(&r, 32);
	qe->mrsigner = cur_take(&r, 32);
	cur_take(&r, 96);
	qe->isvprodid = cur_u16le(&r);
	qe->isvsvn = cur_u16le(&r);
	cur_take(&r, 60);
	qe->report_data = cur_take(&r, 64);
}

/* A.3.11: inner certification data, the rest of the outer. */
static int read_certification(struct cur *c, struct quote *q, struct ratls_error *err)
{
	uint32_t size;
	bool pem;

	q->certification_type = cur_u16le(c);
	size = cur_u32le(c);
	if (!cur_ok(c))
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_AUTH_SIZE,
			"could not parse quote: its certification data are too short");
	if (q->certification_type == 0 || q->certification_type == CERTIFICATION_QE_REPORT ||
		q->certification_type > CERTIFICATION_PLATFORM_MANIFEST)
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_CERTIFICATION_TYPE,
			"could not parse quote: certification data of type %u are unknown",
			q->certification_type);
	if (size != c->left || size > QUOTE_PCK_CHAIN_MAX)
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_CERTIFICATION_SIZE,
			"could not parse quote: certification data of %u bytes in %zu", size, c->left);
	pem = q->certification_type == QUOTE_CERTIFICATION_PCK_LEAF ||
	      q->certification_type == QUOTE_CERTIFICATION_PCK_CHAIN;
	q->certification = cur_take(c, size);
	if (pem && size > 0 && q->certification.p[size - 1] == 0)
		q->certification = cur_of(q->certification.p, size - 1);
	return RATLS_OK;
}

/* A.3.9: the QE report certification data. */
static int read_outer(struct cur *c, struct quote *q, struct ratls_error *err)
{
	uint16_t auth_size;

	read_qe_report(c, &q->qe);
	q->qe_signature = cur_take(c, SIGNATURE_SIZE);
	auth_size = cur_u16le(c);
	if (auth_size > QUOTE_QE_AUTH_MAX)
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_QE_AUTH,
			"could not parse quote: %u bytes of QE authentication data", auth_size);
	q->qe_auth = cur_take(c, auth_size);
	return read_certification(c, q, err);
}

/* A.3.8: the ECDSA quote signature data. */
static int read_auth(struct cur *c, struct quote *q, struct ratls_error *err)
{
	uint32_t size = cur_u32le(c), outer_size;
	uint16_t outer_type;
	struct cur auth;

	if (!cur_ok(c))
		return truncated(err, "signature data");
	if (size > c->left)
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_AUTH_SIZE,
			"could not parse quote: %u bytes of signature data, but %zu follow", size, c->left);
	auth = cur_take(c, size);
	q->signature = cur_take(&auth, SIGNATURE_SIZE);
	q->attestation_key = cur_take(&auth, PUBLIC_KEY_SIZE);
	outer_type = cur_u16le(&auth);
	outer_size = cur_u32le(&auth);
	if (!cur_ok(&auth) || outer_size != auth.left)
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_AUTH_SIZE,
			"could not parse quote: the sizes within its signature data disagree");
	if (outer_type != CERTIFICATION_QE_REPORT)
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_CERTIFICATION,
			"could not parse quote: outer certification data of type %u, not 6", outer_type);
	return read_outer(&auth, q, err);
}

int quote_parse(struct cur in, struct quote *ret, struct ratls_error *err)
{
	struct quote q = {0};
	struct cur c = in;
	int rc;

	if (in.bad || in.left == 0 || in.left > QUOTE_MAX)
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_SIZE,
			"could not parse quote: a size of %zu bytes", in.left);
	if ((rc = read_header(&c, &q, err)) != RATLS_OK || (rc = read_descriptor(&c, &q, err)) != RATLS_OK ||
		(rc = read_td(&c, q.body, &q.td, err)) != RATLS_OK)
		return rc;
	q.signed_part = cur_of(in.p, in.left - c.left);
	if ((rc = read_auth(&c, &q, err)) != RATLS_OK)
		return rc;
	/* The kernel hands out a buffer of fixed size: zero bytes trail. */
	if (!cur_all_zero(&c))
		return err_reason(err, RATLS_E_FORMAT, REASON_QUOTE_TRAILING,
			"could not parse quote: bytes other than zero trail");
	q.whole = cur_of(in.p, in.left - c.left);
	*ret = q;
	return RATLS_OK;
}
