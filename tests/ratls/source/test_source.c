/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appraisal/endorsements.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/reason.h"
#include "evidence/evidence.h"
#include "forged_service.h"
#include "appraisal/report.h"
#include "ratls.h"
#include "source/source.h"

#define NOW    1790000000
#define LATER  (NOW + 20 * 86400)
#define NOBODY "http://127.0.0.1:1"

static const uint8_t seed[FORGE_SEED_SIZE] = {8};

/* One machine, its evidence, and two services: one has today's collateral, one that of LATER. */
static struct forge_machine machine, machine_later;
static struct ratls_evidence *evidence;
static struct forged_service service, service_later;
static struct http_server *server, *server_later;

static void make_machine(struct forge_machine *m, int64_t now)
{
	struct forge_options o;

	forge_defaults(&o, seed, now);
	assert_int_equal(forge_machine_make(&o, m, NULL), RATLS_OK);
}

static int start(void **state)
{
	struct forge_leaf leaf = {.now = NOW};
	struct forge_chain_made chain = {0};

	(void)state;
	make_machine(&machine, NOW);
	make_machine(&machine_later, LATER);
	leaf.key = forge_key(seed, "leaf");
	assert_int_equal(forge_machine_certificate(&machine, &leaf, &chain, NULL), RATLS_OK);
	assert_int_equal(ratls_evidence_from_certificate(chain.cert[0].p, chain.cert[0].len, &evidence, NULL),
		RATLS_OK);
	forge_chain_done(&chain);
	EVP_PKEY_free(leaf.key);
	service.machine = &machine;
	service_later.machine = &machine_later;
	server = http_server_start(NULL, forged_service_handle, &service);
	server_later = http_server_start(NULL, forged_service_handle, &service_later);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_server_stop(server);
	http_server_stop(server_later);
	ratls_evidence_free(evidence);
	forge_machine_done(&machine);
	forge_machine_done(&machine_later);
	return 0;
}

static int no_fault(void **state)
{
	(void)state;
	service.status = service_later.status = 0;
	service.requests = service_later.requests = 0;
	service.bad_path = service_later.bad_path = NULL;
	service.other_issuers = service_later.other_issuers = false;
	return 0;
}

static struct ratls_source *new_source(const char *first, const char *second, const char *directory)
{
	const char *const urls[] = {first, second, NULL};
	struct ratls_source_options o = {.size = sizeof(o),
		.urls = urls,
		.directory = directory,
		.insecure_trust_root = machine.pki.cert[FORGE_ROOT].p,
		.insecure_trust_root_len = machine.pki.cert[FORGE_ROOT].len};
	struct ratls_source *s = NULL;

	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	return s;
}

/* The end of the endorsements that the source has for the machine; 0 if it has none. */
static int64_t end_of(struct ratls_source *s, int64_t at, struct ratls_error *err)
{
	struct ratls_endorsements *e = NULL;
	int64_t end = 0;

	if (ratls_source_endorse(s, evidence, at, &e, err) == RATLS_OK)
		end = endorsements_valid_until(e);
	ratls_endorsements_free(e);
	return end;
}

static void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void endorsements_are_fetched_once_and_hold(void **state)
{
	struct ratls_source *s = new_source(http_server_url(server), NULL, NULL);
	struct ratls_endorsements *e = NULL;
	struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_report *report = NULL;

	(void)state;
	assert_int_equal(ratls_source_endorse(s, evidence, NOW, &e, NULL), RATLS_OK);
	assert_int_equal(ratls_appraise(evidence, e, NULL, &binding, NOW, &report, NULL), RATLS_OK);
	assert_string_equal(ratls_report_message(report), "accepted");
	assert_true(ratls_report_accepted(report));
	ratls_report_free(report);
	ratls_endorsements_free(e);
	assert_true(end_of(s, NOW, NULL) > NOW);
	assert_int_equal(service.requests, 4);
	ratls_source_free(s);
}

static void places_are_asked_in_order_until_one_answers(void **state)
{
	struct ratls_source *s = new_source(NOBODY, http_server_url(server), NULL);

	(void)state;
	assert_true(end_of(s, NOW, NULL) > NOW);
	ratls_source_free(s);
	s = new_source(http_server_url(server), http_server_url(server_later), NULL);
	assert_true(end_of(s, NOW, NULL) > NOW);
	assert_int_equal(service_later.requests, 0);
	ratls_source_free(s);
}

