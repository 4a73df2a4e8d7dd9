/* SPDX-License-Identifier: Apache-2.0
 *
 * Intel Trust Authority through a transport that answers from memory: what is asked, what is kept, and every
 * fault at every item.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../appraisal/mint.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "appraisal/report.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/reason.h"
#include "evidence/evidence.h"
#include "forged_service.h"
#include "simulator/forge.h"
#include "source/ita.h"
#include "source/ita_keys.h"
#include "source/pause.h"
#include "source/verify.h"

#define NOW     INT64_C(1751600000)
#define API     "https://api.example"
#define API_KEY "djE6c2VjcmV0LWtleQ=="

enum item { NONCE, TOKEN, KEYS, ROOT_LIST, CA_LIST, ITEMS };

static const char *const names[ITEMS] = {"nonce", "token", "key set", "revocation list", "revocation list"};

/* What an item answers in place of a good answer. */
struct fault {
	int rc; /* of the transport, with reason */
	int reason;
	long status;
	const char *headers, *body;
	size_t large;   /* a body of so many bytes */
	unsigned times; /* 0: always */
};

struct service {
	struct mint mint;
	atomic_uint asked[ITEMS];
	enum item at;
	const struct fault *fault; /* of item `at`; NULL: none */
	atomic_uint elsewhere;     /* requests to any other URL */
	atomic_int hangs; /* an item that does not answer while it is this one and somebody waits; or ITEMS */
	atomic_long patience[ITEMS]; /* ms: the timeout of the last question */
	pthread_mutex_t lock;        /* of what follows */
	bool saw_key[ITEMS];
	char body[200000];
};

static int find_item(const char *url)
{
	static const char *const urls[ITEMS] = {API "/appraisal/v2/nonce", API "/appraisal/v2/attest",
		MINT_KEYS_URL, MINT_PORTAL "/root.crl", MINT_PORTAL "/ca.crl"};

	for (int i = 0; i < ITEMS; i++)
		if (strcmp(url, urls[i]) == 0)
			return i;
	return -1;
}

static int reply(
	struct ratls_http_response *ret, long status, const char *headers, const void *body, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	memcpy(copy, body, len);
	copy[len] = '\0';
	*ret = (struct ratls_http_response){
		.status = status, .headers = strdup(headers), .body = copy, .body_len = len};
	return RATLS_OK;
}

static int reply_json(struct ratls_http_response *ret, const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	int rc = reply(ret, 200, "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n", text,
		strlen(text));

	free(text);
	return rc;
}

static int reply_fault(const struct fault *f, struct ratls_http_response *ret, struct ratls_error *err)
{
	const char *headers =
		f->headers != NULL ? f->headers : "HTTP/1.1 200 X\r\nContent-Type: application/json\r\n";
	const char *body = f->body != NULL ? f->body : "";
	char *large;
	int rc;

	if (f->rc != RATLS_OK)
		return err_reason(err, f->rc, f->reason, "the line is cut");
	if (f->large == 0)
		return reply(ret, f->status != 0 ? f->status : 200, headers, body, strlen(body));
	large = malloc(f->large);
	memset(large, ' ', f->large);
	rc = reply(ret, 200, headers, large, f->large);
	free(large);
	return rc;
}

static void note(struct service *s, int item, const struct ratls_http_request *q)
{
	pthread_mutex_lock(&s->lock);
	for (const char *const *h = q->headers; h != NULL && *h != NULL; h++)
		if (strcmp(*h, "x-api-key: " API_KEY) == 0)
			s->saw_key[item] = true;
	if (item == TOKEN && strcmp(q->method, "POST") == 0 && q->body_len < sizeof(s->body)) {
		memcpy(s->body, q->body, q->body_len);
		s->body[q->body_len] = '\0';
	}
	pthread_mutex_unlock(&s->lock);
}

static int fetch(void *self, const struct ratls_http_request *q, struct ratls_http_response *ret,
	struct ratls_error *err)
{
	struct service *s = self;
	int item = find_item(q->url);
	unsigned before;
	json_t *token;
	int rc;

	if (item < 0) {
		atomic_fetch_add(&s->elsewhere, 1);
		return err_set(err, RATLS_E_UNAVAILABLE, "nobody is at %s", q->url);
	}
	atomic_store(&s->patience[item], q->timeout_ms);
	before = atomic_fetch_add(&s->asked[item], 1);
	while (atomic_load(&s->hangs) == item)
		if (q->stop != NULL && q->stop(q->stop_self))
			return err_set(err, RATLS_E_UNAVAILABLE, "nobody waits");
		else
			sched_yield();
	if (item == NONCE || item == TOKEN)
		note(s, item, q);
	else
		assert_true(q->headers == NULL || q->headers[0] == NULL); /* others never see the key */
	if (s->fault != NULL && s->at == (enum item)item &&
		(s->fault->times == 0 || before < s->fault->times))
		return reply_fault(s->fault, ret, err);
	switch (item) {
	case NONCE:
		return reply_json(ret, s->mint.nonce);
	case TOKEN:
		token = json_pack("{s:s}", "token", s->mint.token);
		rc = reply_json(ret, token);
		json_decref(token);
		return rc;
	case KEYS:
		return reply_json(ret, s->mint.jwks);
	default:
		return reply(ret, 200, "HTTP/1.1 200 OK\r\n", s->mint.lists[item - ROOT_LIST].p,
			s->mint.lists[item - ROOT_LIST].len);
	}
}

/* ---- a machine, a service, a client -------------------------------------------------------------------- */

struct world {
	struct forge_machine machine;
	struct forge_chain_made chain;
	struct ratls_evidence *evidence;
	struct service service;
	struct ratls_ita *ita;
	struct ratls_verifier *verifier;
	struct ratls_policy *policy;
	int64_t at;
};

static const uint8_t seed[FORGE_SEED_SIZE] = "ita";
static EVP_PKEY *key, *other_key;

static int make_key(void **state)
{
	(void)state;
	key = forge_key(seed, "leaf");
	other_key = forge_key(seed, "other");
	return key != NULL && other_key != NULL ? 0 : -1;
}

static int free_key(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	mint_keys_done();
	return 0;
}

