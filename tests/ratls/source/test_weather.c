/* SPDX-License-Identifier: Apache-2.0
 *
 * A source in bad weather: every fault at every item, of one service and of the first of two; a thousand
 * callers at once; services that come and go while what is kept on disk stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appraisal/endorsed.h"
#include "appraisal/report.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/reason.h"
#include "forged_service.h"
#include "ratls.h"
#include "simulator/forge.h"
#include "source/pause.h"

#define GOOD "http://good.example.org"
#define BAD  "http://bad.example.org"

static const uint8_t seed[FORGE_SEED_SIZE] = {11};
static const uint8_t second_fmspc[6] = {0x0d, 0x57, 0xac, 0, 0, 1};

/* Two machines of one vendor, of different platforms. */
static struct forge_machine machines[2];
static struct ratls_evidence *evidence[2];
static int64_t now;

static struct ratls_evidence *evidence_of(const struct forge_machine *m)
{
	struct forge_leaf leaf = {.now = now, .key = forge_key(seed, "leaf")};
	struct forge_chain_made chain = {0};
	struct ratls_evidence *e = NULL;

	assert_int_equal(forge_machine_certificate(m, &leaf, &chain, NULL), RATLS_OK);
	assert_int_equal(
		ratls_evidence_from_certificate(chain.cert[0].p, chain.cert[0].len, &e, NULL), RATLS_OK);
	forge_chain_done(&chain);
	EVP_PKEY_free(leaf.key);
	return e;
}

static int make(void **state)
{
	struct forge_options o;

	(void)state;
	now = clock_now();
	for (size_t i = 0; i < 2; i++) {
		forge_defaults(&o, seed, now);
		if (i == 1) {
			memcpy(o.pki.sgx.fmspc, second_fmspc, 6);
			memcpy(o.collateral.tcb_info.fmspc, second_fmspc, 6);
		}
		assert_int_equal(forge_machine_make(&o, &machines[i], NULL), RATLS_OK);
		evidence[i] = evidence_of(&machines[i]);
	}
	return 0;
}

static int done(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		ratls_evidence_free(evidence[i]);
		forge_machine_done(&machines[i]);
	}
	return 0;
}

/* ---- the weather --------------------------------------------------------------------------------------- */

enum fault { SILENT, STATUS, EMPTY, CUT, PAGE, OTHER_DOCUMENT, NO_CHAIN, WRONG_CHAIN, GARBAGE_CHAIN, CLEAR };

static const struct {
	const char *name;
	enum fault fault;
	long status;
} faults[] = {
	{"refused, reset, too slow, too large", SILENT, 0},
	{"301", STATUS, 301},
	{"400", STATUS, 400},
	{"404", STATUS, 404},
	{"429", STATUS, 429},
	{"500", STATUS, 500},
	{"503", STATUS, 503},
	{"empty", EMPTY, 200},
	{"cut", CUT, 200},
	{"a page of a captive portal", PAGE, 200},
	{"JSON, but not the document", OTHER_DOCUMENT, 200},
	{"no chain", NO_CHAIN, 200},
	{"the chain of something else", WRONG_CHAIN, 200},
	{"a chain that is none", GARBAGE_CHAIN, 200},
};

static const struct {
	const char *path, *name;
	bool has_chain;
} items[] = {
	{"/tdx/certification/v4/tcb", "TCB info", true},
	{"/tdx/certification/v4/qe/identity", "QE identity", true},
	{"/sgx/certification/v4/pckcrl", "PCK CRL", true},
	{"/sgx/certification/v4/rootcacrl", "root CA CRL", false},
};

/* What the services do; their counts. */
static struct {
	enum fault fault; /* of BAD, at this item */
	long status;
	const char *path;
	atomic_bool all_silent;
	atomic_int requests, at_item[4];
} weather;

static int clear(void **state)
{
	(void)state;
	memset(&weather, 0, sizeof(weather));
	weather.fault = CLEAR;
	return 0;
}

static void replace_body(struct ratls_http_response *r, const char *text)
{
	free(r->body);
	r->body = (uint8_t *)strdup(text);
	r->body_len = strlen(text);
}

static void replace_headers(struct ratls_http_response *r, const char *value)
{
	struct buf headers = {0};
	char *old = r->headers, *colon = strchr(old, ':');

	buf_fmt(&headers, "%.*s: %s\r\n", (int)(colon != NULL ? colon - old : 0), old, value);
	free(old);
	r->headers = buf_take_str(&headers);
}