static void an_error_names_every_place_and_why(void **state)
{
	struct ratls_source *s = new_source(NOBODY, http_server_url(server), "/nowhere");
	struct ratls_error err = {0};

	(void)state;
	service.status = 429;
	assert_int_equal(end_of(s, NOW, &err), 0);
	assert_int_equal(err.code, RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_COLLATERAL_UNAVAILABLE);
	assert_contains(err.message, "platform 0d57ac000000");
	assert_contains(err.message, "/nowhere");
	assert_contains(err.message, NOBODY ": TCB info: ");
	assert_contains(err.message, http_server_url(server));
	assert_contains(err.message, "HTTP status 429");
	ratls_source_free(s);
}

static void a_platform_that_nobody_knows_has_its_own_reason(void **state)
{
	struct ratls_source *s = new_source(http_server_url(server), http_server_url(server_later), NULL);
	struct ratls_error err = {0};

	(void)state;
	service.status = service_later.status = 404;
	assert_int_equal(end_of(s, NOW, &err), 0);
	assert_int_equal(err.reason, REASON_PLATFORM_UNKNOWN);
	ratls_source_free(s);
	/* One that did not answer may know it. */
	s = new_source(http_server_url(server), http_server_url(server_later), NULL);
	service_later.status = 503;
	assert_int_equal(end_of(s, NOW, &err), 0);
	assert_int_equal(err.reason, REASON_COLLATERAL_UNAVAILABLE);
	ratls_source_free(s);
}

/* ---- quotes that name their PCK certificate ------------------------------------------------------------------ */

static struct ratls_evidence *named_evidence(void)
{
	static const uint8_t report_data[64];
	struct ratls_evidence *named = NULL;
	struct buf quote = {0};

	machine.quote.names_pck = true;
	assert_int_equal(forge_machine_quote(&machine, report_data, &quote, NULL), RATLS_OK);
	machine.quote.names_pck = false;
	assert_int_equal(ratls_evidence_from_quote(quote.p, quote.len, &named, NULL), RATLS_OK);
	buf_done(&quote);
	return named;
}

static void a_named_certificate_is_fetched(void **state)
{
	struct ratls_source *s = new_source(NOBODY, http_server_url(server), NULL);
	struct ratls_binding binding = {.kind = RATLS_BINDING_NONE};
	struct ratls_evidence *named = named_evidence();
	struct ratls_endorsements *e = NULL;
	struct ratls_report *report = NULL;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ratls_source_endorse(s, named, NOW, &e, NULL), RATLS_OK);
		assert_int_equal(ratls_appraise(named, e, NULL, &binding, NOW, &report, NULL), RATLS_OK);
		assert_string_equal(ratls_report_message(report), "accepted");
		ratls_report_free(report);
		ratls_endorsements_free(e);
	}
	assert_int_equal(service.requests, 4 + 1);
	ratls_evidence_free(named);
	ratls_source_free(s);
}

static void assert_nobody_is_asked(const struct ratls_evidence *e, int reason, const char *why)
{
	struct ratls_source *s = new_source(http_server_url(server), NULL, NULL);
	struct ratls_binding binding = {.kind = RATLS_BINDING_NONE};
	struct ratls_endorsements *of_root = NULL;
	struct ratls_report *report = NULL;
	bool waits;

	service.requests = 0;
	assert_int_equal(ratls_source_endorse(s, e, NOW, &of_root, NULL), RATLS_OK);
	assert_int_equal(ratls_appraise(e, of_root, NULL, &binding, NOW, &report, NULL), RATLS_OK);
	assert_int_equal(report_reason(report), reason);
	assert_contains(ratls_report_message(report), why);
	ratls_report_free(report);
	ratls_endorsements_free(of_root);
	of_root = NULL;
	assert_int_equal(source_endorse_now(s, e, NOW, &waits, &of_root, NULL), RATLS_OK);
	assert_false(waits);
	assert_int_equal(service.requests, 0);
	ratls_endorsements_free(of_root);
	ratls_source_free(s);
}

