/* SPDX-License-Identifier: Apache-2.0
 *
 * Where endorsements come from, in order: memory, the directory, the services; or memory and one file.
 */
#include "ratls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/reason.h"
#include "source/cache.h"
#include "source/collateral.h"
#include "source/fetch.h"
#include "source/pcs.h"

#define SOURCE_URLS_MAX 8

struct ratls_source {
	char *urls[SOURCE_URLS_MAX];
	size_t n_urls;
	char *directory;  /* NULL: none */
	char *collateral; /* a file that answers for every platform; NULL: none */
	ratls_fetch_fn fetch;
	void *fetch_self;
	uint8_t *trust_root; /* NULL: Intel's */
	struct ratls_endorsements_options options;
	struct cache *cache;
};

/* A search through all places for one platform. */
struct search {
	const struct ratls_source *source;
	const struct platform_id *platform;
	int64_t at;
	struct ratls_endorsements *best; /* the one that lasts longest of those seen */
	size_t n_failed,
		n_unknown; /* places without an answer; of these, services that know no such platform */
	struct buf why;    /* "PLACE: REASON; ..." */
};

static bool search_satisfied(const struct search *s)
{
	return s->best != NULL && s->at <= endorsements_valid_until(s->best);
}

/* Room for each place's words, so that one that is verbose does not hide the others. */
static int words_per_place(const struct ratls_source *source)
{
	size_t places = source->n_urls + (source->directory != NULL ? 1 : 0);

	return (int)((RATLS_ERROR_MESSAGE_SIZE - 64) / places);
}

/* Takes found. */
static void search_found(struct search *s, struct ratls_endorsements *found)
{
	if (s->best != NULL && endorsements_valid_until(found) <= endorsements_valid_until(s->best)) {
		ratls_endorsements_free(found);
		return;
	}
	ratls_endorsements_free(s->best);
	s->best = found;
}

static void search_failed(struct search *s, const char *place, const struct ratls_error *why)
{
	char text[2 * RATLS_ERROR_MESSAGE_SIZE];

	snprintf(text, sizeof(text), "%s: %s", place, why->message);
	buf_fmt(&s->why, "%s%.*s", s->n_failed > 0 ? "; " : "", words_per_place(s->source) - 2, text);
	s->n_failed++;
	if (why->reason == REASON_PLATFORM_UNKNOWN)
		s->n_unknown++;
}

static void search_directory(struct search *s)
{
	struct ratls_endorsements *found = NULL;
	struct ratls_error why = {0};

	if (collateral_from_directory(s->source->directory, s->platform, &s->source->options, &found, &why) ==
		RATLS_OK)
		search_found(s, found);
	else
		search_failed(s, "directory", &why);
}

static void search_url(struct search *s, const char *url)
{
	struct pcs p = {.base = url, .fetch = s->source->fetch, .fetch_self = s->source->fetch_self};
	struct pcs_answers answers = {0};
	struct ratls_endorsements *found = NULL;
	struct ratls_error why = {0};
	int rc = pcs_ask(&p, s->platform, &answers, &why);

	if (rc == RATLS_OK)
		rc = collateral_from_answers(&answers, url, &s->source->options, &found, &why);
	pcs_answers_done(&answers);
	if (rc == RATLS_OK)
		search_found(s, found);
	else
		search_failed(s, url, &why);
}

static int search_error(struct search *s, struct ratls_error *err)
{
	char fmspc[2 * sizeof(s->platform->fmspc) + 1];
	int reason = s->n_unknown > 0 && s->n_unknown == s->source->n_urls ? REASON_PLATFORM_UNKNOWN
									   : REASON_COLLATERAL_UNAVAILABLE;

	hex_encode(s->platform->fmspc, sizeof(s->platform->fmspc), fmspc);
	return err_reason(err, RATLS_E_UNAVAILABLE, reason, "no collateral for platform %s: %.*s", fmspc,
		(int)s->why.len, (const char *)s->why.p);
}

/* Of several places the first whose collateral holds at the time wins: a mirror that lags is passed over
 * while another place has better. If none does, the one that lasted longest is given, because what is wrong
 * with it is for appraisal to say. */
