/* SPDX-License-Identifier: Apache-2.0 */
#include "source/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/reason.h"
#include "base/secret.h"
#include "source/http.h"

#define CONNECT_TIMEOUT_MAX 5000 /* ms */

/* Bytes that arrive, always followed by a NUL. Growing wipes what it leaves behind. */
struct inbox {
	char *p;
	size_t len, cap;
	size_t max;
	bool too_large, no_memory;
};

struct exchange {
	CURL *curl;
	struct curl_slist *headers; /* of the request */
	struct inbox head, body;
	char reason[CURL_ERROR_SIZE];
};

static bool inbox_grow(struct inbox *in, size_t need)
{
	size_t cap = in->cap > 0 ? in->cap : 4096;
	char *p;

	while (cap < need)
		cap *= 2;
	p = malloc(cap);
	if (p == NULL)
		return false;
	if (in->p != NULL) {
		memcpy(p, in->p, in->len);
		secret_wipe(in->p, in->cap);
		free(in->p);
	}
	in->p = p;
	in->cap = cap;
	return true;
}

static bool inbox_add(struct inbox *in, const char *p, size_t n)
{
	if (n > in->max - in->len) {
		in->too_large = true;
		return false;
	}
	if (in->len + n + 1 > in->cap && !inbox_grow(in, in->len + n + 1)) {
		in->no_memory = true;
		return false;
	}
	if (n > 0)
		memcpy(in->p + in->len, p, n);
	in->len += n;
	in->p[in->len] = '\0';
	return true;
}

static void inbox_done(struct inbox *in)
{
	if (in->p != NULL)
		secret_wipe(in->p, in->cap);
	free(in->p);
}

static size_t on_body(char *p, size_t size, size_t n, void *self)
{
	struct exchange *x = self;

	return inbox_add(&x->body, p, size * n) ? size * n : 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *self)
{
	struct exchange *x = self;

	/* A status line begins the headers anew: what came before was an interim answer (100). */
	if (size * n >= 5 && memcmp(p, "HTTP/", 5) == 0)
		x->head.len = 0;
	return inbox_add(&x->head, p, size * n) ? size * n : 0;
}

/* libcurl asks at least once a second. */
static int on_progress(void *self, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct ratls_http_request *request = self;

	(void)a, (void)b, (void)c, (void)d;
	return request->stop(request->stop_self) ? 1 : 0;
}

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool append_header(struct exchange *x, const char *line)
{
	struct curl_slist *longer = curl_slist_append(x->headers, line);

	if (longer == NULL)
		return false;
	x->headers = longer;
	return true;
}

static bool set_headers(struct exchange *x, const struct ratls_http_request *request)
{
	bool ok = append_header(x, "Expect:"); /* never wait for "100 Continue" */

	for (const char *const *h = request->headers; ok && h != NULL && *h != NULL; h++)
		ok = append_header(x, *h);
	return ok && curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK;
}

static bool set_bounds(struct exchange *x, const struct ratls_http_request *request)
{
	long timeout = request->timeout_ms > 0 ? request->timeout_ms : FETCH_TIMEOUT_DEFAULT;
	long connect = timeout < CONNECT_TIMEOUT_MAX ? timeout : CONNECT_TIMEOUT_MAX;
	CURL *c = x->curl;

	return curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK && /* else the environment decides */
	       curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, connect) == CURLE_OK;
}

static bool set_stop(struct exchange *x, const struct ratls_http_request *request)
{
	if (request->stop == NULL)
		return true;
	return curl_easy_setopt(x->curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
	       curl_easy_setopt(x->curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
	       curl_easy_setopt(x->curl, CURLOPT_XFERINFODATA, request) == CURLE_OK;
}

static bool set_request(struct exchange *x, const struct ratls_http_request *request)
{
	CURL *c = x->curl;
	bool ok = curl_easy_setopt(c, CURLOPT_URL, request->url) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_USERAGENT, "teesql/" TEESQL_VERSION) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->reason) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_WRITEDATA, x) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_HEADERDATA, x) == CURLE_OK;

	if (ok && request->unix_socket != NULL)
		ok = curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket) == CURLE_OK;
	if (ok && strcmp(request->method, "POST") == 0)
		ok = curl_easy_setopt(c, CURLOPT_POST, 1L) == CURLE_OK &&
		     curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len) ==
			     CURLE_OK &&
		     curl_easy_setopt(c, CURLOPT_POSTFIELDS, request->body_len > 0 ? request->body : "") ==
			     CURLE_OK;
	return ok && set_headers(x, request) && set_bounds(x, request) && set_stop(x, request);
}