/* What nobody can be asked for is a fault of the evidence, and no service's. */
static void a_name_that_nobody_understands_is_asked_of_nobody(void **state)
{
	static const struct {
		uint16_t type;
		size_t size;
		const char *why;
	} names[] = {
		{1, 36, "type 1 name the certificate in a form by which nobody can be asked"},
		{2, 276, "type 2 name the certificate in a form by which nobody can be asked"},
		{3, 403, "type 3 have the wrong size"},
		{3, 405, "type 3 have the wrong size"},
	};
	static const uint8_t zeros[512];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct ratls_evidence *named = named_evidence();

		named->quote.certification_type = names[i].type;
		named->quote.certification = cur_of(zeros, names[i].size);
		assert_nobody_is_asked(named, REASON_PCK_PRESENT, names[i].why);
		ratls_evidence_free(named);
	}
}

/* A name is no better than the quote that it stands in. */
static void a_name_in_a_forged_quote_is_asked_of_nobody(void **state)
{
	struct ratls_evidence *named = named_evidence();

	(void)state;
	((uint8_t *)named->quote.td.mrtd.p)[0] ^= 1;
	assert_nobody_is_asked(named, REASON_QUOTE_SIGNATURE, "did not sign this quote");
	((uint8_t *)named->quote.td.mrtd.p)[0] ^= 1;
	((uint8_t *)named->quote.qe.report_data.p)[0] ^= 1;
	assert_nobody_is_asked(named, REASON_QE_BINDING, "another attestation key");
	ratls_evidence_free(named);
}

/* A service may say anything: what it names is asked about only if it is of our root. */
static void a_fetched_chain_of_another_root_asks_for_nothing_more(void **state)
{
	static const uint8_t other_seed[FORGE_SEED_SIZE] = {9};
	struct ratls_source *s = new_source(http_server_url(server), NULL, NULL);
	struct ratls_binding binding = {.kind = RATLS_BINDING_NONE};
	struct ratls_evidence *named = NULL;
	struct ratls_endorsements *e = NULL;
	struct ratls_report *report = NULL;
	static const uint8_t report_data[64];
	struct forge_machine stranger = {0};
	struct forge_options o;
	struct buf quote = {0};

	(void)state;
	forge_defaults(&o, other_seed, NOW);
	o.quote.names_pck = true;
	assert_int_equal(forge_machine_make(&o, &stranger, NULL), RATLS_OK);
	assert_int_equal(forge_machine_quote(&stranger, report_data, &quote, NULL), RATLS_OK);
	assert_int_equal(ratls_evidence_from_quote(quote.p, quote.len, &named, NULL), RATLS_OK);
	service.machine = &stranger;
	assert_int_equal(ratls_source_endorse(s, named, NOW, &e, NULL), RATLS_OK);
	service.machine = &machine;
	assert_int_equal(service.requests, 1);
	assert_int_equal(ratls_appraise(named, e, NULL, &binding, NOW, &report, NULL), RATLS_OK);
	assert_int_equal(report_reason(report), REASON_PCK_ROOT);
	ratls_report_free(report);
	ratls_endorsements_free(e);
	ratls_evidence_free(named);
	forge_machine_done(&stranger);
	buf_done(&quote);
	ratls_source_free(s);
}

static void assert_no_named_certificate(const char *url, const char *why)
{
	struct ratls_source *s = new_source(url, NULL, NULL);
	struct ratls_evidence *named = named_evidence();
	struct ratls_endorsements *e = NULL;
	struct ratls_error err = {0};

	assert_int_equal(ratls_source_endorse(s, named, NOW, &e, &err), RATLS_E_UNAVAILABLE);
	assert_null(e);
	assert_contains(err.message, "no PCK certificate for the quote");
	assert_contains(err.message, why);
	ratls_evidence_free(named);
	ratls_source_free(s);
}

static void a_named_certificate_that_cannot_be_had_is_no_answer(void **state)
{
	(void)state;
	assert_no_named_certificate(NOBODY, "PCK certificate: ");
	service.tcbm = "000000000000000000000000000000000000";
	assert_no_named_certificate(http_server_url(server), "another CPUSVN or PCESVN than the quote names");
	service.tcbm = "";
	assert_no_named_certificate(http_server_url(server), "SGX-TCBm");
	service.tcbm = NULL;
	service.status = 404;
	assert_no_named_certificate(http_server_url(server), "that the quote names is not known there");
	service.status = 503;
	assert_no_named_certificate(http_server_url(server), "HTTP status 503");
}

