/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/collateral_http.h"

#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "evidence/pck_name.h"
#include "simulator/forge_x509.h"

#define CHAIN_TCB      "TCB-Info-Issuer-Chain"
#define CHAIN_IDENTITY "SGX-Enclave-Identity-Issuer-Chain"
#define CHAIN_PCK      "SGX-PCK-Certificate-Issuer-Chain"
#define CHAIN_PCK_CRL  "SGX-PCK-CRL-Issuer-Chain"

#define PROCESSOR_CA     "Intel SGX PCK Processor CA"
#define PROCESSOR_CA_KEY "intel-pck-processor-ca"
#define DAY              ((int64_t)24 * 60 * 60)

static int make_processor_ca(struct collateral_service *s, int64_t issued, struct ratls_error *err)
{
	struct forge_pki_options o;

	forge_pki_defaults(&o, s->pki->seed, issued + DAY);
	o.cert[FORGE_PCK_CA].cn = o.cert[FORGE_PCK].issuer_cn = o.crl[FORGE_PCK_CRL].issuer_cn = PROCESSOR_CA;
	o.cert[FORGE_PCK_CA].key = o.cert[FORGE_PCK].issuer_key = o.cert[FORGE_PCK].signed_by = PROCESSOR_CA_KEY;
	o.crl[FORGE_PCK_CRL].issuer_key = o.crl[FORGE_PCK_CRL].signed_by = PROCESSOR_CA_KEY;
	return forge_pki_make(&o, &s->processor, err);
}

int collateral_service_init(struct collateral_service *s, const struct forge_collateral_options *options,
	const char *early_status, const struct forge_pki *pki, struct ratls_error *err)
{
	struct forge_collateral_options sgx = *options, early = *options;
	int rc;

	*s = (struct collateral_service){.pki = pki};
	memcpy(s->fmspc, options->tcb_info.fmspc, sizeof(s->fmspc));
	sgx.tcb_info.id = "SGX";
	sgx.qe_identity.id = "QE";
	sgx.qe_identity.isvprodid = 1;
	rc = forge_collateral_make(options, pki, &s->tdx, err);
	if (rc == RATLS_OK)
		rc = forge_collateral_make(&sgx, pki, &s->sgx, err);
	if (early_status != NULL) {
		early.tcb_info.levels[0].status = early_status;
		early.tcb_info.document.evaluation_number++;
		early.qe_identity.document.evaluation_number++;
	}
	if (rc == RATLS_OK)
		rc = forge_collateral_make(&early, pki, &s->early, err);
	if (rc == RATLS_OK)
		rc = make_processor_ca(s, options->tcb_info.document.issued, err);
	return rc;
}

void collateral_service_done(struct collateral_service *s)
{
	forge_collateral_done(&s->tdx);
	forge_collateral_done(&s->sgx);
	forge_collateral_done(&s->early);
	forge_pki_done(&s->processor);
}

static const char *argument(const struct http_request *request, const char *name)
{
	const char *value = json_string_value(json_object_get(request->query, name));

	return value != NULL ? value : "";
}

static void refuse(struct http_reply *reply, unsigned status, const char *why)
{
	reply->status = status;
	reply->content_type = "text/plain";
	buf_fmt(&reply->body, "%s\n", why);
}

/* PEM in a header: percent-encoded, as Intel does it. */
static void put_chain(struct http_reply *reply, const char *name, const struct buf *pem)
{
	struct buf text = {0};

	for (size_t i = 0; i < pem->len; i++) {
		if (memchr("+/= \n", pem->p[i], 5) != NULL)
			buf_fmt(&text, "%%%02X", pem->p[i]);
		else
			buf_u8(&text, pem->p[i]);
	}
	reply->headers[0] = (struct http_header){name, buf_take_str(&text)};
}

static const struct forge_collateral *half(
	const struct collateral_service *s, const struct http_request *request)
{
	if (strncmp(request->path, "/tdx/", 5) != 0)
		return &s->sgx;
	return strcmp(argument(request, "update"), "early") == 0 ? &s->early : &s->tdx;
}

static void answer_tcb(const struct collateral_service *s, const struct http_request *request,
	struct http_reply *reply)
{
	const char *text = argument(request, "fmspc");
	uint8_t fmspc[6];

	if (!hex_decode(text, strlen(text), fmspc, sizeof(fmspc))) {
		refuse(reply, 400, "fmspc must be 12 hexadecimal digits");
		return;
	}
	if (memcmp(fmspc, s->fmspc, sizeof(fmspc)) != 0) {
		refuse(reply, 404, "there is no TCB info for this FMSPC");
		return;
	}
	put_chain(reply, CHAIN_TCB, &half(s, request)->tcb_info_chain);
	reply->content_type = "application/json";
	forge_tcb_info_envelope(half(s, request), &reply->body);
}