/* The chain of a PCK certificate, where one of another role should be. */
static void replace_chain(struct ratls_http_response *r)
{
	struct buf pem = {0}, value = {0};
	char *text;

	forge_pki_pck_chain(&machines[0].pki, &pem);
	for (size_t i = 0; i < pem.len; i++)
		if (strchr(" \n+/=", pem.p[i]) != NULL)
			buf_fmt(&value, "%%%02X", pem.p[i]);
		else
			buf_u8(&value, pem.p[i]);
	text = buf_take_str(&value);
	replace_headers(r, text);
	free(text);
	buf_done(&pem);
}

static int spoil(struct ratls_http_response *r, struct ratls_error *err)
{
	switch (weather.fault) {
	case SILENT:
		free(r->body);
		free(r->headers);
		*r = (struct ratls_http_response){0};
		return err_set(err, RATLS_E_UNAVAILABLE, "nobody answers");
	case STATUS:
		r->status = weather.status;
		break;
	case EMPTY:
		replace_body(r, "");
		break;
	case CUT:
		r->body_len /= 2;
		break;
	case PAGE:
		replace_body(r, "<!DOCTYPE html><title>Log in</title>");
		break;
	case OTHER_DOCUMENT:
		replace_body(r, "{\"tcbInfo\": {}, \"signature\": \"\"}");
		break;
	case NO_CHAIN:
		replace_headers(r, "");
		break;
	case WRONG_CHAIN:
		replace_chain(r);
		break;
	case GARBAGE_CHAIN:
		replace_headers(r, "-----BEGIN%20CERTIFICATE-----%0AMA==");
		break;
	case CLEAR:
		break;
	}
	return RATLS_OK;
}

static int fetch(void *self, const struct ratls_http_request *request, struct ratls_http_response *ret,
	struct ratls_error *err)
{
	struct forged_service service = {.machine = &machines[0]};
	struct ratls_http_request asked = *request;
	char url[256];
	int rc;

	(void)self;
	atomic_fetch_add(&weather.requests, 1);
	for (size_t i = 0; i < 4; i++)
		if (strstr(request->url, items[i].path) != NULL)
			atomic_fetch_add(&weather.at_item[i], 1);
	if (atomic_load(&weather.all_silent))
		return err_set(err, RATLS_E_UNAVAILABLE, "nobody answers");
	/* The forged service knows one platform by name: the other's machine answers under it. */
	snprintf(url, sizeof(url), "%s", request->url);
	if (strstr(url, "fmspc=0d57ac000001") != NULL) {
		service.machine = &machines[1];
		url[strlen(url) - 1] = '0';
	}
	asked.url = url;
	rc = forged_service_fetch(&service, &asked, ret, err);
	if (rc == RATLS_OK && weather.path != NULL && strncmp(url, BAD, strlen(BAD)) == 0 &&
		strstr(url, weather.path) != NULL)
		rc = spoil(ret, err);
	return rc;
}

static struct ratls_source *new_source(const char *first, const char *second, const char *cache_dir)
{
	const char *const urls[] = {first, second, NULL};
	struct ratls_source_options o = {.size = sizeof(o),
		.urls = urls,
		.fetch = fetch,
		.cache_dir = cache_dir,
		.insecure_trust_root = machines[0].pki.cert[FORGE_ROOT].p,
		.insecure_trust_root_len = machines[0].pki.cert[FORGE_ROOT].len};
	struct ratls_source *s = NULL;

	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	return s;
}

/* Does the source have what an appraisal of this machine accepts? */
static bool has(struct ratls_source *s, size_t machine, struct ratls_error *err)
{
	const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_endorsements *e = NULL;
	struct ratls_report *report = NULL;

	if (ratls_source_endorse(s, evidence[machine], now, &e, err) != RATLS_OK)
		return false;
	assert_int_equal(ratls_appraise(evidence[machine], e, NULL, &binding, now, &report, NULL), RATLS_OK);
	if (!ratls_report_accepted(report))
		fail_msg("%s", ratls_report_message(report));
	ratls_report_free(report);
	ratls_endorsements_free(e);
	return true;
}

/* ---- tests --------------------------------------------------------------------------------------------- */

/* Undetermined, with the item and the service named; never what the peer would be blamed for. */
static void expect_undetermined(size_t fault, size_t item)
{
	struct ratls_source *s = new_source(BAD, NULL, NULL);
	struct ratls_error err = {0};

	if (has(s, 0, &err))
		fail_msg("%s at %s: accepted", faults[fault].name, items[item].name);
	assert_int_equal(err.code, RATLS_E_UNAVAILABLE);
	assert_int_equal(reason_find(err.reason)->class, CLASS_UNDETERMINED);
	assert_int_equal(err.reason == REASON_PLATFORM_UNKNOWN, faults[fault].status == 404 && item == 0);
	if (strstr(err.message, BAD) == NULL)
		fail_msg("%s at %s: %s", faults[fault].name, items[item].name, err.message);
	ratls_source_free(s);
}