/* What does not hold together says something of the service, not of the quote; another may do better. */
static void a_named_certificate_with_other_issuers_is_no_answer(void **state)
{
	struct ratls_source *s = new_source(http_server_url(server), http_server_url(server_later), NULL);
	struct ratls_evidence *named = named_evidence();
	struct ratls_endorsements *e = NULL;
	struct ratls_error err = {0};

	(void)state;
	service.other_issuers = service_later.other_issuers = true;
	assert_int_equal(ratls_source_endorse(s, named, NOW, &e, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_COLLATERAL_UNAVAILABLE);
	assert_contains(err.message, "no PCK certificate for the quote");
	assert_contains(err.message, "PCK certificate: its chain does not hold");
	ratls_source_free(s);
	s = new_source(http_server_url(server), http_server_url(server_later), NULL);
	service_later.other_issuers = false;
	assert_int_equal(ratls_source_endorse(s, named, NOW, &e, NULL), RATLS_OK);
	ratls_endorsements_free(e);
	ratls_evidence_free(named);
	ratls_source_free(s);
}

static void a_service_that_is_down_is_left_alone(void **state)
{
	struct ratls_source *s = new_source(http_server_url(server), NULL, NULL);
	struct ratls_evidence *named = named_evidence();
	struct ratls_endorsements *e = NULL;
	struct ratls_error err = {0};

	(void)state;
	service.status = 503;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ratls_source_endorse(s, named, NOW, &e, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(service.requests, 1);
	assert_contains(err.message, "not asked again");
	ratls_evidence_free(named);
	ratls_source_free(s);
}

/* Never an answer; notes the longest time that it was given. */
static int fetch_nothing(void *self, const struct ratls_http_request *request, struct ratls_http_response *ret,
	struct ratls_error *err)
{
	long *longest_ms = self;

	(void)ret;
	if (request->timeout_ms > *longest_ms)
		*longest_ms = request->timeout_ms;
	return err_set(err, RATLS_E_UNAVAILABLE, "nobody is at home");
}

/* However long a service may be asked: who waits for a verdict waits for all of them together. */
static void nobody_waits_longer_for_a_named_certificate_than_for_anything(void **state)
{
	const char *const urls[] = {NOBODY "#timeout=60s", NOBODY "#timeout=60s", NULL};
	long longest_ms = 0;
	struct ratls_source_options o = {
		.size = sizeof(o), .urls = urls, .fetch = fetch_nothing, .fetch_self = &longest_ms};
	struct ratls_evidence *named = named_evidence();
	struct ratls_endorsements *e = NULL;
	struct ratls_source *s = NULL;

	(void)state;
	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	assert_int_equal(ratls_source_endorse(s, named, NOW, &e, NULL), RATLS_E_UNAVAILABLE);
	assert_in_range(longest_ms, 1, SOURCE_WAIT_MS);
	ratls_evidence_free(named);
	ratls_source_free(s);
}

static void an_answer_that_is_nonsense_is_no_answer(void **state)
{
	struct ratls_source *s = new_source(http_server_url(server), NULL, NULL);
	struct ratls_error err = {0};

	(void)state;
	service.bad_path = "/tdx/certification/v4/tcb";
	assert_int_equal(end_of(s, NOW, &err), 0);
	assert_int_equal(err.code, RATLS_E_UNAVAILABLE);
	assert_contains(err.message, "tcbInfo");
	ratls_source_free(s);
	s = new_source(http_server_url(server), NULL, NULL);
	service.bad_path = "/tdx/certification/v4/qe";
	assert_int_equal(end_of(s, NOW, &err), 0);
	assert_contains(err.message, "enclaveIdentity");
	ratls_source_free(s);
}

static void a_place_that_lags_is_passed_over(void **state)
{
	struct ratls_source *s = new_source(http_server_url(server), http_server_url(server_later), NULL);
	int64_t first_end = end_of(s, NOW, NULL), second_end;

	(void)state;
	second_end = end_of(s, first_end + 1, NULL);
	assert_true(second_end > first_end + 1);
	/* When no place has better, the best there is comes, for appraisal to refuse. */
	assert_int_equal(end_of(s, second_end + 1, NULL), second_end);
	ratls_source_free(s);
}

static void a_file_in_the_directory_is_looked_at_first(void **state)
{
	char dir[] = "/tmp/collateral.XXXXXX", path[64];
	struct buf json = {0};
	struct ratls_source *s;
	int64_t end;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/0d57ac000000.json", dir);
	assert_int_equal(forge_machine_collateral(&machine, &json, NULL), RATLS_OK);
	assert_int_equal(file_write(path, json.p, json.len, 0600, NULL), RATLS_OK);
	s = new_source(http_server_url(server_later), NULL, dir);
	end = end_of(s, NOW, NULL);
	assert_true(end > NOW);
	assert_int_equal(service_later.requests, 0);
	/* One that has ended is passed over. */
	assert_true(end_of(s, end + 1, NULL) > end + 1);
	assert_int_equal(service_later.requests, 4);
	ratls_source_free(s);

	/* One that is damaged likewise. */
	assert_int_equal(file_write(path, json.p, json.len / 2, 0600, NULL), RATLS_OK);
	s = new_source(http_server_url(server), NULL, dir);
	assert_true(end_of(s, NOW, NULL) > NOW);
	assert_int_equal(service.requests, 4);
	ratls_source_free(s);
	unlink(path);
	rmdir(dir);
	buf_done(&json);
}

static void a_directory_alone_is_enough(void **state)
{
	const char *const none[] = {NULL};
	struct ratls_source_options o = {.size = sizeof(o),
		.urls = none,
		.directory = "/nowhere",
		.insecure_trust_root = machine.pki.cert[FORGE_ROOT].p,
		.insecure_trust_root_len = machine.pki.cert[FORGE_ROOT].len};
	struct ratls_source *s = NULL;
	struct ratls_error err = {0};

	(void)state;
	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	assert_int_equal(end_of(s, NOW, &err), 0);
	assert_contains(err.message, "/nowhere/0d57ac000000.json");
	ratls_source_free(s);
}

static void a_collateral_file_is_used_alone_and_read_again_when_it_has_ended(void **state)
{
	char path[] = "/tmp/collateral.XXXXXX";
	struct ratls_source_options o = {.size = sizeof(o),
		.collateral = path,
		.insecure_trust_root = machine.pki.cert[FORGE_ROOT].p,
		.insecure_trust_root_len = machine.pki.cert[FORGE_ROOT].len,
		.fetch = forged_service_fetch,
		.fetch_self = &service};
	struct buf json = {0}, later = {0};
	struct ratls_source *s = NULL;
	struct ratls_error err = {0};
	int fd = mkstemp(path);
	int64_t end;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(forge_machine_collateral(&machine, &json, NULL), RATLS_OK);
	assert_int_equal(forge_machine_collateral(&machine_later, &later, NULL), RATLS_OK);
	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	assert_int_equal(end_of(s, NOW, &err), 0);
	assert_int_equal(err.code, RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_COLLATERAL_FILE);
	assert_contains(err.message, path);
	ratls_source_free(s);
	o.collateral = "/tmp";
	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	assert_int_equal(end_of(s, NOW, &err), 0);
	assert_int_equal(err.reason, REASON_COLLATERAL_FILE);
	assert_contains(err.message, "could not read \"/tmp\": Is a directory");
	ratls_source_free(s);
	o.collateral = path;
	assert_int_equal(file_write(path, json.p, json.len, 0600, NULL), RATLS_OK);
	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	end = end_of(s, NOW, NULL);
	assert_true(end > NOW);
	assert_int_equal(file_write(path, later.p, later.len, 0600, NULL), RATLS_OK);
	assert_true(end_of(s, end + 1, NULL) > end + 1);
	ratls_source_free(s);
	assert_int_equal(file_write(path, json.p, json.len, 0600, NULL), RATLS_OK);
	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	assert_int_equal(end_of(s, end + 1, NULL), end); /* for appraisal to refuse */
	assert_int_equal(service.requests, 0);
	ratls_source_free(s);
	unlink(path);
	buf_done(&json);
	buf_done(&later);
}

static void options_that_make_no_sense_are_refused(void **state)
{
	const char *const none[] = {NULL}, *const wrong[] = {"ftp://example.org", NULL};
	const char *const many[] = {
		NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NULL};
	const char *const *const lists[] = {none, wrong, many};
	struct ratls_source *s = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct ratls_source_options o = {.size = sizeof(o), .urls = lists[i]};

		assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_E_ARG);
	}
	assert_int_equal(ratls_source_new(&(struct ratls_source_options){.urls = lists[0]}, &s, NULL), RATLS_E_ARG);
	assert_null(s);
}

