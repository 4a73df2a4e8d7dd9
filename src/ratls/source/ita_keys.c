/* SPDX-License-Identifier: Apache-2.0 */
#include "source/ita_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/reason.h"
#include "base/thread.h"
#include "source/http.h"

/* A revocation list and where it comes from. */
struct kept {
	char *url; /* NULL: nothing is kept here */
	struct buf list;
	int64_t next_update;         /* of list; INT64_MIN: there is none yet */
	int64_t fetched_ms, used_ms; /* monotonic */
	int64_t failed_ms;           /* INT64_MIN: the last fetch did not fail */
	struct ratls_error why;      /* else why it did */
	bool refreshing;             /* somebody fetches it, without the lock: its place and its url stay */
};

struct ita_keys {
	struct transport transport;
	int64_t (*clock)(void);
	char *url;
	pthread_mutex_t lock; /* guards everything below; nobody holds it while something is fetched */
	pthread_cond_t news;  /* a fetch has ended */
	bool refreshing;      /* somebody fetches the set */
	struct jwks *set;     /* NULL until it was fetched */
	int64_t fetched_ms;
	int64_t tried_ms, failed_ms; /* INT64_MIN: never */
	struct ratls_error why;      /* of the last failure */
	struct kept lists[ITA_LISTS_KEPT];
};

struct ita_keys *ita_keys_new(const struct transport *transport, const char *url, int64_t (*clock)(void))
{
	struct ita_keys *k = calloc(1, sizeof(*k));

	if (k == NULL || (k->url = strdup(url)) == NULL) {
		free(k);
		return NULL;
	}
	pthread_mutex_init(&k->lock, NULL);
	thread_cond_init(&k->news);
	k->transport = *transport;
	k->clock = clock;
	k->tried_ms = k->failed_ms = INT64_MIN;
	return k;
}

static void kept_done(struct kept *e)
{
	free(e->url);
	buf_done(&e->list);
	*e = (struct kept){0};
}

void ita_keys_free(struct ita_keys *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < ITA_LISTS_KEPT; i++)
		kept_done(&k->lists[i]);
	jwks_free(k->set);
	pthread_cond_destroy(&k->news);
	pthread_mutex_destroy(&k->lock);
	free(k->url);
	free(k);
}

/* ---- waiting for who fetches --------------------------------------------------------------------------- */

/* With the lock, which is not held meanwhile. Returns also without news, for who waits to look about. */
static int wait_for_news(struct ita_keys *k, const char *what, int64_t deadline_ms, struct ratls_error *err)
{
	int64_t left_ms = deadline_ms - k->clock();
	int64_t step_ms = left_ms < ITA_STEP_MS ? left_ms : ITA_STEP_MS;

	if (left_ms <= 0 || transport_is_stopped(&k->transport))
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_SERVICE_TIMEOUT,
			"could not obtain the %s from Intel Trust Authority: no time is left", what);
	thread_cond_wait(&k->news, &k->lock, clock_monotonic_ms() + step_ms);
	return RATLS_OK;
}

/* That one asker had no time left, or that nobody waits any more, says nothing to the others. */
static bool is_of_asker(const struct ita_keys *k, const struct ratls_error *why, int64_t deadline_ms)
{
	return transport_is_stopped(&k->transport) ||
	       (why->reason == REASON_SERVICE_TIMEOUT && k->clock() >= deadline_ms);
}

/* ---- the key set --------------------------------------------------------------------------------------- */

static bool happened_within(int64_t since_ms, int64_t now_ms, int64_t span_ms)
{
	return since_ms != INT64_MIN && now_ms - since_ms < span_ms;
}

static int fetch_set(struct ita_keys *k, int64_t deadline_ms, struct jwks **ret, struct ratls_error *err)
{
	const struct ita_request request = {.what = "key set",
		.url = k->url,
		.max_body = JWKS_TEXT_MAX,
		.timeout_ms = ITA_KEYS_TIMEOUT_MS,
		.deadline_ms = deadline_ms};
	struct ratls_http_response answer = {0};
	struct outcome o = {0};
	int rc = ita_http(&k->transport, &request, &answer, err);

	if (rc != RATLS_OK)
		return rc;
	if (!jwks_new(cur_of(answer.body, answer.body_len), ret, &o))
		rc = o.status == CHECK_FAIL
			     ? err_reason(err, RATLS_E_UNAVAILABLE, REASON_ITA_KEYS,
				       "could not use the key set of Intel Trust Authority: %s", o.detail)
			     : err_set(err, RATLS_E_NOMEM, "%s", o.detail);
	http_response_done(&answer);
	return rc;
}

