/* SPDX-License-Identifier: Apache-2.0 */
#include "source/pcs.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appraisal/endorsements.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/reason.h"
#include "evidence/pck_name.h"
#include "source/http.h"
#include "source/pause.h"

/* The distribution point that Intel's SGX Root CA names in itself: a constant, because what a peer or a
 * service presents must not choose whom we ask (invariant trust_is_configured). */
#define INTEL_ROOT_CRL_URL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
#define INTEL_HOSTS        ".trustedservices.intel.com"

enum parameter { NO_PARAMETER, FMSPC, CA, PCK_NAME };

/* Intel PCS API v4. */
static const struct item {
	const char *name, *path;
	enum parameter parameter;
	size_t body, chain;       /* offsets in struct pcs_answers */
	const char *chain_header; /* NULL: it comes without one */
	bool json;
} items[] = {
	{"TCB info", "/tdx/certification/v4/tcb?fmspc=", FMSPC, offsetof(struct pcs_answers, tcb_info),
		offsetof(struct pcs_answers, tcb_info_chain), "SGX-TCB-Info-Issuer-Chain", true},
	{"QE identity", "/tdx/certification/v4/qe/identity", NO_PARAMETER,
		offsetof(struct pcs_answers, qe_identity), offsetof(struct pcs_answers, qe_identity_chain),
		"SGX-Enclave-Identity-Issuer-Chain", true},
	{"PCK CRL", "/sgx/certification/v4/pckcrl?encoding=der&ca=", CA,
		offsetof(struct pcs_answers, pck_crl), offsetof(struct pcs_answers, pck_crl_chain),
		"SGX-PCK-CRL-Issuer-Chain", false},
	{"root CA CRL", "/sgx/certification/v4/rootcacrl", NO_PARAMETER,
		offsetof(struct pcs_answers, root_ca_crl), 0, NULL, false},
};

static const struct item pck_item = {"PCK certificate",
	"/sgx/certification/v4/pckcert?encrypted_ppid=", PCK_NAME, 0, 0, "SGX-PCK-Certificate-Issuer-Chain",
	false};

/* One walk through the items. */
struct asking {
	const struct pcs *pcs;
	const struct platform_id *platform; /* of the PCK certificate: NULL, for it is asked for by these two */
	struct pck_name name;
	struct cur qeid;
	int64_t deadline_ms;
	struct pcs_trouble trouble;
};

static struct buf *at_offset(struct pcs_answers *a, size_t offset)
{
	return (struct buf *)((char *)a + offset);
}

static bool is_intel(const char *base)
{
	const char *host = strstr(base, "://");
	size_t len = host != NULL ? strcspn(host + 3, ":/") : 0;

	return len > strlen(INTEL_HOSTS) &&
	       strncmp(host + 3 + len - strlen(INTEL_HOSTS), INTEL_HOSTS, strlen(INTEL_HOSTS)) == 0;
}

static void put_hex(struct buf *url, const char *parameter, const struct cur *value)
{
	buf_str(url, parameter);
	hex_append(url, value->p, value->left);
}

static void put_pck_name(struct buf *url, const struct asking *a)
{
	put_hex(url, "", &a->name.ppid);
	put_hex(url, "&cpusvn=", &a->name.cpusvn);
	put_hex(url, "&pcesvn=", &a->name.pcesvn);
	put_hex(url, "&pceid=", &a->name.pceid);
	if (!is_intel(a->pcs->base))
		put_hex(url, "&qeid=", &a->qeid);
}

/* NULL if memory ran out. */
static char *url_of(const struct asking *a, const struct item *item)
{
	const struct pcs *p = a->pcs;
	struct buf url = {0};

	if (item->chain_header == NULL && is_intel(p->base)) {
		buf_str(&url, INTEL_ROOT_CRL_URL);
		return buf_take_str(&url);
	}
	buf_str(&url, p->base);
	buf_str(&url, item->path);
	if (item->parameter == FMSPC)
		hex_append(&url, a->platform->fmspc, sizeof(a->platform->fmspc));
	if (item->parameter == CA)
		buf_str(&url, platform_id_ca(a->platform));
	if (p->early && item->json)
		buf_str(&url, item->parameter == NO_PARAMETER ? "?update=early" : "&update=early");
	if (item->parameter == PCK_NAME)
		put_pck_name(&url, a);
	return buf_take_str(&url);
}

