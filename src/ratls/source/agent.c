/* SPDX-License-Identifier: Apache-2.0 */
#include "source/agent.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "appraisal/json_bytes.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/reason.h"
#include "base/secret.h"
#include "evidence/quote.h"
#include "source/http.h"
#include "source/transport.h"

/* The order of dstack's SDKs (Python, JavaScript, Go, Rust alike). */
static const char *const socket_paths[] = {
	"/var/run/dstack.sock",
	"/run/dstack.sock",
	"/var/run/dstack/dstack.sock",
	"/run/dstack/dstack.sock",
};

struct agent {
	char *endpoint;
	bool is_url;
	struct transport transport;
};

static const char *find_socket(void)
{
	for (size_t i = 0; i < sizeof(socket_paths) / sizeof(socket_paths[0]); i++)
		if (access(socket_paths[i], F_OK) == 0)
			return socket_paths[i];
	return socket_paths[0];
}

static int check_endpoint(const char *endpoint, struct ratls_error *err)
{
	if (endpoint[0] == '\0')
		return err_set(err, RATLS_E_ARG, "guest agent endpoint is empty");
	if (!http_is_url(endpoint) && strlen(endpoint) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(
			err, RATLS_E_ARG, "guest agent socket \"%.64s...\" has too long a path", endpoint);
	return RATLS_OK;
}

int agent_new(const char *endpoint, ratls_fetch_fn fetch, void *fetch_self, struct agent **ret,
	struct ratls_error *err)
{
	const char *chosen = endpoint != NULL ? endpoint : find_socket();
	struct agent *a;
	size_t len;
	int rc;

	if ((rc = check_endpoint(chosen, err)) != RATLS_OK)
		return rc;
	a = calloc(1, sizeof(*a));
	if (a == NULL || (a->endpoint = strdup(chosen)) == NULL) {
		free(a);
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	}
	a->is_url = http_is_url(chosen);
	for (len = strlen(chosen); a->is_url && a->endpoint[len - 1] == '/'; len--)
		a->endpoint[len - 1] = '\0';
	a->transport = transport_of(fetch, fetch_self);
	*ret = a;
	return RATLS_OK;
}

void agent_free(struct agent *a)
{
	if (a == NULL)
		return;
	free(a->endpoint);
	free(a);
}

const char *agent_endpoint(const struct agent *a)
{
	return a->endpoint;
}

static int refuse_answer(const char *method, const char *what, struct ratls_error *err)
{
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_AGENT_REFUSED, "guest agent answered %s with %s",
		method, what);
}

static int post(const struct agent *a, const char *method, const char *body, struct ratls_http_response *ret,
	struct ratls_error *err)
{
	static const char *const headers[] = {
		"Content-Type: application/json", "Accept: application/json", NULL};
	struct ratls_http_request request = {.method = "POST",
		.unix_socket = a->is_url ? NULL : a->endpoint,
		.headers = headers,
		.body = body,
		.body_len = strlen(body),
		.max_body = AGENT_ANSWER_MAX,
		.timeout_ms = AGENT_TIMEOUT_MS};
	struct buf url = {0};
	struct ratls_error why = {0};
	int rc;

	buf_fmt(&url, "%s/%s", a->is_url ? a->endpoint : "http://localhost", method);
	request.url = buf_take_str(&url);
	if (request.url == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	rc = transport_fetch(&a->transport, &request, ret, &why);
	if (rc != RATLS_OK)
		err_reason(err, rc, REASON_AGENT_UNREACHABLE, "could not reach the guest agent at %s: %s",
			a->endpoint, why.message);
	free((char *)request.url);
	return rc;
}

/* The agent's own words become part of our sentence: one line, nothing that steers a terminal. */
static int refused(const char *method, long status, const json_t *answer, struct ratls_error *err)
{
	const char *said = json_string_value(json_object_get(answer, "error"));
	char text[160];

	if (said == NULL)
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_AGENT_REFUSED,
			"guest agent answered %s with HTTP status %ld", method, status);
	snprintf(text, sizeof(text), "%s", said);
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return err_reason(
		err, RATLS_E_UNAVAILABLE, REASON_AGENT_REFUSED, "guest agent refused %s: %s", method, text);
}

