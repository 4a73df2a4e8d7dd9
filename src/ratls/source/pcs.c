/* SPDX-License-Identifier: Apache-2.0 */
#include "source/pcs.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/reason.h"
#include "source/fetch.h"

/* The distribution point that Intel's SGX Root CA names in itself: a constant, because what a peer or a
 * service presents must not choose whom we ask (invariant trust_is_configured). */
#define INTEL_ROOT_CRL_URL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
#define INTEL_HOSTS        ".trustedservices.intel.com"

enum parameter { NO_PARAMETER, FMSPC, CA };

/* Intel PCS API v4; chain_header has a second name where older versions and caches use another. */
static const struct item {
	const char *name, *path;
	enum parameter parameter;
	size_t body, chain; /* offsets in struct pcs_answers */
	const char *chain_header, *old_chain_header;
} items[] = {
	{"TCB info", "/tdx/certification/v4/tcb?fmspc=", FMSPC, offsetof(struct pcs_answers, tcb_info),
		offsetof(struct pcs_answers, tcb_info_chain), "TCB-Info-Issuer-Chain",
		"SGX-TCB-Info-Issuer-Chain"},
	{"QE identity", "/tdx/certification/v4/qe/identity", NO_PARAMETER,
		offsetof(struct pcs_answers, qe_identity), offsetof(struct pcs_answers, qe_identity_chain),
		"SGX-Enclave-Identity-Issuer-Chain", NULL},
	{"PCK CRL", "/sgx/certification/v4/pckcrl?encoding=der&ca=", CA,
		offsetof(struct pcs_answers, pck_crl), offsetof(struct pcs_answers, pck_crl_chain),
		"SGX-PCK-CRL-Issuer-Chain", NULL},
	{"root CA CRL", "/sgx/certification/v4/rootcacrl", NO_PARAMETER,
		offsetof(struct pcs_answers, root_ca_crl), 0, NULL, NULL},
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

/* NULL if memory ran out. */
static char *url_of(const struct pcs *p, const struct item *item, const struct platform_id *platform)
{
	struct buf url = {0};

	if (item->chain_header == NULL && is_intel(p->base)) {
		buf_str(&url, INTEL_ROOT_CRL_URL);
		return buf_take_str(&url);
	}
	buf_str(&url, p->base);
	buf_str(&url, item->path);
	if (item->parameter == FMSPC)
		hex_append(&url, platform->fmspc, sizeof(platform->fmspc));
	if (item->parameter == CA)
		buf_str(&url, platform->ca);
	return buf_take_str(&url);
}

static int unavailable(const struct item *item, const char *why, struct ratls_error *err)
{
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE, "%s: %s", item->name, why);
}

static int explain_status(const struct item *item, const struct platform_id *platform,
	const struct ratls_http_response *r, struct ratls_error *err)
{
	char fmspc[2 * sizeof(platform->fmspc) + 1];
	char *after = http_header(r, "Retry-After");
	int rc;

	hex_encode(platform->fmspc, sizeof(platform->fmspc), fmspc);
	if (r->status == 404 && item->parameter == FMSPC)
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_PLATFORM_UNKNOWN,
			"%s: platform %s is not known there (HTTP status 404)", item->name, fmspc);
	else if (after != NULL && after[0] != '\0' && after[strspn(after, "0123456789")] == '\0')
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"%s: HTTP status %ld, retry after %.10s s", item->name, r->status, after);
	else
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"%s: HTTP status %ld", item->name, r->status);
	free(after);
	return rc;
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

static int take_chain(const struct item *item, const struct ratls_http_response *r, struct buf *ret,
	struct ratls_error *err)
{
	char *header = http_header(r, item->chain_header);
	size_t len;
	int rc = RATLS_OK;

	if (header == NULL && item->old_chain_header != NULL)
		header = http_header(r, item->old_chain_header);
	len = header != NULL ? strlen(header) : 0;
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

static int take_answer(const struct item *item, const struct platform_id *platform,
	const struct ratls_http_response *r, struct pcs_answers *ret, struct ratls_error *err)
{
	struct buf *body = at_offset(ret, item->body);

	if (r->status != 200)
		return explain_status(item, platform, r, err);
	if (r->body == NULL || r->body_len == 0 || r->body_len > ENDORSEMENTS_ITEM_MAX)
		return unavailable(item, "answer is empty or too large", err);
	buf_bytes(body, r->body, r->body_len);
	if (body->bad)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	return item->chain_header != NULL ? take_chain(item, r, at_offset(ret, item->chain), err) : RATLS_OK;
}

static int ask_item(const struct pcs *p, const struct item *item, const struct platform_id *platform,
	struct pcs_answers *ret, struct ratls_error *err)
{
	struct ratls_http_request request = {
		.method = "GET", .max_body = ENDORSEMENTS_ITEM_MAX, .timeout_ms = PCS_TIMEOUT_MS};
	struct ratls_http_response answer = {0};
	struct ratls_error why = {0};
	char *url = url_of(p, item, platform);
	int rc;

	if (url == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	request.url = url;
	rc = p->fetch(p->fetch_self, &request, &answer, &why);
	free(url);
	if (rc == RATLS_OK)
		rc = take_answer(item, platform, &answer, ret, err);
	else
		err_reason(err, rc, REASON_COLLATERAL_UNAVAILABLE, "%s: %s", item->name, why.message);
	http_response_done(&answer);
	return rc;
}

int pcs_ask(const struct pcs *p, const struct platform_id *platform, struct pcs_answers *ret,
	struct ratls_error *err)
{
	struct pcs_answers answers = {0};

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		int rc = ask_item(p, &items[i], platform, &answers, err);

		if (rc != RATLS_OK) {
			pcs_answers_done(&answers);
			return rc;
		}
	}
	*ret = answers;
	return RATLS_OK;
}

void pcs_answers_done(struct pcs_answers *a)
{
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		buf_done(at_offset(a, items[i].body));
		if (items[i].chain_header != NULL)
			buf_done(at_offset(a, items[i].chain));
	}
}