static struct ratls_ita_options client_options(struct world *w)
{
	return (struct ratls_ita_options){.size = sizeof(struct ratls_ita_options),
		.url = API,
		.portal = MINT_PORTAL,
		.api_key = API_KEY,
		.fetch = fetch,
		.fetch_self = &w->service,
		.insecure_trust_root = w->machine.pki.cert[FORGE_ROOT].p,
		.insecure_trust_root_len = w->machine.pki.cert[FORGE_ROOT].len};
}

static void world_begin_as(struct world *w, EVP_PKEY *quoted, const struct forge_options *o)
{
	struct forge_leaf leaf = {.key = key, .quoted_key = quoted, .now = NOW, .server_auth = true};
	struct ratls_ita_options options;

	memset(w, 0, sizeof(*w));
	w->at = NOW;
	pthread_mutex_init(&w->service.lock, NULL);
	w->service.hangs = ITEMS;
	assert_int_equal(forge_machine_make(o, &w->machine, NULL), RATLS_OK);
	assert_int_equal(forge_machine_certificate(&w->machine, &leaf, &w->chain, NULL), RATLS_OK);
	assert_int_equal(
		ratls_evidence_from_certificate(w->chain.cert[0].p, w->chain.cert[0].len, &w->evidence, NULL),
		RATLS_OK);
	mint_init(&w->service.mint, &w->evidence->quote.td, NOW);
	mint_make_keys(&w->service.mint);
	mint_sign(&w->service.mint);
	options = client_options(w);
	assert_int_equal(ratls_ita_new(&options, &w->ita, NULL), RATLS_OK);
	assert_int_equal(ratls_verifier_new(NULL, w->ita, &w->verifier, NULL), RATLS_OK);
}

static void world_begin(struct world *w, EVP_PKEY *quoted)
{
	struct forge_options o;

	forge_defaults(&o, seed, NOW);
	world_begin_as(w, quoted, &o);
}

static void world_end(struct world *w)
{
	ratls_verifier_free(w->verifier);
	ratls_policy_free(w->policy);
	ratls_ita_free(w->ita);
	mint_done(&w->service.mint);
	pthread_mutex_destroy(&w->service.lock);
	ratls_evidence_free(w->evidence);
	forge_chain_done(&w->chain);
	forge_machine_done(&w->machine);
}

static struct ratls_report *verify(struct world *w)
{
	static const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_report *report = NULL;

	assert_int_equal(ratls_verifier_verify(w->verifier, w->evidence, w->policy, &binding, w->at, &report, NULL),
		RATLS_OK);
	assert_null(strstr(ratls_report_json(report), API_KEY));
	return report;
}

static void expect(struct world *w, int reason, const char *says)
{
	struct ratls_report *report = verify(w);

	if (report_reason(report) != reason || ratls_report_accepted(report) != (reason == 0) ||
		strstr(ratls_report_message(report), says) == NULL)
		fail_msg("TQ-%04d %s", report_reason(report), ratls_report_message(report));
	ratls_report_free(report);
}

/* ---- tests --------------------------------------------------------------------------------------------- */

static void a_good_machine_is_accepted(void **state)
{
	struct buf quote = {0};
	const json_t *tdx;
	struct world w;
	json_t *body;

	(void)state;
	world_begin(&w, NULL);
	expect(&w, 0, "accepted");
	for (int i = 0; i < ITEMS; i++)
		assert_int_equal(w.service.asked[i], 1);
	assert_true(w.service.saw_key[NONCE] && w.service.saw_key[TOKEN]);
	body = json_loads(w.service.body, 0, NULL);
	tdx = json_object_get(body, "tdx");
	assert_string_equal(json_string_value(json_object_get(body, "token_signing_alg")), "PS384");
	assert_int_equal(json_object_size(tdx), 3);
	assert_true(json_string_length(json_object_get(tdx, "event_log")) > 0);
	assert_true(json_equal(json_object_get(tdx, "verifier_nonce"), w.service.mint.nonce));
	assert_true(base64_decode(json_string_value(json_object_get(tdx, "quote")),
		json_string_length(json_object_get(tdx, "quote")), &quote));
	assert_true(cur_is(&w.evidence->quote.whole, quote.p, quote.len));
	buf_done(&quote);
	json_decref(body);
	world_end(&w);
}

/* Keys and lists are kept; nonce and token are asked for each time. */
static void what_holds_is_kept(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, NULL);
	for (int i = 0; i < 3; i++)
		expect(&w, 0, "accepted");
	assert_int_equal(w.service.asked[NONCE], 3);
	assert_int_equal(w.service.asked[TOKEN], 3);
	assert_int_equal(w.service.asked[KEYS], 1);
	assert_int_equal(w.service.asked[ROOT_LIST], 1);
	assert_int_equal(w.service.asked[CA_LIST], 1);
	world_end(&w);
}

/* Neither a forged quote nor one of another key makes us ask: the service counts questions. */
static void nobody_is_asked_about_a_forgery(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, other_key);
	expect(&w, REASON_BINDING_KEY, "belongs to another key");
	assert_int_equal(w.service.asked[NONCE], 0);
	world_end(&w);
	world_begin(&w, NULL);
	((uint8_t *)w.evidence->quote.td.mrtd.p)[0] ^= 1;
	expect(&w, REASON_QUOTE_SIGNATURE, "did not sign this quote");
	assert_int_equal(w.service.asked[NONCE], 0);
	world_end(&w);
}

/* From here on Intel's collateral is asked for, too. To be freed after the world. */
static struct ratls_source *ask_both(struct world *w, struct forged_service *collateral)
{
	const char *urls[] = {"https://pccs.example", NULL};
	struct ratls_source_options options = {.size = sizeof(options),
		.urls = urls,
		.fetch = forged_service_fetch,
		.fetch_self = collateral,
		.insecure_trust_root = w->machine.pki.cert[FORGE_ROOT].p,
		.insecure_trust_root_len = w->machine.pki.cert[FORGE_ROOT].len};
	struct ratls_source *source = NULL;

	collateral->machine = &w->machine;
	assert_int_equal(ratls_source_new(&options, &source, NULL), RATLS_OK);
	ratls_verifier_free(w->verifier);
	assert_int_equal(ratls_verifier_new(source, w->ita, &w->verifier, NULL), RATLS_OK);
	return source;
}

