/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appraisal/endorsements.h"
#include "base/reason.h"
#include "http_server.h"
#include "source/fetch.h"
#include "source/pcs.h"

static const struct platform_id platform = {
	.fmspc = {0xb0, 0xc0, 0x6f, 0, 0, 0}, .pceid = {0, 0}, .ca = PLATFORM_CA_PLATFORM};

/* A service whose answer to one path can be replaced by a fault. */
static struct {
	const char *fault_path; /* NULL: none */
	int status;
	const char *headers;
	const void *body;
	size_t body_len;
} fault;

static void set_fault(const char *path, int status, const char *headers, const char *body)
{
	fault.fault_path = path;
	fault.status = status;
	fault.headers = headers;
	fault.body = body;
	fault.body_len = strlen(body);
}

static void answer(void *self, const struct http_request *r, int fd)
{
	(void)self;
	if (fault.fault_path != NULL && strncmp(r->target, fault.fault_path, strlen(fault.fault_path)) == 0)
		http_reply(fd, fault.status, fault.headers, fault.body, fault.body_len);
	else if (strcmp(r->target, "/tdx/certification/v4/tcb?fmspc=b0c06f000000") == 0)
		http_reply(fd, 200, "TCB-Info-Issuer-Chain: -----BEGIN%20X%2d%0Aa+b%2Bc\r\n", "tcb", 3);
	else if (strcmp(r->target, "/tdx/certification/v4/qe/identity") == 0)
		http_reply(fd, 200, "sgx-enclave-identity-issuer-chain: qe%20chain\r\n", "qe", 2);
	else if (strcmp(r->target, "/sgx/certification/v4/pckcrl?encoding=der&ca=platform") == 0)
		http_reply(fd, 200, "SGX-PCK-CRL-Issuer-Chain: crl%20chain\r\n", "0\0crl", 5);
	else if (strcmp(r->target, "/sgx/certification/v4/rootcacrl") == 0)
		http_reply(fd, 200, "", "3082", 4);
	else
		http_reply(fd, 400, "", "", 0);
}

static struct http_server *server;

static int start(void **state)
{
	(void)state;
	server = http_server_start(NULL, answer, NULL);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_server_stop(server);
	return 0;
}

static int no_fault(void **state)
{
	(void)state;
	memset(&fault, 0, sizeof(fault));
	return 0;
}

static struct pcs_trouble trouble; /* of the last failure */

static int ask(struct pcs_answers *ret, struct ratls_error *err)
{
	struct transport transport = {.fetch = fetch_curl};
	struct pcs p = {.base = http_server_url(server), .transport = &transport};
	int rc = pcs_ask(&p, &platform, ret, &trouble, err);

	http_server_wait_idle(server); /* the fault may change now */
	if (rc != RATLS_OK)
		pcs_answers_done(ret);
	return rc;
}

static void assert_buf(const struct buf *b, const char *bytes, size_t len)
{
	assert_int_equal(b->len, len);
	assert_memory_equal(b->p, bytes, len);
}

static void four_answers_and_three_chains(void **state)
{
	struct pcs_answers a = {0};

	(void)state;
	assert_int_equal(ask(&a, NULL), RATLS_OK);
	assert_buf(&a.tcb_info, "tcb", 3);
	assert_buf(&a.tcb_info_chain, "-----BEGIN X-\na+b+c", 19);
	assert_buf(&a.qe_identity, "qe", 2);
	assert_buf(&a.qe_identity_chain, "qe chain", 8);
	assert_buf(&a.pck_crl, "0\0crl", 5);
	assert_buf(&a.pck_crl_chain, "crl chain", 9);
	assert_buf(&a.root_ca_crl, "3082", 4);
	pcs_answers_done(&a);
}

static void the_old_header_name_is_known(void **state)
{
	struct pcs_answers a = {0};

	(void)state;
	set_fault("/tdx/certification/v4/tcb", 200, "SGX-TCB-Info-Issuer-Chain: old\r\n", "tcb");
	assert_int_equal(ask(&a, NULL), RATLS_OK);
	assert_buf(&a.tcb_info_chain, "old", 3);
	pcs_answers_done(&a);
}