static void every_fault_at_every_item_is_undetermined(void **state)
{
	struct ratls_source *s;

	(void)state;
	for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++) {
		for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
			if (!items[i].has_chain && faults[f].fault >= NO_CHAIN)
				continue;
			weather.fault = faults[f].fault;
			weather.status = faults[f].status;
			weather.path = items[i].path;
			expect_undetermined(f, i);
			/* The next service is asked for what the first could not give. */
			s = new_source(BAD, GOOD, NULL);
			if (!has(s, 0, NULL))
				fail_msg(
					"%s at %s: there was another service", faults[f].name, items[i].name);
			ratls_source_free(s);
		}
	}
}

/* ---- a crowd ---- */

#define CROWD 1000

struct caller {
	pthread_t thread;
	struct ratls_source *source;
	pthread_barrier_t *together;
	size_t machine;
	bool served;
};

static void *call(void *arg)
{
	struct caller *c = arg;
	struct ratls_endorsements *e = NULL;

	pthread_barrier_wait(c->together);
	c->served = ratls_source_endorse(c->source, evidence[c->machine], now, &e, NULL) == RATLS_OK;
	ratls_endorsements_free(e);
	return NULL;
}

static size_t run_crowd(struct ratls_source *s)
{
	static struct caller callers[CROWD];
	pthread_barrier_t together;
	pthread_attr_t attr;
	size_t served = 0;

	pthread_barrier_init(&together, NULL, CROWD);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)256 << 10);
	for (size_t i = 0; i < CROWD; i++) {
		callers[i] = (struct caller){.source = s, .together = &together, .machine = i % 2};
		assert_int_equal(pthread_create(&callers[i].thread, &attr, call, &callers[i]), 0);
	}
	for (size_t i = 0; i < CROWD; i++) {
		pthread_join(callers[i].thread, NULL);
		served += callers[i].served;
	}
	pthread_attr_destroy(&attr);
	pthread_barrier_destroy(&together);
	return served;
}

/* Of two platforms: the documents of each, and once what they share. */
static void a_thousand_callers_cause_one_fetch_of_each_item(void **state)
{
	struct ratls_source *s = new_source(GOOD, NULL, NULL);

	(void)state;
	assert_int_equal(run_crowd(s), CROWD);
	assert_int_equal(weather.at_item[0], 2);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(weather.at_item[i], 1);
	ratls_source_free(s);
}

static void a_thousand_callers_learn_of_one_failure(void **state)
{
	struct ratls_source *s = new_source(GOOD, NULL, NULL);
	int64_t began_ms = clock_monotonic_ms(), pauses;

	(void)state;
	weather.all_silent = true;
	assert_int_equal(run_crowd(s), 0);
	/* The second platform finds the service in its pause; where a crowd takes long the pause may end. */
	pauses = (clock_monotonic_ms() - began_ms) / (PAUSE_FIRST_MS / 2);
	assert_in_range(weather.requests, 1, 1 + pauses);
	ratls_source_free(s);
}

/* ---- strangers ---- */

static void nobody_is_asked_about_who_is_not_of_the_root(void **state)
{
	const char *const urls[] = {GOOD, NULL};
	struct ratls_source_options o = {.size = sizeof(o), .urls = urls, .fetch = fetch}; /* Intel's root */
	const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_endorsements *e = NULL;
	struct ratls_report *report = NULL;
	struct ratls_source *s = NULL;

	(void)state;
	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	assert_int_equal(ratls_source_endorse(s, evidence[0], now, &e, NULL), RATLS_OK);
	assert_int_equal(weather.requests, 0);
	/* And an appraisal says why. */
	assert_int_equal(ratls_appraise(evidence[0], e, NULL, &binding, now, &report, NULL), RATLS_OK);
	assert_int_equal(report_reason(report), REASON_PCK_ROOT);
	assert_int_equal(ratls_report_class(report), CLASS_AUTHENTICITY);
	assert_non_null(strstr(ratls_report_json(report), "\"trust_root\":\"intel\""));
	ratls_report_free(report);
	ratls_endorsements_free(e);
	ratls_source_free(s);
}

/* ---- disk ---- */

static char dir[32];