static void want_another_mrtd(struct world *w)
{
	char policy[160];
	int len = snprintf(policy, sizeof(policy), "{\"schema\":\"teesql.policy/1\",\"mrtd\":[\"%096d\"]}", 0);

	assert_int_equal(ratls_policy_from_json(policy, (size_t)len, &w->policy, NULL), RATLS_OK);
}

static struct report_check find_check(const struct ratls_report *report, const char *id)
{
	struct report_check c;

	for (size_t i = 0; report_check_at(report, i, &c); i++)
		if (strcmp(c.id, id) == 0)
			return c;
	fail_msg("no check %s", id);
	return c;
}

/* One machine that is not wanted must not use up what all others need: it is refused for what it is, and that
 * Intel Trust Authority was not asked is told in its own rows. */
static void nobody_is_asked_about_whom_the_policy_refuses(void **state)
{
	struct ratls_report *report;
	struct forge_options o;
	struct world w;

	(void)state;
	world_begin(&w, NULL);
	want_another_mrtd(&w);
	expect(&w, REASON_POLICY_MRTD, "MRTD is not in the allowlist");
	report = verify(&w);
	assert_int_equal(ratls_report_class(report), CLASS_POLICY);
	assert_int_equal(find_check(report, "ita.token.present").status, CHECK_UNKNOWN);
	assert_non_null(strstr(find_check(report, "ita.token.present").hint, "was not asked"));
	ratls_report_free(report);
	assert_int_equal(w.service.asked[NONCE], 0);
	world_end(&w);

	forge_defaults(&o, seed, NOW);
	o.quote.td.td_attributes[0] |= FORGE_TD_DEBUG;
	world_begin_as(&w, NULL, &o);
	expect(&w, REASON_TD_DEBUG, "debug mode");
	assert_int_equal(w.service.asked[NONCE], 0);
	world_end(&w);

	world_begin(&w, NULL);
	w.at = w.evidence->not_after + 1;
	expect(&w, REASON_CERTIFICATE_TIME, "held until");
	assert_int_equal(w.service.asked[NONCE], 0);
	world_end(&w);
}

/* What Intel's collateral does not vouch for is refused whatever the other says. */
static void both_are_asked_only_while_both_count(void **state)
{
	struct forged_service collateral = {.status = 503};
	struct ratls_source *source;
	struct world w;

	(void)state;
	world_begin(&w, NULL);
	source = ask_both(&w, &collateral);
	expect(&w, REASON_COLLATERAL_UNAVAILABLE, "HTTP status 503");
	want_another_mrtd(&w);
	expect(&w, REASON_COLLATERAL_UNAVAILABLE, "HTTP status 503");
	world_end(&w);
	ratls_source_free(source);
	collateral.status = 0;
	world_begin(&w, NULL);
	source = ask_both(&w, &collateral);
	want_another_mrtd(&w);
	expect(&w, REASON_POLICY_MRTD, "MRTD is not in the allowlist");
	assert_int_equal(w.service.asked[NONCE], 0);
	world_end(&w);
	ratls_source_free(source);
}

/* A quote that names its PCK certificate is whose that is; while nobody knows whose, nobody is asked. */
static void a_named_certificate_comes_with_the_collateral(void **state)
{
	struct forged_service collateral = {.status = 0};
	struct ratls_source *source;
	struct forge_options o;
	struct world w;

	(void)state;
	forge_defaults(&o, seed, NOW);
	o.quote.names_pck = true;
	world_begin_as(&w, NULL, &o);
	expect(&w, REASON_PCK_PRESENT,
		"the quote names its certificate, and Intel Trust Authority alone does not give it");
	assert_int_equal(w.service.asked[NONCE], 0);

	source = ask_both(&w, &collateral);
	expect(&w, 0, "accepted");
	assert_int_equal(w.service.asked[TOKEN], 1);
	((uint8_t *)w.evidence->quote.td.mrtd.p)[0] ^= 1;
	expect(&w, REASON_QUOTE_SIGNATURE, "did not sign this quote");
	assert_int_equal(w.service.asked[TOKEN], 1);
	world_end(&w);
	ratls_source_free(source);
}

/* A token that names keys elsewhere is refused, and nobody goes there. */
static void a_poisoned_jku_is_not_followed(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, NULL);
	json_object_set_new(w.service.mint.header, "jku", json_string("https://evil.example/certs"));
	mint_sign(&w.service.mint);
	expect(&w, REASON_ITA_LOCATION, "names keys at https://evil.example/certs");
	assert_int_equal(w.service.elsewhere, 0);
	world_end(&w);
}

