/* SPDX-License-Identifier: Apache-2.0 */
#include "source/ita.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "appraisal/endorsements.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/options.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "evidence/evidence.h"
#include "source/http.h"
#include "source/ita_keys.h"
#include "source/ita_question.h"
#include "source/pause.h"

#define NONCE_PATH        "/appraisal/v2/nonce"
#define ATTEST_PATH       "/appraisal/v2/attest"
#define KEYS_PATH         "/certs"
#define NONCE_TIMEOUT_MS  10000
#define ATTEST_TIMEOUT_MS 15000
#define ANSWER_MAX        (JWS_TEXT_MAX + 1024) /* {"token": "..."} */

#define OPTIONS_FIRST_SIZE offsetof(struct ratls_ita_options, no_event_log)

struct ratls_ita {
	char *url, *keys_url;
	char *api_key; /* a secret */
	bool insecure_no_nonce, no_event_log;
	atomic_bool stop;
	struct transport transport;
	struct backoff backoff; /* of the API, which counts our questions; that of the keys has its own */
	struct ita_keys *keys;
	struct ratls_endorsements *root;
};

/* ---- the client ---------------------------------------------------------------------------------------- */

/* https, a host, and nobody's name: paths are put behind it. The caller frees it; NULL fills err. */
static char *check_url(const char *url, const char *what, struct ratls_error *err)
{
	size_t len = strlen(url);
	char *copy;

	if (strncasecmp(url, "https://", 8) != 0 || len < 9 || len > ITA_URL_MAX || !utf8_is_plain(url) ||
		strpbrk(url, " @?#\\\"") != NULL) {
		err_reason(err, RATLS_E_ARG, REASON_OPTION,
			"%s of Intel Trust Authority is \"%.100s\", not an https:// URL", what, url);
		return NULL;
	}
	while (url[len - 1] == '/')
		len--;
	copy = strndup(url, len);
	if (copy == NULL)
		err_set(err, RATLS_E_NOMEM, "out of memory");
	return copy;
}

static const struct region {
	const char *name, *url, *portal;
} regions[] = {{"us", ITA_US_URL, ITA_US_PORTAL}, {"eu", ITA_EU_URL, ITA_EU_PORTAL}};

/* The region that is called or addressed like this, NULL if none. */
static const struct region *find_region(const char *url)
{
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		if (strcasecmp(url, regions[i].name) == 0 ||
			(len == strlen(regions[i].url) && strncasecmp(url, regions[i].url, len) == 0))
			return &regions[i];
	return NULL;
}

/* err is not NULL. */
static int set_urls(struct ratls_ita *ita, const struct ratls_ita_options *o, struct ratls_error *err)
{
	const char *url = o->url != NULL ? o->url : "us", *portal = o->portal;
	const struct region *region = find_region(url);
	struct buf keys = {0};
	char *base;

	if (region != NULL)
		url = region->url;
	if (portal == NULL)
		portal = region != NULL ? region->portal : url;
	ita->url = check_url(url, "address", err);
	base = ita->url != NULL ? check_url(portal, "portal", err) : NULL;
	if (base == NULL)
		return err->code;
	buf_fmt(&keys, "%s" KEYS_PATH, base);
	free(base);
	ita->keys_url = buf_take_str(&keys);
	return ita->keys_url != NULL ? RATLS_OK : err_set(err, RATLS_E_NOMEM, "out of memory");
}

/* It becomes a header line: nothing in it may end one. */
static int set_key(struct ratls_ita *ita, const char *key, struct ratls_error *err)
{
	if (key == NULL || key[0] == '\0')
		return err_reason(
			err, RATLS_E_ARG, REASON_ITA_NO_KEY, "Intel Trust Authority needs an API key");
	if (strlen(key) > ITA_API_KEY_MAX || !utf8_is_plain(key) || strchr(key, ' ') != NULL)
		return err_reason(err, RATLS_E_ARG, REASON_ITA_NO_KEY,
			"the API key of Intel Trust Authority is too long or holds characters that no key "
			"has");
	ita->api_key = strdup(key);
	return ita->api_key != NULL ? RATLS_OK : err_set(err, RATLS_E_NOMEM, "out of memory");
}

static int set_root(struct ratls_ita *ita, const struct ratls_ita_options *o, struct ratls_error *err)
{
	const struct ratls_endorsements_options options = {.size = sizeof(options),
		.insecure_trust_root = o->insecure_trust_root,
		.insecure_trust_root_len = o->insecure_trust_root_len};

	return endorsements_of_root(&options, &ita->root, err);
}

