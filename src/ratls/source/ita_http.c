/* SPDX-License-Identifier: Apache-2.0 */
#include "source/ita_http.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "appraisal/jws.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "source/http.h"
#include "source/pause.h"

#define WORDS_MAX 160 /* of the service's own explanation */
#define TRACE_MAX 64

/* ---- what the service says
 * ---------------------------------------------------------------------------------- */

static const char service[] = "Intel Trust Authority";

/* The service's own words, if they are a text that can be shown and do not give our key away. */
static void take_words(
	const struct ita_request *q, const char *said, const char *before, char ret[static WORDS_MAX])
{
	bool shown = said != NULL && said[0] != '\0' && strlen(said) < WORDS_MAX - 16 && utf8_is_plain(said) &&
		     (q->api_key == NULL || strstr(said, q->api_key) == NULL);

	snprintf(ret, WORDS_MAX, "%s%s", shown ? before : "", shown ? said : "");
}

static void explanation(
	const struct ita_request *q, const struct ratls_http_response *r, char ret[static WORDS_MAX])
{
	json_t *object = json_loadb((const char *)r->body, r->body_len, JSON_REJECT_DUPLICATES, NULL);
	const char *said = json_string_value(json_object_get(object, "error"));

	if (said == NULL)
		said = json_string_value(json_object_get(object, "message"));
	take_words(q, said, ": ", ret);
	json_decref(object);
}

/* Intel's support asks for it. */
static void trace(
	const struct ita_request *q, const struct ratls_http_response *r, char ret[static WORDS_MAX])
{
	char *id = http_header(r, "trace-id");

	if (id != NULL && strlen(id) > TRACE_MAX)
		id[TRACE_MAX] = '\0';
	take_words(q, id, ", trace-id ", ret);
	free(id);
}

static int refuse_rate(const struct ita_request *q, const struct ratls_http_response *r, const char *id,
	struct ratls_error *err)
{
	int64_t after_ms = pause_of_answer(r, clock_now());

	if (after_ms >= 0)
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_ITA_RATE,
			"%s takes no more requests for now (%s, HTTP status 429, retry after %d s%s)",
			service, q->what, (int)(after_ms / 1000), id);
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_ITA_RATE,
		"%s takes no more requests for now (%s, HTTP status 429%s)", service, q->what, id);
}

static int refuse_status(
	const struct ita_request *q, const struct ratls_http_response *r, struct ratls_error *err)
{
	char words[WORDS_MAX], id[WORDS_MAX];

	explanation(q, r, words);
	trace(q, r, id);
	if (r->status == 401 || r->status == 403)
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_ITA_API_KEY,
			"%s does not accept the API key (%s, HTTP status %ld%s)%s", service, q->what,
			r->status, id, words);
	if (r->status == 429)
		return refuse_rate(q, r, id, err);
	if (r->status >= 500)
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_ITA_SERVICE,
			"%s failed (%s, HTTP status %ld%s)%s", service, q->what, r->status, id, words);
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_ITA_REQUEST,
		"%s refused the request (%s, HTTP status %ld%s)%s", service, q->what, r->status, id, words);
}

static bool says_other_type(const struct ratls_http_response *r, char ret[static WORDS_MAX])
{
	char *type = http_header(r, "Content-Type");
	bool other = type != NULL && strncasecmp(type, "application/json", 16) != 0;

	snprintf(ret, WORDS_MAX, "%.60s", other && utf8_is_plain(type) ? type : "something else");
	free(type);
	return other;
}

static int judge(const struct ita_request *q, const struct ratls_http_response *r, struct ratls_error *err)
{
	char type[WORDS_MAX];

	if (r->status != 200)
		return refuse_status(q, r, err);
	if (r->body_len > q->max_body) /* a transport that does not keep to it */
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_SERVICE_SIZE,
			"%s answered with more than %zu bytes (%s)", service, q->max_body, q->what);
	if (q->is_json && says_other_type(r, type))
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_ITA_CONTENT,
			"%s answered with %s, not with JSON (%s)", service, type, q->what);
	return RATLS_OK;
}

/* ---- one try, and whether there is another
 * ------------------------------------------------------------------ */

static int unreachable(
	const struct ita_request *q, int rc, const struct ratls_error *why, struct ratls_error *err)
{
	int reason = why->reason == REASON_SERVICE_TIMEOUT || why->reason == REASON_SERVICE_SIZE
			     ? why->reason
			     : REASON_ITA_UNREACHABLE;

	if (rc == RATLS_E_NOMEM)
		return err_set(err, rc, "out of memory");
	return err_reason(err, RATLS_E_UNAVAILABLE, reason, "could not obtain the %s from %s: %s", q->what,
		service, why->message);
}