static const struct fault_row {
	const char *name;
	struct fault fault;
	int reason[ITEMS]; /* 0: the row is not about this item */
	const char *says;  /* $ stands for the name of the item */
	unsigned tries;
} faults[] = {
	{"401", {.status = 401},
		{REASON_ITA_API_KEY, REASON_ITA_API_KEY, REASON_ITA_API_KEY, REASON_ITA_CRL, REASON_ITA_CRL},
		"does not accept the API key ($, HTTP status 401)", 1},
	{"403", {.status = 403, .body = "{\"error\":\"Forbidden\"}"},
		{REASON_ITA_API_KEY, REASON_ITA_API_KEY}, "($, HTTP status 403): Forbidden", 1},
	{"429", {.status = 429, .headers = "HTTP/1.1 429 X\r\nRetry-After: 30\r\n"},
		{REASON_ITA_RATE, REASON_ITA_RATE, REASON_ITA_RATE, REASON_ITA_CRL, REASON_ITA_CRL},
		"no more requests for now ($, HTTP status 429, retry after 30 s)", 1},
	{"400",
		{.status = 400,
			.body = "{\"message\":\"quote is invalid\"}",
			.headers = "HTTP/1.1 400 X\r\ntrace-id: 7f\r\n"},
		{REASON_ITA_REQUEST, REASON_ITA_REQUEST, REASON_ITA_REQUEST, REASON_ITA_CRL, REASON_ITA_CRL},
		"refused the request ($, HTTP status 400, trace-id 7f): quote is invalid", 1},
	{"404", {.status = 404, .body = "<html>"},
		{REASON_ITA_REQUEST, REASON_ITA_REQUEST, REASON_ITA_REQUEST, REASON_ITA_CRL, REASON_ITA_CRL},
		"refused the request ($, HTTP status 404)", 1},
	{"302", {.status = 302}, {REASON_ITA_REQUEST, REASON_ITA_REQUEST, REASON_ITA_REQUEST},
		"HTTP status 302", 1},
	{"500", {.status = 500, .headers = "HTTP/1.1 500 X\r\nRetry-After: 0\r\n"},
		{REASON_ITA_SERVICE, REASON_ITA_SERVICE, REASON_ITA_SERVICE, REASON_ITA_CRL, REASON_ITA_CRL},
		"failed ($, HTTP status 500)", 3},
	{"502", {.status = 502}, {REASON_ITA_SERVICE, REASON_ITA_SERVICE, REASON_ITA_SERVICE},
		"failed ($, HTTP status 502)", 1},
	{"503", {.status = 503, .headers = "HTTP/1.1 503 X\r\nRetry-After: 0\r\n"},
		{REASON_ITA_SERVICE, REASON_ITA_SERVICE, REASON_ITA_SERVICE, REASON_ITA_CRL, REASON_ITA_CRL},
		"failed ($, HTTP status 503)", 3},
	{"503, much later", {.status = 503, .headers = "HTTP/1.1 503 X\r\nRetry-After: 3600\r\n"},
		{REASON_ITA_SERVICE, REASON_ITA_SERVICE, REASON_ITA_SERVICE}, "failed ($, HTTP status 503)",
		1},
	{"504", {.status = 504, .headers = "HTTP/1.1 504 X\r\nRetry-After: 0\r\n"},
		{REASON_ITA_SERVICE, REASON_ITA_SERVICE, REASON_ITA_SERVICE}, "failed ($, HTTP status 504)",
		3},
	{"key in the answer", {.status = 401, .body = "{\"error\":\"bad key " API_KEY "\"}"},
		{REASON_ITA_API_KEY, REASON_ITA_API_KEY}, "($, HTTP status 401)", 1},
	{"escapes in the answer", {.status = 400, .body = "{\"error\":\"\\u001b[2J\"}"},
		{REASON_ITA_REQUEST, REASON_ITA_REQUEST}, "($, HTTP status 400)", 1},
	{"timeout", {.rc = RATLS_E_UNAVAILABLE, .reason = REASON_SERVICE_TIMEOUT},
		{REASON_SERVICE_TIMEOUT, REASON_SERVICE_TIMEOUT, REASON_SERVICE_TIMEOUT, REASON_ITA_CRL,
			REASON_ITA_CRL},
		"could not obtain the $ from Intel Trust Authority: the line is cut", 1},
	{"too large on the way", {.rc = RATLS_E_UNAVAILABLE, .reason = REASON_SERVICE_SIZE},
		{REASON_SERVICE_SIZE, REASON_SERVICE_SIZE, REASON_SERVICE_SIZE, REASON_ITA_CRL,
			REASON_ITA_CRL},
		"the line is cut", 1},
	{"unreachable", {.rc = RATLS_E_UNAVAILABLE},
		{REASON_ITA_UNREACHABLE, REASON_ITA_UNREACHABLE, REASON_ITA_UNREACHABLE, REASON_ITA_CRL,
			REASON_ITA_CRL},
		"could not obtain the $ from Intel Trust Authority: the line is cut", 1},
	{"too large", {.large = 400000},
		{REASON_SERVICE_SIZE, REASON_SERVICE_SIZE, REASON_SERVICE_SIZE, REASON_ITA_CRL,
			REASON_ITA_CRL},
		"answered with more than", 1},
	{"wrong content",
		{.headers = "HTTP/1.1 200 X\r\nContent-Type: text/html\r\n", .body = "<html>welcome"},
		{REASON_ITA_CONTENT, REASON_ITA_CONTENT}, "answered with text/html, not with JSON ($)", 1},
	{"empty", {.body = ""}, {REASON_ITA_ANSWER, REASON_ITA_ANSWER}, "($): it is not a JSON object", 1},
	{"no JSON", {.body = "{\"val\":"}, {REASON_ITA_ANSWER, REASON_ITA_ANSWER},
		"($): it is not a JSON object", 1},
	{"array", {.body = "[]"}, {REASON_ITA_ANSWER, REASON_ITA_ANSWER}, "($): it is not a JSON object", 1},
	{"no members", {.body = "{}"}, {REASON_ITA_ANSWER, REASON_ITA_ANSWER}, "($): it has other members",
		1},
	{"too many members", {.body = "{\"token\":\"a\",\"b\":\"b\",\"c\":\"c\",\"d\":\"d\"}"},
		{REASON_ITA_ANSWER, REASON_ITA_ANSWER}, "($): it has other members", 1},
	{"twice", {.body = "{\"token\":\"a\",\"token\":\"b\"}"}, {REASON_ITA_ANSWER, REASON_ITA_ANSWER},
		"($): it is not a JSON object", 1},
	{"nonce of numbers", {.body = "{\"val\":1,\"iat\":2,\"signature\":3}"}, {REASON_ITA_ANSWER},
		"val, iat and signature are not base64", 1},
	{"nonce no base64", {.body = "{\"val\":\"?\",\"iat\":\"AA==\",\"signature\":\"AA==\"}"},
		{REASON_ITA_ANSWER}, "val, iat and signature are not base64", 1},
	{"token a number", {.body = "{\"token\":7}"}, {0, REASON_ITA_ANSWER}, "it has no token", 1},
	{"token empty", {.body = "{\"token\":\"\"}"}, {0, REASON_ITA_FORMAT}, "the token is empty", 1},
	{"keys are HTML", {.body = "<html>"}, {0, 0, REASON_ITA_KEYS}, "could not use the key set", 1},
	{"keys empty", {.body = "{\"keys\":[]}"}, {0, 0, REASON_ITA_KEYS}, "jwks.keys does not have", 1},
	{"list is HTML", {.body = "<html>"}, {0, 0, 0, REASON_ITA_CRL, REASON_ITA_CRL},
		"is no revocation list", 1},
};