static bool is_stopping(const void *self)
{
	const struct ratls_ita *ita = self;

	return atomic_load(&ita->stop);
}

int ratls_ita_new(const struct ratls_ita_options *options, struct ratls_ita **ret, struct ratls_error *err)
{
	struct ratls_ita_options known;
	struct ratls_ita *ita;
	struct ratls_error why = {0};
	int rc = options_copy(&known, sizeof(known), options, OPTIONS_FIRST_SIZE, err);

	if (rc != RATLS_OK)
		return rc;
	ita = calloc(1, sizeof(*ita));
	if (ita == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	atomic_init(&ita->stop, false);
	backoff_init(&ita->backoff, PAUSE_MAX_MS);
	ita->transport = transport_of(known.fetch, known.fetch_self);
	ita->transport.stop = is_stopping;
	ita->transport.stop_self = ita;
	ita->insecure_no_nonce = known.insecure_no_nonce;
	ita->no_event_log = known.no_event_log;
	rc = set_key(ita, known.api_key, &why);
	if (rc == RATLS_OK)
		rc = set_urls(ita, &known, &why);
	if (rc == RATLS_OK)
		rc = set_root(ita, &known, &why);
	if (rc == RATLS_OK) {
		ita->keys = ita_keys_new(&ita->transport, ita->keys_url, clock_monotonic_ms);
		if (ita->keys == NULL)
			rc = err_set(&why, RATLS_E_NOMEM, "out of memory");
	}
	if (rc == RATLS_OK) {
		*ret = ita;
		return rc;
	}
	ratls_ita_free(ita);
	return err_reason(err, rc, why.reason, "%s", why.message);
}

void ratls_ita_free(struct ratls_ita *ita)
{
	if (ita == NULL)
		return;
	ita_keys_free(ita->keys);
	backoff_done(&ita->backoff);
	ratls_endorsements_free(ita->root);
	secret_str_free(ita->api_key);
	free(ita->keys_url);
	free(ita->url);
	free(ita);
}

void ita_stop(struct ratls_ita *ita)
{
	atomic_store(&ita->stop, true);
}

const char *ita_url(const struct ratls_ita *ita)
{
	return ita->url;
}

const char *ita_keys_url(const struct ratls_ita *ita)
{
	return ita->keys_url;
}

struct ratls_endorsements *ita_root(const struct ratls_ita *ita)
{
	return ita->root;
}

/* ---- questions ----------------------------------------------------------------------------------------- */

static int malformed(const char *what, const char *why, struct ratls_error *err)
{
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_ITA_ANSWER,
		"could not use the answer of Intel Trust Authority (%s): %s", what, why);
}

/* Ask, and read the answer as an object of exactly so many members. */
static int ask(struct ratls_ita *ita, struct ita_request *q, const char *path, size_t members, json_t **ret,
	struct ratls_error *err)
{
	struct ratls_http_response answer = {0};
	struct buf url = {0};
	json_t *object;
	char *text;
	int rc;

	buf_fmt(&url, "%s%s", ita->url, path);
	text = buf_take_str(&url);
	if (text == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	q->url = text;
	q->api_key = ita->api_key;
	q->is_json = true;
	q->backoff = &ita->backoff;
	rc = ita_http(&ita->transport, q, &answer, err);
	free(text);
	if (rc != RATLS_OK)
		return rc;
	object = json_loadb((const char *)answer.body, answer.body_len, JSON_REJECT_DUPLICATES, NULL);
	http_response_done(&answer);
	if (!json_is_object(object) || json_object_size(object) != members) {
		rc = malformed(q->what,
			json_is_object(object) ? "it has other members than it should"
					       : "it is not a JSON object",
			err);
		json_decref(object);
		return rc;
	}
	*ret = object;
	return RATLS_OK;
}

static bool is_base64(const json_t *text)
{
	struct buf bytes = {0};
	bool ok = json_is_string(text) && json_string_length(text) > 0 &&
		  base64_decode(json_string_value(text), json_string_length(text), &bytes);

	buf_done(&bytes);
	return ok;
}

static int ask_nonce(struct ratls_ita *ita, int64_t deadline_ms, json_t **ret, struct ratls_error *err)
{
	struct ita_request q = {.what = "nonce",
		.max_body = ITA_NONCE_MAX,
		.timeout_ms = NONCE_TIMEOUT_MS,
		.deadline_ms = deadline_ms};
	json_t *nonce = NULL;
	int rc = ask(ita, &q, NONCE_PATH, 3, &nonce, err);

	if (rc != RATLS_OK)
		return rc;
	if (!is_base64(json_object_get(nonce, "val")) || !is_base64(json_object_get(nonce, "iat")) ||
		!is_base64(json_object_get(nonce, "signature"))) {
		json_decref(nonce);
		return malformed(q.what, "val, iat and signature are not base64", err);
	}
	*ret = nonce;
	return RATLS_OK;
}

static int ask_token(struct ratls_ita *ita, const struct ratls_evidence *evidence, json_t *nonce,
	int64_t deadline_ms, json_t **ret, struct ratls_error *err)
{
	struct ita_request q = {.what = "token",
		.max_body = ANSWER_MAX,
		.timeout_ms = ATTEST_TIMEOUT_MS,
		.deadline_ms = deadline_ms};
	json_t *answer = NULL;
	char *body = NULL;
	int rc = ita_question(evidence, nonce, !ita->no_event_log, &body, err);

	if (rc != RATLS_OK)
		return rc;
	q.body = body;
	rc = ask(ita, &q, ATTEST_PATH, 1, &answer, err);
	free(body);
	if (rc == RATLS_OK && !json_is_string(json_object_get(answer, "token"))) {
		json_decref(answer);
		return malformed(q.what, "it has no token", err);
	}
	if (rc == RATLS_OK)
		*ret = answer;
	return rc;
}

/* ---- what it takes to believe the answer --------------------------------------------------------------- */

static int gather(struct ratls_ita *ita, struct ita_items *items, int64_t at, int64_t deadline_ms,
	struct ita_lists *lists, struct ratls_error *err)
{
	struct jws header = {0};
	const struct jwk *key;
	int rc = RATLS_OK;