static int exchange(const struct transport *t, const struct ita_request *q, const char *const *headers,
	struct ratls_http_response *ret, struct ratls_error *err)
{
	int64_t left = q->deadline_ms - clock_monotonic_ms();
	struct ratls_http_request request = {
		.method = q->body != NULL ? "POST" : "GET",
		.url = q->url,
		.headers = headers,
		.body = q->body,
		.body_len = q->body != NULL ? strlen(q->body) : 0,
		.max_body = q->max_body,
		.timeout_ms = left < q->timeout_ms ? (long)left : q->timeout_ms,
	};
	struct ratls_error why = {0};
	int rc;

	if (transport_is_stopped(t))
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_ITA_UNREACHABLE,
			"could not obtain the %s from %s: this program ends", q->what, service);
	if (left <= 0)
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_SERVICE_TIMEOUT,
			"could not obtain the %s from %s: no time is left", q->what, service);
	rc = transport_fetch(t, &request, ret, &why);
	return rc == RATLS_OK ? rc : unreachable(q, rc, &why, err);
}

/* How long to wait before another try; -1 if there is to be none. */
static int64_t wait_of(const struct ita_request *q, const struct ratls_http_response *r, int tried)
{
	int64_t after_ms = pause_of_answer(r, clock_now());
	int64_t wait = after_ms >= 0 ? after_ms : ITA_WAIT_MS;
	uint16_t jitter = 0;

	if ((r->status != 500 && r->status != 503 && r->status != 504) || tried >= ITA_TRIES ||
		wait > ITA_WAIT_MAX_MS)
		return -1;
	if (wait > 0 && getrandom(&jitter, sizeof(jitter), GRND_NONBLOCK) == (ssize_t)sizeof(jitter))
		wait += jitter % ITA_JITTER_MS;
	return clock_monotonic_ms() + wait < q->deadline_ms ? wait : -1;
}

/* Less if nobody waits for what comes after. */
static void sleep_ms(const struct transport *t, int64_t ms)
{
	const struct timespec step = {.tv_nsec = ITA_STEP_MS * 1000000};

	for (; ms > 0 && !transport_is_stopped(t); ms -= ITA_STEP_MS)
		nanosleep(&step, NULL);
}

/* Does it say something of the service, and not only of this question or of who asked too late? */
static bool earns_pause(
	const struct transport *t, const struct ita_request *q, const struct ratls_error *why)
{
	if (transport_is_stopped(t))
		return false;
	if (why->reason == REASON_SERVICE_TIMEOUT)
		return clock_monotonic_ms() < q->deadline_ms;
	return why->reason == REASON_ITA_API_KEY || why->reason == REASON_ITA_RATE ||
	       why->reason == REASON_ITA_SERVICE || why->reason == REASON_ITA_UNREACHABLE;
}

static void note(const struct transport *t, const struct ita_request *q, int rc,
	const struct ratls_error *why, int64_t asked_ms)
{
	if (q->backoff == NULL)
		return;
	if (rc == RATLS_OK)
		backoff_note(q->backoff, clock_monotonic_ms(), NULL, 0);
	else if (earns_pause(t, q, why))
		backoff_note(q->backoff, clock_monotonic_ms(), why, asked_ms);
}

static int try_all(const struct transport *t, const struct ita_request *q, const char *const *headers,
	struct ratls_http_response *ret, struct ratls_error *err)
{
	for (int tried = 1;; tried++) {
		struct ratls_http_response answer = {0};
		int rc = exchange(t, q, headers, &answer, err);
		int64_t wait;

		if (rc != RATLS_OK) {
			note(t, q, rc, err, 0);
			return rc;
		}
		wait = wait_of(q, &answer, tried);
		if (wait < 0) {
			rc = judge(q, &answer, err);
			note(t, q, rc, err, pause_of_answer(&answer, clock_now()));
			if (rc == RATLS_OK)
				*ret = answer;
			else
				http_response_done(&answer);
			return rc;
		}
		http_response_done(&answer);
		sleep_ms(t, wait);
	}
}

int ita_http(const struct transport *t, const struct ita_request *q, struct ratls_http_response *ret,
	struct ratls_error *err)
{
	struct buf key = {0};
	const char *headers[4] = {"Accept: application/json"};
	size_t n = q->is_json ? 1 : 0;
	struct ratls_error why = {0};
	int rc = q->backoff != NULL ? backoff_check(q->backoff, clock_monotonic_ms(), err) : RATLS_OK;

	if (rc != RATLS_OK)
		return rc;
	if (q->body != NULL)
		headers[n++] = "Content-Type: application/json";
	if (q->api_key != NULL) {
		buf_fmt(&key, "x-api-key: %s", q->api_key);
		buf_u8(&key, 0);
		headers[n++] = (const char *)key.p;
	}
	headers[n] = NULL;
	rc = key.bad ? err_set(&why, RATLS_E_NOMEM, "out of memory") : try_all(t, q, headers, ret, &why);
	secret_buf_done(&key);
	return rc == RATLS_OK ? rc : err_reason(err, rc, why.reason, "%s", why.message);
}