/* What that means is for the tests of options; here, that it is so. */
static void options_may_be_as_short_as_they_ever_were(void **state)
{
	const char *const urls[] = {http_server_url(server), NULL};
	struct ratls_source_options o = {.size = offsetof(struct ratls_source_options, collateral), .urls = urls};
	struct ratls_source *s = NULL;

	(void)state;
	o.collateral = (const char *)(uintptr_t)1; /* must not be looked at */
	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	ratls_source_free(s);
	assert_int_equal(ratls_source_new(NULL, &s, NULL), RATLS_OK);
	ratls_source_free(s);
	ratls_source_free(NULL);
}

static void the_caller_may_bring_the_transport(void **state)
{
	struct ratls_source_options o = {.size = sizeof(o),
		.fetch = forged_service_fetch,
		.fetch_self = &service,
		.insecure_trust_root = machine.pki.cert[FORGE_ROOT].p,
		.insecure_trust_root_len = machine.pki.cert[FORGE_ROOT].len};
	struct ratls_source *s = NULL;
	struct ratls_endorsements *e = NULL;

	(void)state;
	service.silent = true;
	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	assert_int_equal(ratls_source_endorse(s, evidence, NOW, &e, NULL), RATLS_E_UNAVAILABLE);
	assert_null(e);
	service.silent = false;
	ratls_source_free(s);
}