/* With the lock, which is not held while it fetches. */
static int refresh_set(struct ita_keys *k, int64_t deadline_ms, struct ratls_error *err)
{
	struct jwks *fresh = NULL;
	struct ratls_error why = {0};
	int rc;

	k->refreshing = true;
	pthread_mutex_unlock(&k->lock);
	rc = fetch_set(k, deadline_ms, &fresh, &why);
	pthread_mutex_lock(&k->lock);
	k->refreshing = false;
	pthread_cond_broadcast(&k->news);
	if (rc != RATLS_OK && is_of_asker(k, &why, deadline_ms))
		return err_reason(err, why.code, why.reason, "%s", why.message);
	k->tried_ms = k->clock();
	k->failed_ms = rc == RATLS_OK ? INT64_MIN : k->tried_ms;
	if (rc != RATLS_OK) {
		k->why = why;
		return err_reason(err, why.code, why.reason, "%s", why.message);
	}
	k->fetched_ms = k->tried_ms;
	jwks_free(k->set);
	k->set = fresh;
	return RATLS_OK;
}

/* An unknown key may be a new one: then the set is asked for once more, and not again for a while. */
static bool wants_refresh(const struct ita_keys *k, const char *kid, int64_t now_ms)
{
	if (happened_within(k->failed_ms, now_ms, ITA_PAUSE_MS))
		return false;
	if (k->set == NULL || now_ms - k->fetched_ms >= ITA_KEYS_FRESH_MS)
		return true;
	return jwks_find(k->set, kid) == NULL && !happened_within(k->tried_ms, now_ms, ITA_REFETCH_MS);
}

/* The old one serves while the portal is away or is being asked, for a day and for keys that it has. */
static bool serves(const struct ita_keys *k, const char *kid, int64_t now_ms)
{
	return k->set != NULL && now_ms - k->fetched_ms < ITA_KEYS_MAX_MS && jwks_find(k->set, kid) != NULL;
}

/* Until this key is there, or the newest set has none of this name, or nobody knows. With the lock. */
static int await_set(struct ita_keys *k, const char *kid, int64_t deadline_ms, struct ratls_error *err)
{
	for (;;) {
		int64_t now_ms = k->clock();
		bool serving = serves(k, kid, now_ms);
		int rc;

		if (!wants_refresh(k, kid, now_ms)) {
			if (serving || (k->set != NULL && k->failed_ms == INT64_MIN))
				return RATLS_OK;
			return err_reason(err, k->why.code, k->why.reason, "%s", k->why.message);
		}
		if (k->refreshing && serving)
			return RATLS_OK;
		if (k->refreshing) {
			rc = wait_for_news(k, "key set", deadline_ms, err);
			if (rc != RATLS_OK)
				return rc;
			continue;
		}
		rc = refresh_set(k, deadline_ms, err);
		return rc == RATLS_OK || serves(k, kid, now_ms) ? RATLS_OK : rc;
	}
}

int ita_keys_get(
	struct ita_keys *k, const char *kid, int64_t deadline_ms, struct jwks **ret, struct ratls_error *err)
{
	int rc;

	pthread_mutex_lock(&k->lock);
	rc = await_set(k, kid, deadline_ms, err);
	if (rc == RATLS_OK)
		*ret = jwks_ref(k->set);
	pthread_mutex_unlock(&k->lock);
	return rc;
}

/* ---- revocation lists ---------------------------------------------------------------------------------- */

static struct kept *find_kept(struct ita_keys *k, const char *url)
{
	for (size_t i = 0; i < ITA_LISTS_KEPT; i++)
		if (k->lists[i].url != NULL && strcmp(k->lists[i].url, url) == 0)
			return &k->lists[i];
	return NULL;
}

/* A place for a list: a free one, or that of the list longest out of use. NULL while others fetch into all of
 * them. */
static struct kept *make_room(struct ita_keys *k)
{
	struct kept *e = NULL;

	for (size_t i = 0; i < ITA_LISTS_KEPT && (e == NULL || e->url != NULL); i++)
		if (!k->lists[i].refreshing &&
			(e == NULL || k->lists[i].url == NULL || k->lists[i].used_ms < e->used_ms))
			e = &k->lists[i];
	return e;
}

static bool take_room(struct kept *e, const char *url)
{
	kept_done(e);
	e->url = strdup(url);
	e->next_update = e->failed_ms = INT64_MIN;
	return e->url != NULL;
}

static int fetch_list(struct ita_keys *k, const char *url, int64_t deadline_ms, struct buf *ret,
	int64_t *ret_next_update, struct ratls_error *err)
{
	const struct ita_request request = {.what = "revocation list",
		.url = url,
		.max_body = JWK_CRL_MAX,
		.timeout_ms = ITA_KEYS_TIMEOUT_MS,
		.deadline_ms = deadline_ms};
	struct ratls_http_response answer = {0};
	struct buf list = {0};
	int rc = ita_http(&k->transport, &request, &answer, err);

	if (rc != RATLS_OK)
		return rc;
	buf_bytes(&list, answer.body, answer.body_len);
	if (list.bad)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	else if (!jwk_crl_next_update(cur_of(list.p, list.len), ret_next_update))
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_ITA_ANSWER,
			"what is at %.200s is no revocation list", url);
	http_response_done(&answer);
	if (rc == RATLS_OK)
		*ret = list;
	else
		buf_done(&list);
	return rc;
}