	jws_parse(items->text, &header);
	/* A token that is none needs no keys: appraisal says what is wrong with it. */
	if (outcome_passed(&header.format) && outcome_passed(&header.algorithm)) {
		rc = ita_keys_get(ita->keys, header.kid, deadline_ms, &items->keys, err);
		key = rc == RATLS_OK ? jwks_find(items->keys, header.kid) : NULL;
		if (key != NULL && outcome_passed(&key->outcome))
			rc = ita_keys_lists(ita->keys, key, at, deadline_ms, lists, err);
	}
	jws_done(&header);
	items->crls = lists->list;
	items->n_crls = lists->n;
	items->crl_missing = lists->missing[0] != '\0' ? lists->missing : NULL;
	return rc;
}

static int make_token(struct ratls_ita *ita, const json_t *answer, const json_t *nonce, int64_t at,
	int64_t deadline_ms, struct ita_token **ret, struct ratls_error *err)
{
	const json_t *text = json_object_get(answer, "token");
	struct ita_items items = {.text = cur_of(json_string_value(text), json_string_length(text)),
		.keys_url = ita->keys_url,
		.nonce = nonce};
	struct ita_lists lists = {.n = 0};
	struct ita_token *token = NULL;
	int rc = gather(ita, &items, at, deadline_ms, &lists, err);

	if (rc == RATLS_OK && (token = ita_token_new(&items)) == NULL)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	jwks_free(items.keys);
	ita_lists_done(&lists);
	if (rc == RATLS_OK)
		*ret = token;
	return rc;
}

int ita_ask(struct ratls_ita *ita, const struct ratls_evidence *evidence, int64_t at, int64_t deadline_ms,
	struct ita_token **ret, struct ratls_error *err)
{
	int64_t own_ms = clock_monotonic_ms() + ITA_DEADLINE_MS;
	json_t *nonce = NULL, *answer = NULL;
	int rc = RATLS_OK;

	if (own_ms < deadline_ms)
		deadline_ms = own_ms;
	if (!ita->insecure_no_nonce)
		rc = ask_nonce(ita, deadline_ms, &nonce, err);
	if (rc == RATLS_OK)
		rc = ask_token(ita, evidence, nonce, deadline_ms, &answer, err);
	if (rc == RATLS_OK)
		rc = make_token(ita, answer, nonce, at, deadline_ms, ret, err);
	json_decref(answer);
	json_decref(nonce);
	return rc;
}

int ita_probe(struct ratls_ita *ita, struct ratls_error *err)
{
	int64_t deadline_ms = clock_monotonic_ms() + ITA_DEADLINE_MS;
	struct jwks *keys = NULL;
	json_t *nonce = NULL;
	int rc = ask_nonce(ita, deadline_ms, &nonce, err);

	if (rc == RATLS_OK)
		rc = ita_keys_get(ita->keys, "", deadline_ms, &keys, err);
	jwks_free(keys);
	json_decref(nonce);
	return rc;
}