static int unavailable(const struct item *item, const char *why, struct ratls_error *err)
{
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE, "%s: %s", item->name, why);
}

static int explain_status(struct asking *a, const struct item *item, const struct ratls_http_response *r,
	struct ratls_error *err)
{
	char fmspc[32] = "that the quote names";
	char wish[32] = "";

	a->trouble.asked_ms = pause_of_answer(r, clock_now());
	a->trouble.not_now = r->status == 429 || r->status == 503 || a->trouble.asked_ms > 0;
	if (a->platform != NULL)
		hex_encode(a->platform->fmspc, sizeof(a->platform->fmspc), fmspc);
	if (r->status == 404 && (item->parameter == FMSPC || item->parameter == PCK_NAME))
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_PLATFORM_UNKNOWN,
			"%s: platform %s is not known there (HTTP status 404)", item->name, fmspc);
	if (a->trouble.asked_ms > 0)
		snprintf(wish, sizeof(wish), ", retry after %d s", (int)(a->trouble.asked_ms / 1000));
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE, "%s: HTTP status %ld%s",
		item->name, r->status, wish);
}

/* RFC 3986 section 2.1. A plus sign is itself: base64 is full of them. */
static bool percent_decode(struct cur in, struct buf *out)
{
	while (in.left > 0) {
		uint8_t c = cur_u8(&in);

		if (c == '%') {
			struct cur digits = cur_take(&in, 2);

			if (!hex_decode((const char *)digits.p, digits.left, &c, 1))
				return false;
		}
		buf_u8(out, c);
	}
	return true;
}

/* Old and new versions of the API, Intel and others differ in whether a name begins with "SGX-". */
static char *chain_header(const struct ratls_http_response *r, const char *name)
{
	char *value = http_header(r, name);

	return value != NULL ? value : http_header(r, name + strlen("SGX-"));
}

static int take_chain(const struct item *item, const struct ratls_http_response *r, struct buf *ret,
	struct ratls_error *err)
{
	char *header = chain_header(r, item->chain_header);
	size_t len = header != NULL ? strlen(header) : 0;
	int rc = RATLS_OK;

	/* Without its issuers an item proves nothing: never a reason to skip the check. */
	if (len == 0)
		rc = unavailable(item, "answer has no issuer chain", err);
	else if (len > PCS_CHAIN_MAX || !percent_decode(cur_of(header, len), ret))
		rc = unavailable(item, "issuer chain is malformed", err);
	else if (ret->bad)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	free(header);
	return rc;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Text (JSON, PEM, hex) without the white space around it, which some send and no reader wants; DER as it is.
 */
static struct cur body_of(const struct ratls_http_response *r)
{
	struct cur body = cur_of(r->body, r->body_len);
	bool binary = memchr(body.p, 0, body.left) != NULL;

	while (!binary && body.left > 0 && is_space(body.p[0]))
		cur_take(&body, 1);
	while (!binary && body.left > 0 && is_space(body.p[body.left - 1]))
		body.left--;
	return body;
}

/* Which of the platform's states the certificate is for. That it is so in the certificate is appraisal's rule
 * pck.named; a service that says otherwise has not understood the question. */
static int check_tcbm(const struct asking *a, const struct ratls_http_response *r, struct ratls_error *err)
{
	char *header = http_header(r, "SGX-TCBm");
	uint8_t tcbm[18] = {0};
	struct cur said = cur_of(tcbm, sizeof(tcbm)), cpusvn = cur_take(&said, 16);
	bool ok = header != NULL && hex_decode(header, strlen(header), tcbm, sizeof(tcbm)) &&
		  cur_is(&cpusvn, a->name.cpusvn.p, 16) && cur_is(&said, a->name.pcesvn.p, 2);
	int rc = RATLS_OK;

	if (header == NULL)
		rc = unavailable(&pck_item, "answer has no SGX-TCBm", err);
	else if (!ok)
		rc = unavailable(&pck_item,
			"answer is for another CPUSVN or PCESVN than the quote names (SGX-TCBm)", err);
	free(header);
	return rc;
}

static int take_answer(struct asking *a, const struct item *item, const struct ratls_http_response *r,
	struct buf *body, struct buf *chain, struct ratls_error *err)
{
	struct cur bytes;
	int rc = RATLS_OK;