static void run_fault(const struct fault_row *row, enum item item)
{
	struct ratls_report *report;
	char says[200];
	struct world w;

	world_begin(&w, NULL);
	w.service.fault = &row->fault;
	w.service.at = item;
	report = verify(&w);
	snprintf(says, sizeof(says), "%.*s%s%s", (int)strcspn(row->says, "$"), row->says,
		strchr(row->says, '$') != NULL ? names[item] : "",
		strchr(row->says, '$') != NULL ? strchr(row->says, '$') + 1 : "");
	if (report_reason(report) != row->reason[item] || strstr(ratls_report_message(report), says) == NULL)
		fail_msg("%s, %s: TQ-%04d %s", row->name, names[item], report_reason(report),
			ratls_report_message(report));
	assert_false(ratls_report_accepted(report));
	assert_int_equal(ratls_report_class(report), CLASS_UNDETERMINED);
	if (w.service.asked[item] != row->tries)
		fail_msg("%s, %s: %u tries", row->name, names[item], w.service.asked[item]);
	ratls_report_free(report);
	world_end(&w);
}

static void every_fault_at_every_item(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		for (enum item item = 0; item < ITEMS; item++)
			if (faults[i].reason[item] != 0)
				run_fault(&faults[i], item);
}

/* Two failures of the right kind are survived, at every item. */
static void what_helps_is_tried_again(void **state)
{
	static const struct fault twice = {
		.status = 503, .headers = "HTTP/1.1 503 X\r\nRetry-After: 0\r\n", .times = 2};

	(void)state;
	for (enum item item = 0; item < ITEMS; item++) {
		struct world w;

		world_begin(&w, NULL);
		w.service.fault = &twice;
		w.service.at = item;
		expect(&w, 0, "accepted");
		assert_int_equal(w.service.asked[item], 3);
		world_end(&w);
	}
}

/* A key that nobody has makes us ask once; right after a fetch not even that, and known keys serve on. */
static void an_unknown_key_is_asked_for_at_bounded_rate(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, NULL);
	json_object_set_new(w.service.mint.header, "kid", json_string("key-9"));
	mint_sign(&w.service.mint);
	for (int i = 0; i < 5; i++)
		expect(&w, REASON_ITA_KEY, "has no key \"key-9\"");
	assert_int_equal(w.service.asked[KEYS], 1);
	assert_int_equal(w.service.asked[CA_LIST], 0);
	json_object_set_new(w.service.mint.header, "kid", json_string(MINT_KID));
	mint_sign(&w.service.mint);
	expect(&w, 0, "accepted");
	assert_int_equal(w.service.asked[KEYS], 1);
	world_end(&w);
}

/* ---- keys and lists as time goes by -------------------------------------------------------------------- */

static int64_t now_ms;

static int64_t test_clock(void)
{
	return now_ms;
}

static struct ita_keys *keys_begin(struct world *w)
{
	struct transport transport = {.fetch = fetch, .fetch_self = &w->service};
	struct ita_keys *k;

	world_begin(w, NULL);
	now_ms = clock_monotonic_ms();
	k = ita_keys_new(&transport, MINT_KEYS_URL, test_clock);
	assert_non_null(k);
	return k;
}

static void keys_end(struct world *w, struct ita_keys *k)
{
	ita_keys_free(k);
	world_end(w);
}

static void publish(struct world *w, const char *kid)
{
	json_t *jwk = json_array_get(json_object_get(w->service.mint.jwks, "keys"), 0);

	json_object_set_new(jwk, "kid", json_string(kid));
}

/* 1: there is such a key; 0: there is none in the newest set; a reason: nobody knows. */
static int ask_key(struct ita_keys *k, const char *kid)
{
	struct ratls_error err = {0};
	struct jwks *set = NULL;
	int found;

	if (ita_keys_get(k, kid, now_ms + 60000, &set, &err) != RATLS_OK)
		return err.reason;
	found = jwks_find(set, kid) != NULL;
	jwks_free(set);
	return found;
}

/* The service may sign with a new key before a set that was kept has it: the set is asked for anew. */
static void keys_rotate(void **state)
{
	struct world w;
	struct ita_keys *k = keys_begin(&w);

	(void)state;
	assert_int_equal(ask_key(k, MINT_KID), 1);
	publish(&w, "key-2");
	now_ms += ITA_REFETCH_MS - 1;
	assert_int_equal(ask_key(k, "key-2"), 0);
	now_ms += 1;
	assert_int_equal(ask_key(k, "key-2"), 1);
	assert_int_equal(w.service.asked[KEYS], 2);
	assert_int_equal(ask_key(k, MINT_KID), 0); /* it was withdrawn */
	now_ms += ITA_KEYS_FRESH_MS - 1;
	assert_int_equal(ask_key(k, "key-2"), 1);
	assert_int_equal(w.service.asked[KEYS], 2);
	now_ms += 1;
	assert_int_equal(ask_key(k, "key-2"), 1);
	assert_int_equal(w.service.asked[KEYS], 3);
	keys_end(&w, k);
}

/* Known keys serve for a day; of an unknown one nothing is known; after a failure there is a pause. */
static void old_keys_serve_while_the_portal_is_away(void **state)
{
	static const struct fault away = {.rc = RATLS_E_UNAVAILABLE};
	struct world w;
	struct ita_keys *k = keys_begin(&w);

	(void)state;
	assert_int_equal(ask_key(k, MINT_KID), 1);
	w.service.fault = &away;
	w.service.at = KEYS;
	now_ms += ITA_REFETCH_MS;
	assert_int_equal(ask_key(k, "key-2"), REASON_ITA_UNREACHABLE);
	assert_int_equal(ask_key(k, "key-2"), REASON_ITA_UNREACHABLE);
	assert_int_equal(w.service.asked[KEYS], 2);
	now_ms += ITA_KEYS_FRESH_MS;
	assert_int_equal(ask_key(k, MINT_KID), 1);
	assert_int_equal(w.service.asked[KEYS], 3);
	now_ms += ITA_PAUSE_MS - 1;
	assert_int_equal(ask_key(k, MINT_KID), 1);
	assert_int_equal(w.service.asked[KEYS], 3);
	now_ms += ITA_KEYS_MAX_MS;
	assert_int_equal(ask_key(k, MINT_KID), REASON_ITA_UNREACHABLE);
	w.service.fault = NULL;
	assert_int_equal(ask_key(k, MINT_KID), REASON_ITA_UNREACHABLE);
	now_ms += ITA_PAUSE_MS;
	assert_int_equal(ask_key(k, MINT_KID), 1);
	keys_end(&w, k);
}