static int parse(
	const char *method, const struct ratls_http_response *r, json_t **ret, struct ratls_error *err)
{
	json_t *answer = NULL;
	int rc;

	if (r->body != NULL && r->body_len <= AGENT_ANSWER_MAX)
		answer = json_loadb((const char *)r->body, r->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (r->status != 200)
		rc = refused(method, r->status, answer, err);
	else if (!json_is_object(answer))
		rc = refuse_answer(method, "what is no JSON object", err);
	else
		rc = RATLS_OK;
	if (rc == RATLS_OK)
		*ret = answer;
	else
		json_decref(answer);
	return rc;
}

/* One call: takes request (NULL: memory ran out building it). ret_text may be NULL. */
static int call(const struct agent *a, const char *method, json_t *request, json_t **ret,
	struct buf *ret_text, struct ratls_error *err)
{
	struct ratls_http_response answer = {0};
	struct buf text = {0};
	char *body;
	int rc;

	json_append(request, JSON_COMPACT, &text);
	json_decref(request);
	body = buf_take_str(&text);
	if (body == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	rc = post(a, method, body, &answer, err);
	if (rc == RATLS_OK)
		rc = parse(method, &answer, ret, err);
	if (rc == RATLS_OK && ret_text != NULL)
		buf_bytes(ret_text, answer.body, answer.body_len);
	http_response_done(&answer);
	free(body);
	return rc;
}

/* A member that must be a string, as bytes of the answer; bad if it is none. */
static struct cur text_member(const json_t *answer, const char *name)
{
	const json_t *value = json_object_get(answer, name);
	struct cur none = cur_of(NULL, 0);

	none.bad = true;
	return json_is_string(value) ? cur_of(json_string_value(value), json_string_length(value)) : none;
}

/* The parsed answer holds its own copy of the secret, and jansson does not wipe. */
static void wipe_member(json_t *answer, const char *name)
{
	json_t *value = json_object_get(answer, name);

	if (json_is_string(value))
		secret_wipe((char *)json_string_value(value), json_string_length(value));
}

static json_t *strings(const char *const *texts)
{
	json_t *array = json_array();

	for (; texts != NULL && *texts != NULL; texts++)
		if (json_array_append_new(array, json_string(*texts)) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *tls_key_request(const struct agent_tls_key_request *r)
{
	json_t *o = json_pack("{s:s, s:o, s:b, s:b, s:b}", "subject", r->subject != NULL ? r->subject : "",
		"alt_names", strings(r->alt_names), "usage_ra_tls", 1, "usage_server_auth",
		(int)r->server_auth, "usage_client_auth", (int)r->client_auth);

	if (r->not_after != 0 && json_object_set_new(o, "not_after", json_integer(r->not_after)) != 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static bool append_chain(const json_t *chain, struct buf *ret)
{
	size_t n = json_array_size(chain);

	if (n == 0 || n > AGENT_CHAIN_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		const json_t *pem = json_array_get(chain, i);

		if (!json_is_string(pem) || json_string_length(pem) > AGENT_PEM_MAX - ret->len)
			return false;
		buf_bytes(ret, json_string_value(pem), json_string_length(pem));
		if (ret->len > 0 && ret->p[ret->len - 1] != '\n')
			buf_str(ret, "\n"); /* a PEM block begins on a line of its own */
		if (ret->len > AGENT_PEM_MAX)
			return false;
	}
	return true;
}

int agent_tls_key(struct agent *a, const struct agent_tls_key_request *request, struct buf *ret_key,
	struct buf *ret_chain, struct ratls_error *err)
{
	struct buf key = {0}, chain = {0};
	struct cur pem;
	json_t *answer = NULL;
	int rc = call(a, "GetTlsKey", tls_key_request(request), &answer, NULL, err);

	if (rc != RATLS_OK)
		return rc;
	pem = text_member(answer, "key");
	if (pem.bad || pem.left == 0 || pem.left > AGENT_PEM_MAX) {
		rc = refuse_answer("GetTlsKey", "no key", err);
		goto out;
	}
	if (!append_chain(json_object_get(answer, "certificate_chain"), &chain)) {
		rc = refuse_answer("GetTlsKey", "no usable certificate chain", err);
		goto out;
	}
	buf_bytes(&key, pem.p, pem.left);
	if (key.bad || chain.bad) {
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
		goto out;
	}
	*ret_key = key;
	*ret_chain = chain;
	key = chain = (struct buf){0};
out:
	wipe_member(answer, "key");
	json_decref(answer);
	secret_buf_done(&key);
	buf_done(&chain);
	return rc;
}

int agent_quote(struct agent *a, const uint8_t *report_data, size_t len, struct buf *ret_quote,
	struct ratls_error *err)
{
	char text[2 * 64 + 1];
	struct buf quote = {0};
	struct cur hex;
	json_t *answer = NULL;
	int rc;

	if (len > 64)
		return err_set(err, RATLS_E_ARG, "report data has more than 64 bytes");
	hex_encode(report_data, len, text);
	rc = call(a, "GetQuote", json_pack("{s:s}", "report_data", text), &answer, NULL, err);
	if (rc != RATLS_OK)
		return rc;
	hex = text_member(answer, "quote");
	if (hex.bad || hex.left == 0 || hex.left > 2 * QUOTE_MAX)
		rc = refuse_answer("GetQuote", "no quote", err);
	else if (buf_reserve(&quote, hex.left / 2) == NULL)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	else if (!hex_decode((const char *)hex.p, hex.left, quote.p, hex.left / 2))
		rc = refuse_answer("GetQuote", "a quote that is not hexadecimal", err);
	if (rc == RATLS_OK) {
		buf_added(&quote, hex.left / 2);
		*ret_quote = quote;
		quote = (struct buf){0};
	}
	buf_done(&quote);
	json_decref(answer);
	return rc;
}

int agent_key(struct agent *a, const char *path, uint8_t ret_key[static 32], struct ratls_error *err)
{
	json_t *answer = NULL;
	struct cur hex;
	int rc = call(a, "GetKey", json_pack("{s:s, s:s, s:s}", "path", path, "purpose", "", "algorithm", ""),
		&answer, NULL, err);

	if (rc != RATLS_OK)
		return rc;
	hex = text_member(answer, "key");
	if (hex.bad || !hex_decode((const char *)hex.p, hex.left, ret_key, 32))
		rc = refuse_answer("GetKey", "no key of 32 bytes", err);
	wipe_member(answer, "key");
	json_decref(answer);
	return rc;
}

int agent_info(struct agent *a, struct buf *ret_json, struct ratls_error *err)
{
	struct buf text = {0};
	json_t *answer = NULL;
	int rc = call(a, "Info", json_object(), &answer, &text, err);

	if (rc != RATLS_OK)
		return rc;
	json_decref(answer);
	if (text.bad) {
		buf_done(&text);
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	}
	*ret_json = text;
	return RATLS_OK;
}