static int with_folder(void **state)
{
	strcpy(dir, "/tmp/weather.XXXXXX");
	assert_non_null(mkdtemp(dir));
	return clear(state);
}

static int without_folder(void **state)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	(void)state;
	while ((e = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	return rmdir(dir);
}

static void what_was_fetched_outlives_the_program_and_the_service(void **state)
{
	struct ratls_source *s = new_source(GOOD, NULL, dir);

	(void)state;
	assert_true(has(s, 0, NULL));
	ratls_source_free(s);
	weather.all_silent = true;
	s = new_source(GOOD, NULL, dir);
	assert_true(has(s, 0, NULL));
	assert_int_equal(weather.requests, 4);
	/* The other platform is not there, and no harm to the first. */
	assert_false(has(s, 1, NULL));
	assert_true(has(s, 0, NULL));
	ratls_source_free(s);
	/* Who asks somebody else does not mean this. */
	s = new_source(BAD, NULL, dir);
	assert_false(has(s, 0, NULL));
	ratls_source_free(s);
}

/* Old, and nothing newer to be had: a program that ends after one answer says so in it. */
static void what_is_old_and_cannot_be_refreshed_is_used_with_a_warning(void **state)
{
	const char *const urls[] = {GOOD, NULL};
	struct ratls_source_options o = {.size = sizeof(o),
		.urls = urls,
		.fetch = fetch,
		.cache_dir = dir,
		.one_shot = true,
		.insecure_trust_root = machines[0].pki.cert[FORGE_ROOT].p,
		.insecure_trust_root_len = machines[0].pki.cert[FORGE_ROOT].len};
	struct ratls_source *s = new_source(GOOD, NULL, dir);
	struct ratls_endorsements *e = NULL;
	struct buf file = {0};
	char path[96], *at;

	(void)state;
	assert_true(has(s, 0, NULL));
	ratls_source_free(s);
	snprintf(path, sizeof(path), "%s/0d57ac000000-platform.json", dir);
	assert_int_equal(file_read(path, 1 << 20, &file, NULL), RATLS_OK);
	at = memmem(file.p, file.len, "\"fetched\": \"", 12);
	assert_non_null(at);
	memcpy(at + 12, "2001", 4);
	assert_int_equal(file_write(path, file.p, file.len, 0600, NULL), RATLS_OK);
	weather.all_silent = true;
	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	assert_int_equal(ratls_source_endorse(s, evidence[0], now, &e, NULL), RATLS_OK);
	assert_non_null(e->remark);
	assert_non_null(strstr(e->remark, "nobody answers"));
	ratls_endorsements_free(e);
	ratls_source_free(s);
	/* When the service is back, it is refreshed before it is given, and kept. */
	weather.all_silent = false;
	assert_int_equal(ratls_source_new(&o, &s, NULL), RATLS_OK);
	assert_int_equal(ratls_source_endorse(s, evidence[0], now, &e, NULL), RATLS_OK);
	assert_null(e->remark);
	assert_string_equal(e->source, GOOD);
	ratls_endorsements_free(e);
	ratls_source_free(s);
	weather.requests = 0;
	s = new_source(GOOD, NULL, dir);
	assert_true(has(s, 0, NULL));
	assert_int_equal(weather.requests, 0);
	ratls_source_free(s);
	buf_done(&file);
}

/* What appraisal would not accept is not kept. */
static void what_is_not_sound_is_not_kept(void **state)
{
	struct ratls_source *s = new_source(BAD, NULL, dir);
	DIR *d;
	size_t n = 0;

	(void)state;
	weather.fault = WRONG_CHAIN;
	weather.path = items[1].path;
	assert_false(has(s, 0, NULL));
	ratls_source_free(s);
	d = opendir(dir);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_fault_at_every_item_is_undetermined, clear),
		cmocka_unit_test_setup(a_thousand_callers_cause_one_fetch_of_each_item, clear),
		cmocka_unit_test_setup(a_thousand_callers_learn_of_one_failure, clear),
		cmocka_unit_test_setup(nobody_is_asked_about_who_is_not_of_the_root, clear),
		cmocka_unit_test_setup_teardown(
			what_was_fetched_outlives_the_program_and_the_service, with_folder, without_folder),
		cmocka_unit_test_setup_teardown(what_is_old_and_cannot_be_refreshed_is_used_with_a_warning,
			with_folder, without_folder),
		cmocka_unit_test_setup_teardown(what_is_not_sound_is_not_kept, with_folder, without_folder),
	};

	return cmocka_run_group_tests(tests, make, done);
}
