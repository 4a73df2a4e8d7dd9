/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/reason.h"
#include "evidence/pck_name.h"
#include "source/pause.h"
#include "source/place.h"

static const struct platform_id platform = {.fmspc = {1}, .ca = PLATFORM_CA_PLATFORM};
static const struct platform_id other = {.fmspc = {2}, .ca = PLATFORM_CA_PLATFORM};
static const struct platform_id processor = {.fmspc = {3}, .ca = PLATFORM_CA_PROCESSOR};

/* The service: it answers everything, except as the test says. */
static struct {
	const char *silent_at; /* no answer to what has this in its URL */
	const char *fault_at;  /* this status and header to what has this in its URL */
	long status;
	const char *header;
	int requests, with_tcb, with_qe, with_crl, with_root;
	long last_timeout_ms;
} service;

static int fetch(void *self, const struct ratls_http_request *request, struct ratls_http_response *ret,
	struct ratls_error *err)
{
	const char *headers =
		"TCB-Info-Issuer-Chain: a\nEnclave-Identity-Issuer-Chain: b\nPCK-CRL-Issuer-Chain: c\n";
	bool fault = service.fault_at != NULL && strstr(request->url, service.fault_at) != NULL;

	(void)self;
	service.requests++;
	service.with_tcb += strstr(request->url, "/tcb?") != NULL;
	service.with_qe += strstr(request->url, "/qe/identity") != NULL;
	service.with_crl += strstr(request->url, "/pckcrl?") != NULL;
	service.with_root += strstr(request->url, "/rootcacrl") != NULL;
	service.last_timeout_ms = request->timeout_ms;
	if (service.silent_at != NULL && strstr(request->url, service.silent_at) != NULL)
		return err_set(err, RATLS_E_UNAVAILABLE, "nobody answers");
	ret->status = fault ? service.status : 200;
	ret->headers = strdup(fault ? service.header : headers);
	ret->body = (uint8_t *)strdup("x");
	ret->body_len = 1;
	return RATLS_OK;
}

static const struct transport transport = {.fetch = fetch};

static int calm(void **state)
{
	(void)state;
	memset(&service, 0, sizeof(service));
	return 0;
}

static struct place *new_place(const char *text)
{
	struct place *p = NULL;

	assert_int_equal(place_new(text, &transport, &p, NULL), RATLS_OK);
	return p;
}

static int ask(struct place *p, const struct platform_id *id, int64_t now_ms, struct ratls_error *err)
{
	struct pcs_answers answers = {0};
	int rc = place_ask(p, id, now_ms, &answers, err);

	if (rc == RATLS_OK)
		assert_true(answers.tcb_info.len > 0 && answers.qe_identity_chain.len > 0 &&
			    answers.pck_crl_chain.len > 0 && answers.root_ca_crl.len > 0);
	pcs_answers_done(&answers);
	return rc;
}

static void a_place_is_a_url_and_perhaps_a_time(void **state)
{
	static const char *const wrong[] = {"", "example.org", "ftp://example.org", "http://a#b",
		"http://a#timeout=", "http://a#timeout=5x", "http://a#timeout=-1", "http://a#timeout=0",
		"http://a#timeout=61s", "http://a#timeout=99ms", "http://a#timeout=5s ",
		"http://a#timeout= 5", "http://a#timeout=99999999999999999999"};
	static const struct {
		const char *text;
		long at_most_ms, at_least_ms;
	} right[] = {{"http://a", PCS_TIMEOUT_MS, PCS_TIMEOUT_MS - 5000},
		{"http://a/#timeout=60s", 60000, 55000}, {"https://a#timeout=30", 30000, 25000},
		{"http://a//#timeout=500ms", 500, 1}};
	struct place *p = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(place_new(wrong[i], &transport, &p, NULL), RATLS_E_ARG);
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		p = new_place(right[i].text);
		assert_null(strchr(place_url(p), '#'));
		assert_int_equal(place_url(p)[strlen(place_url(p)) - 1], 'a');
		assert_int_equal(ask(p, &platform, 0, NULL), RATLS_OK);
		assert_in_range(service.last_timeout_ms, right[i].at_least_ms, right[i].at_most_ms);
		place_free(p);
	}
}