static size_t ask_lists(struct ita_keys *k, int64_t at)
{
	struct ita_lists lists;
	struct jwks *set = NULL;
	size_t n;

	assert_int_equal(ita_keys_get(k, MINT_KID, now_ms + 60000, &set, NULL), RATLS_OK);
	assert_int_equal(
		ita_keys_lists(k, jwks_find(set, MINT_KID), at, now_ms + 60000, &lists, NULL), RATLS_OK);
	n = lists.n;
	assert_int_equal(lists.missing[0] == '\0', n == 2);
	ita_lists_done(&lists);
	jwks_free(set);
	return n;
}

/* A list is kept until it ends, and asked for once a day; whatever becomes of its server, it serves till
 * then. */
static void lists_are_kept_until_they_end(void **state)
{
	static const struct fault away = {.rc = RATLS_E_UNAVAILABLE};
	int64_t end = NOW + 7 * 86400;
	struct world w;
	struct ita_keys *k = keys_begin(&w);

	(void)state;
	assert_int_equal(ask_lists(k, NOW), 2);
	w.service.fault = &away;
	w.service.at = CA_LIST;
	now_ms += ITA_LISTS_FRESH_MS;
	assert_int_equal(ask_lists(k, end), 2);
	assert_int_equal(w.service.asked[CA_LIST], 2);
	assert_int_equal(ask_lists(k, end), 2); /* in the pause */
	assert_int_equal(w.service.asked[CA_LIST], 2);
	assert_int_equal(ask_lists(k, end + 1), 0); /* of the leaf's issuer: the first that is asked for */
	w.service.fault = NULL;
	now_ms += ITA_PAUSE_MS;
	assert_int_equal(ask_lists(k, NOW), 2);
	assert_int_equal(w.service.asked[CA_LIST], 3);
	keys_end(&w, k);
}

/* ---- a portal that hangs ------------------------------------------------------------------------------- */

struct asker {
	pthread_t thread;
	struct world *world;
	struct ita_keys *keys;
	int result;
};

static void *ask_key_aside(void *arg)
{
	struct asker *a = arg;

	a->result = ask_key(a->keys, MINT_KID);
	return NULL;
}

static void *ask_lists_aside(void *arg)
{
	struct asker *a = arg;

	a->result = (int)ask_lists(a->keys, NOW);
	return NULL;
}

/* Somebody asks, and gets no answer yet. */
static void hang(struct asker *a, void *(*run)(void *), enum item item)
{
	unsigned before = a->world->service.asked[item];

	a->world->service.hangs = item;
	assert_int_equal(pthread_create(&a->thread, NULL, run, a), 0);
	while (a->world->service.asked[item] == before)
		sched_yield();
}

static void answer_again(struct asker *a)
{
	a->world->service.hangs = ITEMS;
	pthread_join(a->thread, NULL);
}

/* While one waits for an answer, the others have what is in memory. */
static void what_serves_is_given_while_the_portal_hangs(void **state)
{
	struct world w;
	struct ita_keys *k = keys_begin(&w);
	struct asker a = {.world = &w, .keys = k};

	(void)state;
	assert_int_equal(ask_lists(k, NOW), 2);
	now_ms += ITA_KEYS_FRESH_MS;
	hang(&a, ask_key_aside, KEYS);
	assert_int_equal(ask_key(k, MINT_KID), 1);
	assert_int_equal(ask_lists(k, NOW), 2);
	answer_again(&a);
	assert_int_equal(a.result, 1);
	assert_int_equal(w.service.asked[KEYS], 2);

	now_ms += ITA_LISTS_FRESH_MS - ITA_KEYS_FRESH_MS;
	assert_int_equal(ask_key(k, MINT_KID), 1);
	hang(&a, ask_lists_aside, CA_LIST);
	assert_int_equal(ask_key(k, MINT_KID), 1);
	assert_int_equal(ask_lists(k, NOW), 2);
	answer_again(&a);
	assert_int_equal(a.result, 2);
	assert_int_equal(w.service.asked[CA_LIST], 2);
	keys_end(&w, k);
}