static bool set_trust(struct exchange *x, const char *ca_file)
{
	return ca_file == NULL || (curl_easy_setopt(x->curl, CURLOPT_CAINFO, ca_file) == CURLE_OK &&
					  curl_easy_setopt(x->curl, CURLOPT_CAPATH, (char *)NULL) == CURLE_OK);
}

/* A header line may carry a key. */
static void free_headers(struct curl_slist *lines)
{
	for (struct curl_slist *l = lines; l != NULL; l = l->next)
		secret_wipe(l->data, strlen(l->data));
	curl_slist_free_all(lines);
}

static int explain(const struct exchange *x, CURLcode code, struct ratls_error *err)
{
	long refused = 0;

	/* libcurl's own words name a port even where a socket's path was asked for. */
	if (code == CURLE_COULDNT_CONNECT &&
		curl_easy_getinfo(x->curl, CURLINFO_OS_ERRNO, &refused) == CURLE_OK && refused != 0)
		return err_set(err, RATLS_E_UNAVAILABLE, "could not connect: %s", strerror((int)refused));
	if (x->head.no_memory || x->body.no_memory || code == CURLE_OUT_OF_MEMORY)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	if (x->body.too_large)
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_SERVICE_SIZE, "answer is larger than %zu bytes",
			x->body.max);
	if (x->head.too_large)
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_SERVICE_SIZE,
			"answer has more than %zu bytes of headers", x->head.max);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(err, RATLS_E_UNAVAILABLE, "nobody waits for the answer any more");
	if (code == CURLE_URL_MALFORMAT)
		return err_set(err, RATLS_E_ARG, "not a usable URL");
	return err_reason(err, RATLS_E_UNAVAILABLE,
		code == CURLE_OPERATION_TIMEDOUT ? REASON_SERVICE_TIMEOUT : REASON_NONE, "%s",
		x->reason[0] != '\0' ? x->reason : curl_easy_strerror(code));
}

static int perform(struct exchange *x, struct ratls_http_response *ret, struct ratls_error *err)
{
	CURLcode code = curl_easy_perform(x->curl);
	struct ratls_http_response answer = {0};

	if (code != CURLE_OK)
		return explain(x, code, err);
	/* So that both are strings even where nothing came. */
	if (!inbox_add(&x->head, "", 0) || !inbox_add(&x->body, "", 0))
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &answer.status);
	answer.headers = x->head.p;
	answer.body = (uint8_t *)x->body.p;
	answer.body_len = x->body.len;
	x->head = x->body = (struct inbox){0};
	*ret = answer;
	return RATLS_OK;
}

int fetch_curl(void *self, const struct ratls_http_request *request, struct ratls_http_response *ret,
	struct ratls_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct exchange x = {.head.max = FETCH_HEADERS_MAX, .body.max = request->max_body};
	int rc;

	if (!http_is_url(request->url))
		return err_set(err, RATLS_E_ARG, "not an http:// or https:// URL");
	pthread_once(&once, init_curl);
	x.curl = curl_easy_init();
	if (x.curl == NULL || !set_request(&x, request) || !set_trust(&x, self))
		rc = err_set(err, RATLS_E_NOMEM, "could not set up the request");
	else
		rc = perform(&x, ret, err);
	curl_easy_cleanup(x.curl);
	free_headers(x.headers);
	inbox_done(&x.head);
	inbox_done(&x.body);
	return rc;
}