static void *endorse(void *arg)
{
	struct ratls_endorsements *e = NULL;
	int rc = ratls_source_endorse(arg, evidence, NOW, &e, NULL);

	ratls_endorsements_free(e);
	return (void *)(intptr_t)rc;
}

static void many_connections_cause_one_fetch_of_each_item(void **state)
{
	struct ratls_source *s = new_source(http_server_url(server), NULL, NULL);
	pthread_t threads[16];
	void *rc;

	(void)state;
	for (int i = 0; i < 16; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, endorse, s), 0);
	for (int i = 0; i < 16; i++) {
		pthread_join(threads[i], &rc);
		assert_int_equal((intptr_t)rc, RATLS_OK);
	}
	assert_int_equal(service.requests, 4);
	ratls_source_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(endorsements_are_fetched_once_and_hold, no_fault),
		cmocka_unit_test_setup(places_are_asked_in_order_until_one_answers, no_fault),
		cmocka_unit_test_setup(an_error_names_every_place_and_why, no_fault),
		cmocka_unit_test_setup(a_platform_that_nobody_knows_has_its_own_reason, no_fault),
		cmocka_unit_test_setup(a_named_certificate_is_fetched, no_fault),
		cmocka_unit_test_setup(a_name_that_nobody_understands_is_asked_of_nobody, no_fault),
		cmocka_unit_test_setup(a_name_in_a_forged_quote_is_asked_of_nobody, no_fault),
		cmocka_unit_test_setup(a_fetched_chain_of_another_root_asks_for_nothing_more, no_fault),
		cmocka_unit_test_setup(a_named_certificate_that_cannot_be_had_is_no_answer, no_fault),
		cmocka_unit_test_setup(a_named_certificate_with_other_issuers_is_no_answer, no_fault),
		cmocka_unit_test_setup(a_service_that_is_down_is_left_alone, no_fault),
		cmocka_unit_test_setup(nobody_waits_longer_for_a_named_certificate_than_for_anything, no_fault),
		cmocka_unit_test_setup(an_answer_that_is_nonsense_is_no_answer, no_fault),
		cmocka_unit_test_setup(a_place_that_lags_is_passed_over, no_fault),
		cmocka_unit_test_setup(a_file_in_the_directory_is_looked_at_first, no_fault),
		cmocka_unit_test_setup(a_directory_alone_is_enough, no_fault),
		cmocka_unit_test_setup(a_collateral_file_is_used_alone_and_read_again_when_it_has_ended, no_fault),
		cmocka_unit_test_setup(options_that_make_no_sense_are_refused, no_fault),
		cmocka_unit_test_setup(options_may_be_as_short_as_they_ever_were, no_fault),
		cmocka_unit_test_setup(the_caller_may_bring_the_transport, no_fault),
		cmocka_unit_test_setup(many_connections_cause_one_fetch_of_each_item, no_fault),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