/* Who has nothing waits for who asks, as long as it has time itself; and its lack of time is its own. */
static void who_has_nothing_waits_for_its_own_time(void **state)
{
	struct world w;
	struct ita_keys *k = keys_begin(&w);
	struct asker a = {.world = &w, .keys = k};
	struct ratls_error err = {0};
	struct jwks *set = NULL;

	(void)state;
	assert_int_equal(ita_keys_get(k, MINT_KID, now_ms, &set, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_SERVICE_TIMEOUT);
	hang(&a, ask_key_aside, KEYS);
	assert_int_equal(ita_keys_get(k, MINT_KID, now_ms, &set, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_SERVICE_TIMEOUT);
	assert_null(set);
	answer_again(&a);
	assert_int_equal(a.result, 1);
	assert_int_equal(w.service.asked[KEYS], 1);
	keys_end(&w, k);
}

/* ---- how long it takes --------------------------------------------------------------------------------- */

/* Less than connections wait for a verdict, whatever else that verdict has to wait for. */
static void no_question_outlasts_the_verdict(void **state)
{
	struct ita_token *token = NULL;
	struct ratls_error err = {0};
	struct world w;

	(void)state;
	world_begin(&w, NULL);
	expect(&w, 0, "accepted");
	for (int i = 0; i < ITEMS; i++)
		assert_true(w.service.patience[i] > 0 && w.service.patience[i] <= ITA_DEADLINE_MS);
	assert_int_equal(
		ita_ask(w.ita, w.evidence, NOW, clock_monotonic_ms() + 5000, &token, &err), RATLS_OK);
	ita_token_free(token);
	assert_true(w.service.patience[TOKEN] <= 5000);
	token = NULL;
	assert_int_equal(
		ita_ask(w.ita, w.evidence, NOW, clock_monotonic_ms(), &token, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_SERVICE_TIMEOUT);
	expect(&w, 0, "accepted"); /* that one had no time left is its own affair */
	world_end(&w);
}

/* ---- the program ends ---------------------------------------------------------------------------------- */

static void *verify_aside(void *arg)
{
	struct asker *a = arg;
	struct ratls_report *report = verify(a->world);

	a->result = report_reason(report);
	ratls_report_free(report);
	return NULL;
}

static void questions_end_with_the_program(void **state)
{
	(void)state;
	for (enum item item = 0; item < ITEMS; item++) {
		struct world w;
		struct asker a = {.world = &w};

		world_begin(&w, NULL);
		hang(&a, verify_aside, item);
		ita_stop(w.ita);
		pthread_join(a.thread, NULL);
		assert_int_equal(a.result, item < ROOT_LIST ? REASON_ITA_UNREACHABLE : REASON_ITA_CRL);
		world_end(&w);
	}
}

/* Nobody waits for the moment at which a service wants to be asked again. */
static void waits_end_with_the_program(void **state)
{
	static const struct fault busy = {.status = 503, .headers = "HTTP/1.1 503 X\r\nRetry-After: 9\r\n"};
	struct world w;
	struct asker a = {.world = &w};

	(void)state;
	world_begin(&w, NULL);
	w.service.fault = &busy;
	w.service.at = NONCE;
	hang(&a, verify_aside, NONCE);
	w.service.hangs = ITEMS;
	ita_stop(w.ita);
	pthread_join(a.thread, NULL);
	assert_int_equal(w.service.asked[NONCE], 1);
	world_end(&w);
}

/* ---- pauses -------------------------------------------------------------------------------------------- */

static void expect_pause(const struct fault *fault, int reason, bool paused)
{
	unsigned asked;
	struct world w;

	world_begin(&w, NULL);
	w.service.fault = fault;
	w.service.at = TOKEN;
	expect(&w, reason, "");
	asked = w.service.asked[NONCE] + w.service.asked[TOKEN];
	expect(&w, reason, paused ? "(not asked again for " : "");
	assert_int_equal(w.service.asked[NONCE] + w.service.asked[TOKEN] == asked, paused);
	world_end(&w);
}

/* What says something of the service stops all questions for a while; what says something of a quote stops
 * none. */
static void a_service_that_refuses_is_left_alone(void **state)
{
	static const struct fault api_key = {.status = 401}, rate = {.status = 429}, down = {.status = 502},
				  late = {.rc = RATLS_E_UNAVAILABLE, .reason = REASON_SERVICE_TIMEOUT},
				  away = {.rc = RATLS_E_UNAVAILABLE}, quote = {.status = 400},
				  odd = {.body = "{}"};

	(void)state;
	expect_pause(&api_key, REASON_ITA_API_KEY, true);
	expect_pause(&rate, REASON_ITA_RATE, true);
	expect_pause(&down, REASON_ITA_SERVICE, true);
	expect_pause(&late, REASON_SERVICE_TIMEOUT, true);
	expect_pause(&away, REASON_ITA_UNREACHABLE, true);
	expect_pause(&quote, REASON_ITA_REQUEST, false);
	expect_pause(&odd, REASON_ITA_ANSWER, false);
}

static void without_a_nonce_none_is_asked_for(void **state)
{
	struct ratls_ita_options options;
	struct world w;
	json_t *body;

	(void)state;
	world_begin(&w, NULL);
	ratls_verifier_free(w.verifier);
	ratls_ita_free(w.ita);
	options = client_options(&w);
	options.insecure_no_nonce = true;
	assert_int_equal(ratls_ita_new(&options, &w.ita, NULL), RATLS_OK);
	assert_int_equal(ratls_verifier_new(NULL, w.ita, &w.verifier, NULL), RATLS_OK);
	expect(&w, 0, "accepted");
	assert_int_equal(w.service.asked[NONCE], 0);
	body = json_loads(w.service.body, 0, NULL);
	assert_null(json_object_get(json_object_get(body, "tdx"), "verifier_nonce"));
	json_decref(body);
	world_end(&w);
}

static void without_an_event_log_none_is_shown(void **state)
{
	struct ratls_ita_options options;
	struct world w;

	(void)state;
	world_begin(&w, NULL);
	ratls_verifier_free(w.verifier);
	ratls_ita_free(w.ita);
	options = client_options(&w);
	options.no_event_log = true;
	assert_int_equal(ratls_ita_new(&options, &w.ita, NULL), RATLS_OK);
	assert_int_equal(ratls_verifier_new(NULL, w.ita, &w.verifier, NULL), RATLS_OK);
	expect(&w, 0, "accepted");
	assert_null(strstr(w.service.body, "event_log"));
	world_end(&w);
}

static void who_does_not_wait_does_not_ask(void **state)
{
	static const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_report *report = NULL;
	struct world w;
	bool waits = false;

	(void)state;
	world_begin(&w, NULL);
	assert_int_equal(
		verify_now(w.verifier, w.evidence, NULL, &binding, NOW, &waits, &report, NULL), RATLS_OK);
	assert_true(waits);
	assert_null(report);
	/* Who is refused in any case does not stand in line with those who wait. */
	want_another_mrtd(&w);
	assert_int_equal(
		verify_now(w.verifier, w.evidence, w.policy, &binding, NOW, &waits, &report, NULL), RATLS_OK);
	assert_false(waits);
	assert_int_equal(report_reason(report), REASON_POLICY_MRTD);
	ratls_report_free(report);
	for (int i = 0; i < ITEMS; i++)
		assert_int_equal(w.service.asked[i], 0);
	world_end(&w);
}

/* ---- many at once -------------------------------------------------------------------------------------- */

#define THREADS 16

static void *verify_once(void *arg)
{
	static const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct world *w = arg;
	struct ratls_report *report = NULL;
	bool ok = ratls_verifier_verify(w->verifier, w->evidence, NULL, &binding, NOW, &report, NULL) ==
			  RATLS_OK &&
		  ratls_report_accepted(report);

	ratls_report_free(report);
	return ok ? w : NULL;
}

static void many_at_once_fetch_keys_once(void **state)
{
	pthread_t threads[THREADS];
	struct world w;
	void *ok;

	(void)state;
	world_begin(&w, NULL);
	w.service.body[0] = '\0';
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, verify_once, &w), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &ok);
		assert_non_null(ok);
	}
	assert_int_equal(w.service.asked[TOKEN], THREADS);
	assert_int_equal(w.service.asked[KEYS], 1);
	assert_int_equal(w.service.asked[CA_LIST], 1);
	assert_int_equal(w.service.asked[ROOT_LIST], 1);
	world_end(&w);
}

/* ---- options ------------------------------------------------------------------------------------------- */

