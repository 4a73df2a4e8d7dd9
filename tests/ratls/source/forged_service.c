/* SPDX-License-Identifier: Apache-2.0 */
#include "forged_service.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"

static void percent_encode(struct buf *out, const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++) {
		if (strchr(" \n+/=", text->p[i]) != NULL)
			buf_fmt(out, "%%%02X", text->p[i]);
		else
			buf_u8(out, text->p[i]);
	}
}

static void chain_header(struct buf *headers, const char *name, const struct buf *chain)
{
	buf_fmt(headers, "%s: ", name);
	percent_encode(headers, chain);
	buf_str(headers, "\r\n");
}

/* The status of a good answer; 404 for what there is not. */
static int good_answer(
	const struct forge_machine *m, const char *target, struct buf *headers, struct buf *body)
{
	char tcb[64] = "/tdx/certification/v4/tcb?fmspc=";
	struct buf chain = {0};

	hex_encode(forge_fmspc_default, sizeof(forge_fmspc_default), tcb + strlen(tcb));
	if (strcmp(target, tcb) == 0) {
		forge_tcb_info_envelope(&m->collateral, body);
		chain_header(headers, "TCB-Info-Issuer-Chain", &m->collateral.tcb_info_chain);
	} else if (strcmp(target, "/tdx/certification/v4/qe/identity") == 0) {
		forge_qe_identity_envelope(&m->collateral, body);
		chain_header(headers, "SGX-Enclave-Identity-Issuer-Chain", &m->collateral.qe_identity_chain);
	} else if (strcmp(target, "/sgx/certification/v4/pckcrl?encoding=der&ca=platform") == 0) {
		buf_bytes(body, m->pki.crl[FORGE_PCK_CRL].p, m->pki.crl[FORGE_PCK_CRL].len);
		forge_pki_pck_ca_chain(&m->pki, &chain);
		chain_header(headers, "SGX-PCK-CRL-Issuer-Chain", &chain);
	} else if (strcmp(target, "/sgx/certification/v4/rootcacrl") == 0) {
		hex_append(body, m->pki.crl[FORGE_ROOT_CRL].p, m->pki.crl[FORGE_ROOT_CRL].len);
	} else {
		return 404;
	}
	buf_done(&chain);
	return 200;
}

#define PCK_PATH "/sgx/certification/v4/pckcert?"

static int pck_answer(const struct forged_service *s, const char *target, struct buf *headers, struct buf *body)
{
	const struct forge_machine *m = s->machine;
	const struct buf *name = &m->pki.pck_name;
	struct buf wanted = {0}, chain = {0};
	const char *tcbm = s->tcbm;
	int status = 404;

	buf_str(&wanted, PCK_PATH "encrypted_ppid=");
	hex_append(&wanted, name->p, 384);
	buf_str(&wanted, "&cpusvn=");
	hex_append(&wanted, name->p + 384, 16);
	buf_str(&wanted, "&pcesvn=");
	hex_append(&wanted, name->p + 400, 2);
	buf_str(&wanted, "&pceid=");
	hex_append(&wanted, name->p + 402, 2);
	buf_str(&wanted, "&qeid=");
	hex_append(&wanted, m->quote.user_data, 16);
	buf_u8(&wanted, 0);
	if (strcmp(target, (const char *)wanted.p) == 0) {
		status = 200;
		forge_pki_pem(&m->pki, (enum forge_role[]){FORGE_PCK}, 1, body);
		forge_pki_pck_ca_chain(&m->pki, &chain);
		chain_header(headers, "SGX-PCK-Certificate-Issuer-Chain",
			s->other_issuers ? &m->collateral.tcb_info_chain : &chain);
		buf_str(headers, "SGX-TCBm: ");
		if (tcbm != NULL)
			buf_str(headers, tcbm);
		else
			hex_append(headers, name->p + 384, 18);
		buf_str(headers, "\r\n");
	}
	buf_done(&wanted);
	buf_done(&chain);
	return status;
}

static int answer(struct forged_service *s, const char *target, struct buf *headers, struct buf *body)
{
	bool pck = strncmp(target, PCK_PATH, strlen(PCK_PATH)) == 0;
	int status = pck ? pck_answer(s, target, headers, body) : good_answer(s->machine, target, headers, body);
	const char *bad = s->bad_path;

	s->requests++;
	if (bad != NULL && strncmp(target, bad, strlen(bad)) == 0) {
		body->len = 0;
		buf_str(body, "{}");
	}
	return s->status != 0 ? s->status : status;
}

int forged_service_fetch(void *self, const struct ratls_http_request *request,
	struct ratls_http_response *ret, struct ratls_error *err)
{
	struct forged_service *s = self;
	struct buf headers = {0}, body = {0};
	const char *host = strstr(request->url, "://");
	const char *target = host != NULL ? strchr(host + 3, '/') : NULL;

	if (s->silent)
		return err_set(err, RATLS_E_UNAVAILABLE, "nobody answers");
	ret->status = answer(s, target != NULL ? target : "/", &headers, &body);
	ret->body_len = body.len;
	ret->body = (uint8_t *)buf_take_str(&body);
	ret->headers = buf_take_str(&headers);
	if (ret->body != NULL && ret->headers != NULL)
		return RATLS_OK;
	free(ret->body);
	free(ret->headers);
	*ret = (struct ratls_http_response){0};
	return err_set(err, RATLS_E_NOMEM, "out of memory");
}

void forged_service_handle(void *self, const struct http_request *request, int fd)
{
	struct buf headers = {0}, body = {0};
	int status = answer(self, request->target, &headers, &body);

	buf_u8(&headers, 0);
	http_reply(fd, status, (const char *)headers.p, body.p, body.len);
	buf_done(&headers);
	buf_done(&body);
}