/* Those that are not about the platform: one request each, for a while. */
static void what_platforms_share_is_asked_for_once(void **state)
{
	struct place *p = new_place("http://a");

	(void)state;
	assert_int_equal(ask(p, &platform, 0, NULL), RATLS_OK);
	assert_int_equal(ask(p, &other, 1, NULL), RATLS_OK);
	assert_int_equal(ask(p, &processor, 2, NULL), RATLS_OK);
	assert_int_equal(service.with_tcb, 3);
	assert_int_equal(service.with_qe, 1);
	assert_int_equal(service.with_root, 1);
	assert_int_equal(service.with_crl, 2); /* of two CAs */
	/* It grows old, even when it is used all the time. */
	for (int64_t now_ms = 0; now_ms < 2 * PLACE_KEEP_MS; now_ms += PLACE_KEEP_MS / 4)
		assert_int_equal(ask(p, &platform, now_ms, NULL), RATLS_OK);
	assert_int_equal(service.with_qe, 2);
	place_free(p);
}

static void what_was_shared_can_be_forgotten(void **state)
{
	struct place *p = new_place("http://a");

	(void)state;
	assert_int_equal(ask(p, &platform, 0, NULL), RATLS_OK);
	assert_false(place_forget(p)); /* it would not be any different */
	assert_int_equal(ask(p, &platform, 0, NULL), RATLS_OK);
	assert_int_equal(ask(p, &platform, 0, NULL), RATLS_OK);
	assert_int_equal(service.with_qe, 2);
	assert_true(place_forget(p));
	assert_int_equal(ask(p, &platform, 0, NULL), RATLS_OK);
	assert_int_equal(service.with_qe, 3);
	place_free(p);
}

/* Whatever it is asked about, one that does not answer is left alone, ever longer. */
static void silence_earns_a_pause(void **state)
{
	struct place *p = new_place("http://a");
	struct ratls_error err = {0};
	int64_t now_ms = 0;

	(void)state;
	service.silent_at = "/";
	for (int n = 1; n <= 5; n++) {
		assert_int_equal(ask(p, &platform, now_ms, &err), RATLS_E_UNAVAILABLE);
		assert_string_equal(err.message, "TCB info: nobody answers");
		assert_int_equal(service.requests, n);
		assert_int_equal(ask(p, &other, now_ms + (PAUSE_FIRST_MS << (n - 1)) / 2 - 1, &err),
			RATLS_E_UNAVAILABLE);
		assert_ptr_equal(
			strstr(err.message, "TCB info: nobody answers (not asked again for "), err.message);
		assert_int_equal(err.reason, REASON_COLLATERAL_UNAVAILABLE);
		assert_int_equal(service.requests, n);
		now_ms += (PAUSE_FIRST_MS << (n - 1)) + 1000;
	}
	/* An answer ends it: the next failure is a first one. */
	service.silent_at = NULL;
	assert_int_equal(ask(p, &platform, now_ms, NULL), RATLS_OK);
	assert_int_equal(ask(p, &other, now_ms, NULL), RATLS_OK);
	service.silent_at = "/";
	assert_int_equal(ask(p, &platform, now_ms, NULL), RATLS_E_UNAVAILABLE);
	service.silent_at = NULL;
	assert_int_equal(ask(p, &platform, now_ms + PAUSE_FIRST_MS + 1000, NULL), RATLS_OK);
	place_free(p);
}