static int source_fill(void *self, const struct platform_id *platform, int64_t at,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	const struct ratls_source *source = self;
	struct search s = {.source = source, .platform = platform, .at = at};
	int rc = RATLS_OK;

	if (source->collateral != NULL)
		return collateral_from_file(source->collateral, &source->options, ret, err);
	if (source->directory != NULL)
		search_directory(&s);
	for (size_t i = 0; i < source->n_urls && !search_satisfied(&s); i++)
		search_url(&s, source->urls[i]);
	if (s.best != NULL)
		*ret = s.best;
	else
		rc = search_error(&s, err);
	buf_done(&s.why);
	return rc;
}

static int add_url(struct ratls_source *s, const char *url, struct ratls_error *err)
{
	size_t len = strlen(url);

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return err_set(
			err, RATLS_E_ARG, "collateral service \"%.100s\" is no http:// or https:// URL", url);
	if (s->n_urls == SOURCE_URLS_MAX)
		return err_set(err, RATLS_E_ARG, "more than %d collateral services", SOURCE_URLS_MAX);
	while (len > 0 && url[len - 1] == '/')
		len--;
	s->urls[s->n_urls] = strndup(url, len);
	if (s->urls[s->n_urls] == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	s->n_urls++;
	return RATLS_OK;
}

static int copy_urls(struct ratls_source *s, const char *const *urls, struct ratls_error *err)
{
	static const char *const intel[] = {PCS_INTEL_URL, NULL};
	int rc = RATLS_OK;

	for (const char *const *url = urls != NULL ? urls : intel; rc == RATLS_OK && *url != NULL; url++)
		rc = add_url(s, *url, err);
	if (rc == RATLS_OK && s->n_urls == 0 && s->directory == NULL)
		rc = err_set(err, RATLS_E_ARG, "neither a collateral service nor a directory is named");
	return rc;
}

static int copy_options(struct ratls_source *s, const struct ratls_source_options *o, struct ratls_error *err)
{
	s->fetch = o->fetch != NULL ? o->fetch : fetch_curl;
	s->fetch_self = o->fetch_self;
	s->options.size = sizeof(s->options);
	if (o->directory != NULL && (s->directory = strdup(o->directory)) == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	if (o->collateral != NULL && (s->collateral = strdup(o->collateral)) == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	if (o->insecure_trust_root_len > 0) {
		s->trust_root = malloc(o->insecure_trust_root_len);
		if (s->trust_root == NULL)
			return err_set(err, RATLS_E_NOMEM, "out of memory");
		memcpy(s->trust_root, o->insecure_trust_root, o->insecure_trust_root_len);
		s->options.insecure_trust_root = s->trust_root;
		s->options.insecure_trust_root_len = o->insecure_trust_root_len;
	}
	return copy_urls(s, o->urls, err);
}

int ratls_source_new(
	const struct ratls_source_options *options, struct ratls_source **ret, struct ratls_error *err)
{
	struct ratls_source_options known = {0};
	struct ratls_source *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	/* A caller built against an older header passes less, one built against a newer more. */
	if (options != NULL)
		memcpy(&known, options, options->size < sizeof(known) ? options->size : sizeof(known));
	rc = copy_options(s, &known, err);
	if (rc == RATLS_OK)
		rc = cache_new(source_fill, s, &s->cache, err);
	if (rc == RATLS_OK)
		*ret = s;
	else
		ratls_source_free(s);
	return rc;
}

int ratls_source_endorse(struct ratls_source *source, const struct ratls_evidence *evidence, int64_t at,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct platform_id platform = {.ca = "any"};
	int rc = RATLS_OK;

	/* A file answers for the platform that it is about, even where a quote does not name its own. */
	if (source->collateral == NULL)
		rc = platform_id_of(evidence, &platform, err);
	return rc == RATLS_OK ? cache_get(source->cache, &platform, at, clock_monotonic_ms(), ret, err) : rc;
}

void ratls_source_free(struct ratls_source *source)
{
	if (source == NULL)
		return;
	cache_free(source->cache);
	for (size_t i = 0; i < source->n_urls; i++)
		free(source->urls[i]);
	free(source->directory);
	free(source->collateral);
	free(source->trust_root);
	free(source);
}