static void an_unknown_platform_has_its_own_reason(void **state)
{
	struct pcs_answers a = {0};
	struct ratls_error err = {0};

	(void)state;
	set_fault("/tdx/certification/v4/tcb", 404, "", "");
	assert_int_equal(ask(&a, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_PLATFORM_UNKNOWN);
	assert_string_equal(
		err.message, "TCB info: platform b0c06f000000 is not known there (HTTP status 404)");
	assert_null(a.tcb_info.p);
	set_fault("/tdx/certification/v4/qe", 404, "", "");
	assert_int_equal(ask(&a, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_COLLATERAL_UNAVAILABLE);
}

static void every_fault_at_every_item_is_unavailable(void **state)
{
	static const char *const paths[] = {"/tdx/certification/v4/tcb", "/tdx/certification/v4/qe",
		"/sgx/certification/v4/pckcrl", "/sgx/certification/v4/rootcacrl"};
	static const char *const names[] = {"TCB info: ", "QE identity: ", "PCK CRL: ", "root CA CRL: "};
	static const int statuses[] = {201, 204, 301, 400, 401, 410, 429, 500, 503};
	char *huge = malloc(ENDORSEMENTS_ITEM_MAX + 1);

	(void)state;
	memset(huge, 'x', ENDORSEMENTS_ITEM_MAX + 1);
	for (size_t i = 0; i < 4; i++) {
		struct pcs_answers a = {0};
		struct ratls_error err = {0};

		for (size_t k = 0; k < sizeof(statuses) / sizeof(statuses[0]); k++) {
			set_fault(paths[i], statuses[k], "Location: /\r\n", "");
			assert_int_equal(ask(&a, &err), RATLS_E_UNAVAILABLE);
			assert_int_equal(err.reason, REASON_COLLATERAL_UNAVAILABLE);
			assert_ptr_equal(strstr(err.message, names[i]), err.message);
		}
		set_fault(paths[i], 200, "", "");
		assert_int_equal(ask(&a, &err), RATLS_E_UNAVAILABLE);
		fault.body = huge;
		fault.body_len = ENDORSEMENTS_ITEM_MAX + 1;
		assert_int_equal(ask(&a, &err), RATLS_E_UNAVAILABLE);
		assert_non_null(strstr(err.message, "larger than"));
		assert_null(a.root_ca_crl.p);
	}
	free(huge);
}

static void a_missing_or_malformed_chain_is_fatal(void **state)
{
	static const char *const wrong[] = {"", "TCB-Info-Issuer-Chain:\r\n",
		"TCB-Info-Issuer-Chain: a%2\r\n", "TCB-Info-Issuer-Chain: %zz\r\n",
		"TCB-Info-Issuer-Chain: %\r\n"};
	struct pcs_answers a = {0};
	struct ratls_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set_fault("/tdx/certification/v4/tcb", 200, wrong[i], "tcb");
		assert_int_equal(ask(&a, &err), RATLS_E_UNAVAILABLE);
		assert_non_null(strstr(err.message, "issuer chain"));
	}
}

static void a_rate_limit_says_for_how_long(void **state)
{
	struct pcs_answers a = {0};
	struct ratls_error err = {0};

	(void)state;
	set_fault("/sgx/certification/v4/pckcrl", 429, "Retry-After: 30\r\n", "");
	assert_int_equal(ask(&a, &err), RATLS_E_UNAVAILABLE);
	assert_string_equal(err.message, "PCK CRL: HTTP status 429, retry after 30 s");
	set_fault("/sgx/certification/v4/pckcrl", 429, "Retry-After: \x1b[31msoon\r\n", "");
	assert_int_equal(ask(&a, &err), RATLS_E_UNAVAILABLE);
	assert_string_equal(err.message, "PCK CRL: HTTP status 429");
}

/* Answers everything, and keeps the last URL. */
static int note_url(void *self, const struct ratls_http_request *request, struct ratls_http_response *ret,
	struct ratls_error *err)
{
	(void)err;
	snprintf(self, 256, "%s", request->url);
	ret->status = 200;
	ret->headers = strdup("TCB-Info-Issuer-Chain: a\nSGX-Enclave-Identity-Issuer-Chain: b\n"
			      "SGX-PCK-CRL-Issuer-Chain: c\n");
	ret->body = (uint8_t *)strdup("x");
	ret->body_len = 1;
	return RATLS_OK;
}

static void intels_root_crl_comes_from_its_distribution_point(void **state)
{
	static const struct {
		const char *base, *url;
	} rows[] = {
		{PCS_INTEL_URL, "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"},
		{"https://api.trustedservices.intel.com:443/",
			"https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"},
		{"https://trustedservices.intel.com.example.org",
			"https://trustedservices.intel.com.example.org/sgx/certification/v4/rootcacrl"},
		{"https://pccs.example.org/.trustedservices.intel.com",
			"https://pccs.example.org/.trustedservices.intel.com/sgx/certification/v4/rootcacrl"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char last[256];
		struct transport transport = {.fetch = note_url, .fetch_self = last};
		struct pcs p = {.base = rows[i].base, .transport = &transport};
		struct pcs_answers a = {0};

		assert_int_equal(pcs_ask(&p, &platform, &a, &trouble, NULL), RATLS_OK);
		assert_string_equal(last, rows[i].url);
		pcs_answers_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(four_answers_and_three_chains, no_fault),
		cmocka_unit_test_setup(the_old_header_name_is_known, no_fault),
		cmocka_unit_test_setup(an_unknown_platform_has_its_own_reason, no_fault),
		cmocka_unit_test_setup(every_fault_at_every_item_is_unavailable, no_fault),
		cmocka_unit_test_setup(a_missing_or_malformed_chain_is_fatal, no_fault),
		cmocka_unit_test_setup(a_rate_limit_says_for_how_long, no_fault),
		cmocka_unit_test_setup(intels_root_crl_comes_from_its_distribution_point, no_fault),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