static void a_wish_for_a_pause_is_granted(void **state)
{
	static const long statuses[] = {429, 503, 500, 404};

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct place *p = new_place("http://a");
		struct ratls_error err = {0};

		service.fault_at = "/tcb?";
		service.status = statuses[i];
		service.header = "Retry-After: 120\r\n";
		assert_int_equal(ask(p, &platform, 0, &err), RATLS_E_UNAVAILABLE);
		service.fault_at = NULL;
		assert_int_equal(ask(p, &other, 120 * 1000 - 1, &err), RATLS_E_UNAVAILABLE);
		assert_int_equal(ask(p, &other, 120 * 1000 + 2000, &err), RATLS_OK);
		place_free(p);
	}
}

/* What it does not know of one platform says nothing of the others. */
static void an_answer_about_a_platform_earns_no_pause(void **state)
{
	static const long statuses[] = {400, 404, 461, 500, 502};
	struct place *p = new_place("http://a");

	(void)state;
	service.fault_at = "/tcb?fmspc=010000000000";
	service.header = "";
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		service.status = statuses[i];
		assert_int_equal(ask(p, &platform, 0, NULL), RATLS_E_UNAVAILABLE);
		assert_int_equal(ask(p, &other, 0, NULL), RATLS_OK);
	}
	/* What is asked about no platform does. */
	(void)place_forget(p);
	service.fault_at = "/qe/identity";
	assert_int_equal(ask(p, &other, 0, NULL), RATLS_E_UNAVAILABLE);
	service.fault_at = NULL;
	assert_int_equal(ask(p, &other, 1, NULL), RATLS_E_UNAVAILABLE);
	place_free(p);
}

static int ask_pck(struct place *p, int64_t deadline_ms, struct ratls_error *err)
{
	static const uint8_t bytes[PCK_NAME_RSA3072];
	const struct pck_name name = {.ppid = cur_of(bytes, sizeof(bytes)),
		.encrypted = true,
		.cpusvn = cur_of(bytes, 16),
		.pcesvn = cur_of(bytes, 2),
		.pceid = cur_of(bytes, 2)};
	const struct cur qeid = cur_of(bytes, 16);
	struct buf chain = {0};
	int rc = place_ask_pck(p, &name, &qeid, 0, deadline_ms, &chain, err);

	buf_done(&chain);
	return rc;
}

/* Its own time, but never more than is left of the asker's; that it had too little is not held against it. */
static void a_certificate_is_asked_for_as_long_as_there_is_time(void **state)
{
	struct place *p = new_place("http://a#timeout=60s");
	struct ratls_error err = {0};

	(void)state;
	service.silent_at = "/";
	assert_int_equal(ask_pck(p, clock_monotonic_ms(), &err), RATLS_E_UNAVAILABLE);
	assert_string_equal(err.message, "PCK certificate: no time is left to ask for it");
	assert_int_equal(service.requests, 0);
	assert_int_equal(ask_pck(p, clock_monotonic_ms() + 20000, &err), RATLS_E_UNAVAILABLE);
	assert_in_range(service.last_timeout_ms, 1, 20000);
	assert_int_equal(ask_pck(p, INT64_MAX, &err), RATLS_E_UNAVAILABLE);
	assert_ptr_equal(strstr(err.message, "PCK certificate: nobody answers (not asked again for "), err.message);
	assert_int_equal(service.requests, 1);
	/* Collateral is another matter. */
	service.silent_at = NULL;
	assert_int_equal(ask(p, &platform, 0, &err), RATLS_OK);
	place_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_place_is_a_url_and_perhaps_a_time, calm),
		cmocka_unit_test_setup(what_platforms_share_is_asked_for_once, calm),
		cmocka_unit_test_setup(what_was_shared_can_be_forgotten, calm),
		cmocka_unit_test_setup(silence_earns_a_pause, calm),
		cmocka_unit_test_setup(a_wish_for_a_pause_is_granted, calm),
		cmocka_unit_test_setup(an_answer_about_a_platform_earns_no_pause, calm),
		cmocka_unit_test_setup(a_certificate_is_asked_for_as_long_as_there_is_time, calm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