	if (r->status != 200)
		return explain_status(a, item, r, err);
	if (r->body == NULL || r->body_len > ENDORSEMENTS_ITEM_MAX)
		return unavailable(item, "answer is empty or too large", err);
	bytes = body_of(r);
	if (bytes.left == 0)
		return unavailable(item, "answer is empty or too large", err);
	buf_bytes(body, bytes.p, bytes.left);
	if (body->bad)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	if (item->chain_header != NULL)
		rc = take_chain(item, r, chain, err);
	if (rc == RATLS_OK && item->parameter == PCK_NAME)
		rc = check_tcbm(a, r, err);
	return rc;
}

static int exchange(struct asking *a, const struct item *item, const char *url,
	struct ratls_http_response *ret, struct ratls_error *err)
{
	int64_t left_ms = a->deadline_ms - clock_monotonic_ms();
	struct ratls_http_request request = {.method = "GET",
		.url = url,
		.max_body = ENDORSEMENTS_ITEM_MAX,
		.timeout_ms = (long)left_ms};
	struct ratls_error why = {.message = "its time is up"};
	int rc = left_ms > 0 ? transport_fetch(a->pcs->transport, &request, ret, &why) : RATLS_E_UNAVAILABLE;

	if (rc == RATLS_OK)
		return rc;
	a->trouble.not_now = rc == RATLS_E_UNAVAILABLE;
	return err_reason(err, rc, REASON_COLLATERAL_UNAVAILABLE, "%s: %s", item->name, why.message);
}

static int ask_item(struct asking *a, const struct item *item, struct buf *body, struct buf *chain,
	struct ratls_error *err)
{
	struct ratls_http_response answer = {0};
	char *url = url_of(a, item);
	int rc;

	if (url == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	rc = exchange(a, item, url, &answer, err);
	free(url);
	if (rc == RATLS_OK)
		rc = take_answer(a, item, &answer, body, chain, err);
	/* What everybody asks for alike and does not get is not for want of knowing the platform. */
	if (rc == RATLS_E_UNAVAILABLE && item->parameter == NO_PARAMETER)
		a->trouble.not_now = true;
	http_response_done(&answer);
	return rc;
}

int pcs_ask(const struct pcs *p, const struct platform_id *platform, struct pcs_answers *ret,
	struct pcs_trouble *ret_trouble, struct ratls_error *err)
{
	struct asking a = {.pcs = p, .platform = platform, .qeid = cur_of(NULL, 0)};
	int rc = RATLS_OK;

	a.deadline_ms = clock_monotonic_ms() + (p->timeout_ms > 0 ? p->timeout_ms : PCS_TIMEOUT_MS);
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]) && rc == RATLS_OK; i++)
		if (at_offset(ret, items[i].body)->len == 0)
			rc = ask_item(&a, &items[i], at_offset(ret, items[i].body),
				at_offset(ret, items[i].chain), err);
	if (rc != RATLS_OK)
		*ret_trouble = a.trouble;
	return rc;
}

int pcs_ask_pck(const struct pcs *p, const struct pck_name *name, const struct cur *qeid,
	struct buf *ret_chain, struct pcs_trouble *ret_trouble, struct ratls_error *err)
{
	struct asking a = {.pcs = p, .name = *name, .qeid = *qeid};
	struct buf issuers = {0};
	int rc;

	a.deadline_ms = clock_monotonic_ms() + (p->timeout_ms > 0 ? p->timeout_ms : PCS_TIMEOUT_MS);
	rc = ask_item(&a, &pck_item, ret_chain, &issuers, err);
	if (rc == RATLS_OK) {
		buf_u8(ret_chain, '\n');
		buf_bytes(ret_chain, issuers.p, issuers.len);
		if (ret_chain->bad)
			rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	} else {
		*ret_trouble = a.trouble;
	}
	buf_done(&issuers);
	return rc;
}

void pcs_answers_done(struct pcs_answers *a)
{
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		buf_done(at_offset(a, items[i].body));
		if (items[i].chain_header != NULL)
			buf_done(at_offset(a, items[i].chain));
	}
}