static void answer_qe_identity(const struct collateral_service *s, const struct http_request *request,
	struct http_reply *reply)
{
	put_chain(reply, CHAIN_IDENTITY, &half(s, request)->qe_identity_chain);
	reply->content_type = "application/json";
	forge_qe_identity_envelope(half(s, request), &reply->body);
}

static void answer_pck_crl(const struct collateral_service *s, const struct http_request *request,
	struct http_reply *reply)
{
	const char *ca = argument(request, "ca"), *encoding = argument(request, "encoding");
	const struct forge_pki *pki = strcmp(ca, "processor") == 0 ? &s->processor : s->pki;
	const struct buf *crl = &pki->crl[FORGE_PCK_CRL];
	struct buf chain = {0};

	if (pki == s->pki && strcmp(ca, "platform") != 0) {
		refuse(reply, 400, "ca must be processor or platform");
		return;
	}
	forge_pki_pck_ca_chain(pki, &chain);
	put_chain(reply, CHAIN_PCK_CRL, &chain);
	buf_done(&chain);
	if (strcasecmp(encoding, "der") == 0) {
		reply->content_type = "application/pkix-crl";
		buf_bytes(&reply->body, crl->p, crl->len);
	} else {
		reply->content_type = "application/x-pem-file";
		forge_pem_put(&reply->body, "X509 CRL", cur_of(crl->p, crl->len));
	}
}

/* Is the argument the hex of the name's next n bytes? */
static bool names(const struct http_request *request, const char *argument_name, struct cur *name, size_t n)
{
	struct buf hex = {0};
	struct cur part = cur_take(name, n);
	bool same;

	hex_append(&hex, part.p, part.left);
	buf_u8(&hex, 0);
	same = !hex.bad && strcasecmp(argument(request, argument_name), (const char *)hex.p) == 0;
	buf_done(&hex);
	return same;
}

/* For whoever knows the name that the machine's quotes give. */
static void answer_pck_certificate(const struct collateral_service *s, const struct http_request *request,
	struct http_reply *reply)
{
	struct cur name = cur_of(s->pki->pck_name.p, s->pki->pck_name.len), tcbm;
	struct buf chain = {0}, hex = {0};
	bool known = names(request, "encrypted_ppid", &name, PCK_NAME_RSA3072);

	tcbm = cur_of(name.p, 18);
	if (!known || !names(request, "cpusvn", &name, 16) || !names(request, "pcesvn", &name, 2) ||
		!names(request, "pceid", &name, 2)) {
		refuse(reply, 404, "there is no PCK certificate of this name");
		return;
	}
	forge_pki_pck_ca_chain(s->pki, &chain);
	put_chain(reply, CHAIN_PCK, &chain);
	buf_done(&chain);
	hex_append(&hex, tcbm.p, tcbm.left);
	reply->headers[1] = (struct http_header){"SGX-TCBm", buf_take_str(&hex)};
	reply->content_type = "application/x-pem-file";
	forge_pki_pem(s->pki, (enum forge_role[]){FORGE_PCK}, 1, &reply->body);
}

/* As caching services send it: hex of DER. */
static void answer_root_crl(const struct collateral_service *s, const struct http_request *request,
	struct http_reply *reply)
{
	const struct buf *crl = &s->pki->crl[FORGE_ROOT_CRL];

	(void)request;
	reply->content_type = "text/plain";
	hex_append(&reply->body, crl->p, crl->len);
}

/* As Intel's certificate host sends it. */
static void answer_root_crl_der(const struct collateral_service *s, const struct http_request *request,
	struct http_reply *reply)
{
	const struct buf *crl = &s->pki->crl[FORGE_ROOT_CRL];

	(void)request;
	reply->content_type = "application/pkix-crl";
	buf_bytes(&reply->body, crl->p, crl->len);
}

static const struct {
	const char *path;
	void (*answer)(const struct collateral_service *, const struct http_request *, struct http_reply *);
} paths[] = {
	{"/sgx/certification/v4/tcb", answer_tcb},
	{"/tdx/certification/v4/tcb", answer_tcb},
	{"/sgx/certification/v4/qe/identity", answer_qe_identity},
	{"/tdx/certification/v4/qe/identity", answer_qe_identity},
	{"/sgx/certification/v4/pckcert", answer_pck_certificate},
	{"/sgx/certification/v4/pckcrl", answer_pck_crl},
	{"/sgx/certification/v4/rootcacrl", answer_root_crl},
	{"/IntelSGXRootCA.der", answer_root_crl_der},
};

void collateral_http(void *self, const struct http_request *request, struct http_reply *reply)
{
	if (strcmp(request->method, "GET") != 0) {
		refuse(reply, 405, "only GET is supported");
		return;
	}
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (strcmp(request->path, paths[i].path) != 0)
			continue;
		reply->status = 200;
		paths[i].answer(self, request, reply);
		return;
	}
	refuse(reply, 404, "there is no such document");
}