/* With the lock, which is not held while it fetches. */
static int refresh_list(struct ita_keys *k, struct kept *e, int64_t deadline_ms, struct ratls_error *err)
{
	struct ratls_error why = {0};
	struct buf list = {0};
	int64_t next_update = INT64_MIN;
	int rc;

	e->refreshing = true;
	pthread_mutex_unlock(&k->lock);
	rc = fetch_list(k, e->url, deadline_ms, &list, &next_update, &why);
	pthread_mutex_lock(&k->lock);
	e->refreshing = false;
	pthread_cond_broadcast(&k->news);
	if (rc != RATLS_OK) {
		if (!is_of_asker(k, &why, deadline_ms)) {
			e->failed_ms = k->clock();
			e->why = why;
		}
		return err_reason(err, why.code, why.reason, "%s", why.message);
	}
	buf_done(&e->list);
	e->list = list;
	e->next_update = next_update;
	e->fetched_ms = k->clock();
	e->failed_ms = INT64_MIN;
	return RATLS_OK;
}

static bool list_wants_refresh(const struct kept *e, int64_t at, int64_t now_ms)
{
	bool old = at > e->next_update || now_ms - e->fetched_ms >= ITA_LISTS_FRESH_MS;

	return old && !happened_within(e->failed_ms, now_ms, ITA_PAUSE_MS);
}

/* One that has become old is fetched anew, and serves on while that lasts and if it fails. What has ended is
 * given only if it is the newest that there is: appraisal says so. NULL fills err. With the lock. */
static struct kept *await_list(
	struct ita_keys *k, const char *url, int64_t at, int64_t deadline_ms, struct ratls_error *err)
{
	for (;;) {
		int64_t now_ms = k->clock();
		struct kept *e = find_kept(k, url);

		if (e == NULL && (e = make_room(k)) != NULL && !take_room(e, url)) {
			err_set(err, RATLS_E_NOMEM, "out of memory");
			return NULL;
		}
		if (e != NULL)
			e->used_ms = now_ms;
		if (e != NULL && !list_wants_refresh(e, at, now_ms)) {
			if (at <= e->next_update || e->failed_ms == INT64_MIN)
				return e;
			err_reason(err, e->why.code, e->why.reason, "%s", e->why.message);
			return NULL;
		}
		if (e != NULL && e->refreshing && at <= e->next_update)
			return e;
		if (e != NULL && !e->refreshing)
			return refresh_list(k, e, deadline_ms, err) == RATLS_OK || at <= e->next_update
				       ? e
				       : NULL;
		if (wait_for_news(k, "revocation list", deadline_ms, err) != RATLS_OK)
			return NULL;
	}
}

/* err is not NULL. */
static int get_list(struct ita_keys *k, const char *url, int64_t at, int64_t deadline_ms, struct buf *ret,
	struct ratls_error *err)
{
	const struct kept *e = await_list(k, url, at, deadline_ms, err);

	if (e == NULL)
		return err->code;
	buf_bytes(ret, e->list.p, e->list.len);
	return ret->bad ? err_set(err, RATLS_E_NOMEM, "out of memory") : RATLS_OK;
}

static int add_list(struct ita_keys *k, const struct jwk *key, size_t i, int64_t at, int64_t deadline_ms,
	struct ita_lists *l, struct ratls_error *err)
{
	char url[JWK_URL_MAX + 1];
	struct ratls_error why = {0};
	int rc;

	if (!jwk_crl_url(key, i, url)) {
		snprintf(l->missing, sizeof(l->missing),
			"a certificate does not say where its revocation list is");
		return RATLS_OK;
	}
	rc = get_list(k, url, at, deadline_ms, &l->list[l->n], &why);
	if (rc == RATLS_OK)
		l->n++;
	else if (rc == RATLS_E_NOMEM)
		return err_set(err, rc, "out of memory");
	else
		snprintf(l->missing, sizeof(l->missing), "%s", why.message);
	return RATLS_OK;
}

int ita_keys_lists(struct ita_keys *k, const struct jwk *key, int64_t at, int64_t deadline_ms,
	struct ita_lists *ret, struct ratls_error *err)
{
	struct ita_lists l = {.n = 0};
	int rc = RATLS_OK;

	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < jwk_n_revocable(key) && rc == RATLS_OK && l.missing[0] == '\0'; i++)
		rc = add_list(k, key, i, at, deadline_ms, &l, err);
	pthread_mutex_unlock(&k->lock);
	if (rc == RATLS_OK)
		*ret = l;
	else
		ita_lists_done(&l);
	return rc;
}

void ita_lists_done(struct ita_lists *l)
{
	for (size_t i = 0; i < ITA_CRLS_MAX; i++)
		buf_done(&l->list[i]);
}