static void refuse_options(const char *url, const char *portal, const char *api_key, const char *says)
{
	const struct ratls_ita_options o = {
		.size = sizeof(o), .url = url, .portal = portal, .api_key = api_key};
	struct ratls_ita *ita = NULL;
	struct ratls_error err = {0};

	assert_int_equal(ratls_ita_new(&o, &ita, &err), RATLS_E_ARG);
	assert_null(ita);
	if (strstr(err.message, says) == NULL ||
		(api_key != NULL && *api_key != '\0' && strstr(err.message, api_key) != NULL))
		fail_msg("%s", err.message);
}

static void options_are_checked(void **state)
{
	static char long_key[ITA_API_KEY_MAX + 2];
	struct ratls_ita *ita = NULL;
	struct ratls_error err = {0};

	(void)state;
	memset(long_key, 'k', sizeof(long_key) - 1);
	refuse_options(NULL, NULL, NULL, "needs an API key");
	refuse_options(NULL, NULL, "", "needs an API key");
	refuse_options(NULL, NULL, "key\r\nHost: evil", "holds characters that no key has");
	refuse_options(NULL, NULL, "two words", "holds characters that no key has");
	refuse_options(NULL, NULL, long_key, "too long");
	refuse_options("http://api.example", NULL, "k", "not an https:// URL");
	refuse_options("mars", NULL, "k", "not an https:// URL");
	refuse_options("https://user@api.example", NULL, "k", "not an https:// URL");
	refuse_options("https://api.example?x", NULL, "k", "not an https:// URL");
	refuse_options("us", "http://portal.example", "k", "portal of Intel Trust Authority is");
	assert_int_equal(ratls_ita_new(&(struct ratls_ita_options){.api_key = "k"}, &ita, &err), RATLS_E_ARG);
	assert_non_null(strstr(err.message, "size is not set"));
}

static void assert_urls(const char *url, const char *portal, const char *api, const char *keys)
{
	const struct ratls_ita_options o = {.size = sizeof(o), .url = url, .portal = portal, .api_key = "k"};
	struct ratls_ita *ita = NULL;

	assert_int_equal(ratls_ita_new(&o, &ita, NULL), RATLS_OK);
	assert_string_equal(ita_url(ita), api);
	assert_string_equal(ita_keys_url(ita), keys);
	ratls_ita_free(ita);
}

static void regions_have_their_portals(void **state)
{
	(void)state;
	assert_urls(NULL, NULL, ITA_US_URL, ITA_US_PORTAL "/certs");
	assert_urls("us", NULL, ITA_US_URL, ITA_US_PORTAL "/certs");
	assert_urls("EU", NULL, ITA_EU_URL, ITA_EU_PORTAL "/certs");
	assert_urls(ITA_EU_URL, NULL, ITA_EU_URL, ITA_EU_PORTAL "/certs");
	assert_urls(ITA_EU_URL "/", NULL, ITA_EU_URL, ITA_EU_PORTAL "/certs");
	assert_urls("https://ita.example/x/", NULL, "https://ita.example/x", "https://ita.example/x/certs");
	assert_urls("https://ita.example", "https://p.example//", "https://ita.example",
		"https://p.example/certs");
	assert_urls("eu", "https://p.example", ITA_EU_URL, "https://p.example/certs");
}

/* ---- other verifiers ----------------------------------------------------------------------------------- */

static int make_nothing(void *self, const struct ratls_evidence *evidence, const struct ratls_policy *policy,
	const struct ratls_binding *binding, int64_t at, struct ratls_report **ret, struct ratls_error *err)
{
	(void)evidence, (void)policy, (void)binding, (void)at, (void)ret, (void)err;
	*(int *)self += 1;
	return RATLS_OK;
}

static void count_end(void *self)
{
	*(int *)self += 100;
}

/* A verifier of the host program's that forgets its report accepts nobody. */
static void a_verifier_must_report(void **state)
{
	const struct ratls_verifier_ops ops = {.verify = make_nothing, .free = count_end},
					none = {.verify = NULL};
	const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_report *report = NULL;
	struct ratls_verifier *v = NULL;
	struct world w;
	int calls = 0;

	(void)state;
	world_begin(&w, NULL);
	assert_int_equal(ratls_verifier_new(NULL, NULL, &v, NULL), RATLS_E_ARG);
	assert_int_equal(ratls_verifier_custom(&none, NULL, &v, NULL), RATLS_E_ARG);
	assert_int_equal(ratls_verifier_custom(&ops, &calls, &v, NULL), RATLS_OK);
	assert_int_equal(
		ratls_verifier_verify(v, w.evidence, NULL, &binding, NOW, &report, NULL), RATLS_E_ARG);
	assert_null(report);
	ratls_verifier_free(v);
	assert_int_equal(calls, 101);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_machine_is_accepted),
		cmocka_unit_test(what_holds_is_kept),
		cmocka_unit_test(nobody_is_asked_about_a_forgery),
		cmocka_unit_test(nobody_is_asked_about_whom_the_policy_refuses),
		cmocka_unit_test(both_are_asked_only_while_both_count),
		cmocka_unit_test(a_named_certificate_comes_with_the_collateral),
		cmocka_unit_test(a_poisoned_jku_is_not_followed),
		cmocka_unit_test(every_fault_at_every_item),
		cmocka_unit_test(what_helps_is_tried_again),
		cmocka_unit_test(an_unknown_key_is_asked_for_at_bounded_rate),
		cmocka_unit_test(keys_rotate),
		cmocka_unit_test(old_keys_serve_while_the_portal_is_away),
		cmocka_unit_test(lists_are_kept_until_they_end),
		cmocka_unit_test(what_serves_is_given_while_the_portal_hangs),
		cmocka_unit_test(who_has_nothing_waits_for_its_own_time),
		cmocka_unit_test(no_question_outlasts_the_verdict),
		cmocka_unit_test(questions_end_with_the_program),
		cmocka_unit_test(waits_end_with_the_program),
		cmocka_unit_test(a_service_that_refuses_is_left_alone),
		cmocka_unit_test(without_a_nonce_none_is_asked_for),
		cmocka_unit_test(without_an_event_log_none_is_shown),
		cmocka_unit_test(who_does_not_wait_does_not_ask),
		cmocka_unit_test(many_at_once_fetch_keys_once),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(regions_have_their_portals),
		cmocka_unit_test(a_verifier_must_report),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
