/* SPDX-License-Identifier: Apache-2.0
 *
 * Where endorsements come from, in order: memory, the directory, what was kept on disk, the services; or
 * memory and one file.
 */
#include "source/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appraisal/endorsements.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/options.h"
#include "base/reason.h"
#include "evidence/evidence.h"
#include "evidence/pck_name.h"
#include "source/cache.h"
#include "source/collateral.h"
#include "source/named.h"
#include "source/place.h"
#include "source/shelf.h"

#define SOURCE_URLS_MAX    8
#define OPTIONS_FIRST_SIZE offsetof(struct ratls_source_options, collateral)

struct ratls_source {
	struct place *places[SOURCE_URLS_MAX]; /* the cache's thread asks them */
	size_t n_places;
	struct transport transport;
	char *directory;     /* NULL: none */
	char *collateral;    /* a file that answers for every platform; NULL: none */
	struct shelf *shelf; /* NULL: none */
	uint8_t *trust_root; /* NULL: Intel's */
	struct ratls_endorsements_options options;
	struct cache *cache;
	struct named *named;
};

/* A search through all places for one platform. */
struct search {
	const struct ratls_source *source;
	const struct platform_id *platform;
	int64_t at;
	struct cache_found best; /* the one that lasts longest of those that are sound */
	bool good;               /* it holds at that time */
	size_t n_failed,
		n_unknown; /* places without an answer; of these, services that know no such platform */
	struct buf why;    /* "PLACE: REASON; ..." */
};

/* Room for each place's words, so that one that is verbose does not hide the others. */
static int words_per_place(const struct ratls_source *source)
{
	size_t places = source->n_places + (source->directory != NULL ? 1 : 0);

	return (int)((RATLS_ERROR_MESSAGE_SIZE - 64) / places);
}

/* Takes found, which is sound. */
static void search_found(struct search *s, struct ratls_endorsements *found, int64_t age_ms)
{
	struct ratls_endorsements *best = s->best.endorsements;
	int64_t ends = endorsements_valid_until(found);

	if (best != NULL && ends <= endorsements_valid_until(best)) {
		ratls_endorsements_free(found);
		return;
	}
	ratls_endorsements_free(best);
	s->best = (struct cache_found){found, age_ms};
	s->good = s->at <= ends;
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

static bool asks(const struct ratls_source *source, const char *url)
{
	for (size_t i = 0; i < source->n_places; i++)
		if (strcmp(place_url(source->places[i]), url) == 0)
			return true;
	return false;
}

/* What is kept on disk is a place like the others, except that it is silent about what it does not have. What
 * came from a service that is not to be asked does not count. */
static void search_shelf(struct search *s)
{
	const struct ratls_source *source = s->source;
	struct ratls_endorsements *found = NULL;
	struct shelf_label label = {.source = NULL};

	if (source->shelf == NULL ||
		shelf_load(source->shelf, s->platform, &source->options, &found, &label, NULL) != RATLS_OK)
		return;
	if (asks(source, label.source) && s->at <= endorsements_valid_until(found))
		search_found(s, found, (clock_now() - label.fetched) * 1000);
	else
		ratls_endorsements_free(found);
	free(label.source);
}

/* What is not sound says something of the place, and nothing of the platform. */
static int check(const struct search *s, struct ratls_endorsements **e, struct ratls_error *err)
{
	struct ratls_error why = {0};

	if (endorsements_check(*e, s->platform, &why) == RATLS_OK)
		return RATLS_OK;
	ratls_endorsements_free(*e);
	*e = NULL;
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE, "%s", why.message);
}

static void search_directory(struct search *s)
{
	struct ratls_endorsements *found = NULL;
	struct ratls_error why = {0};
	int rc = collateral_from_directory(
		s->source->directory, s->platform, &s->source->options, &found, &why);

	if (rc == RATLS_OK)
		rc = check(s, &found, &why);
	if (rc == RATLS_OK)
		search_found(s, found, 0);
	else
		search_failed(s, "directory", &why);
}

static int ask_place(
	const struct search *s, struct place *p, struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct pcs_answers answers = {0};
	int rc = place_ask(p, s->platform, clock_monotonic_ms(), &answers, err);

	if (rc != RATLS_OK)
		return rc;
	rc = collateral_from_answers(&answers, place_url(p), &s->source->options, ret, err);
	pcs_answers_done(&answers);
	return rc == RATLS_OK ? check(s, ret, err) : rc;
}

static void search_place(struct search *s, struct place *p)
{
	struct ratls_endorsements *found = NULL;
	struct ratls_error why = {0};
	int rc = ask_place(s, p, &found, &why);

	/* Perhaps it is what was kept from another platform that has ended or was never any good. */
	if ((rc != RATLS_OK || s->at > endorsements_valid_until(found)) && place_forget(p)) {
		ratls_endorsements_free(found);
		found = NULL;
		rc = ask_place(s, p, &found, &why);
	}
	if (rc == RATLS_OK)
		search_found(s, found, 0);
	else
		search_failed(s, place_url(p), &why);
}

/* Asked in order until one has what holds: a mirror that lags is passed over while another place has better.
 * If none has, the one that lasted longest is given, because what is wrong with it is for appraisal to say.
 */
static void search_places(struct search *s)
{
	const struct ratls_source *source = s->source;

	for (size_t i = 0; i < source->n_places && !s->good; i++)
		search_place(s, source->places[i]);
	if (s->good && source->shelf != NULL)
		(void)shelf_store(source->shelf, s->platform, s->best.endorsements, clock_now(), NULL);
}

static int search_error(struct search *s, struct ratls_error *err)
{
	char fmspc[2 * sizeof(s->platform->fmspc) + 1];
	int reason = s->n_unknown > 0 && s->n_unknown == s->source->n_places ? REASON_PLATFORM_UNKNOWN
									     : REASON_COLLATERAL_UNAVAILABLE;

	hex_encode(s->platform->fmspc, sizeof(s->platform->fmspc), fmspc);
	return err_reason(err, RATLS_E_UNAVAILABLE, reason, "no collateral for platform %s: %.*s", fmspc,
		(int)s->why.len, (const char *)s->why.p);
}

static int source_fill(void *self, const struct platform_id *platform, int64_t at, bool cold,
	struct cache_found *ret, struct ratls_error *err)
{
	const struct ratls_source *source = self;
	struct search s = {.source = source, .platform = platform, .at = at};
	int rc = RATLS_OK;

	if (source->collateral != NULL)
		return collateral_from_file(source->collateral, &source->options, &ret->endorsements, err);
	if (source->directory != NULL)
		search_directory(&s);
	if (cold && !s.good)
		search_shelf(&s);
	if (!s.good)
		search_places(&s);
	if (s.best.endorsements != NULL)
		*ret = s.best;
	else
		rc = search_error(&s, err);
	buf_done(&s.why);
	return rc;
}

/* ---- quotes that name their PCK certificate without carrying it ---------------------------------------------- */

static int ask_for_pck(void *self, const struct pck_name *name, const struct cur *qeid, int64_t deadline_ms,
	struct buf *ret_chain, struct ratls_error *err)
{
	struct ratls_source *source = self;
	struct search s = {.source = source};
	int rc = RATLS_E_UNAVAILABLE;

	if (source->n_places == 0)
		return err_reason(err, rc, REASON_COLLATERAL_UNAVAILABLE,
			"no PCK certificate for the quote: it names one, and there is no service to ask for it");
	for (size_t i = 0; i < source->n_places && rc == RATLS_E_UNAVAILABLE; i++) {
		struct ratls_error why = {0};

		buf_done(ret_chain);
		rc = place_ask_pck(source->places[i], name, qeid, clock_monotonic_ms(), deadline_ms, ret_chain,
			&why);
		if (rc != RATLS_OK)
			search_failed(&s, place_url(source->places[i]), &why);
	}
	if (rc != RATLS_OK)
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"no PCK certificate for the quote: %.*s", (int)s.why.len, (const char *)s.why.p);
	buf_done(&s.why);
	return rc;
}

/* When the endorsements are to hold, and how long their asker waits. */
struct question {
	int64_t at, deadline_ms;
	bool *waits; /* NULL: until then; else not at all, and this says that he would have to */
};

static struct question patient(int64_t at)
{
	return (struct question){.at = at, .deadline_ms = clock_monotonic_ms() + SOURCE_WAIT_MS};
}

static int look_up(struct ratls_source *source, const struct platform_id *platform, const struct question *q,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	int64_t now_ms = clock_monotonic_ms();

	return q->waits != NULL ? cache_ask(source->cache, platform, q->at, now_ms, q->waits, ret, err)
				: cache_get(source->cache, platform, q->at, now_ms, q->deadline_ms, ret, err);
}

/* What is known of the platform that this chain names; of a chain that is of another root, nothing but ours:
 * strangers must not make us ask others about whatever they make up. */
static int endorse_chain(struct ratls_source *source, const struct platform_id *platform, struct cur chain,
	const struct question *q, struct ratls_endorsements **ret, struct ratls_error *err)
{
	if (!cache_knows(source->cache, platform, q->at, clock_monotonic_ms()) &&
		!platform_id_is_of_root(chain, &source->options))
		return endorsements_of_root(&source->options, ret, err);
	return look_up(source, platform, q, ret, err);
}

static int endorse_named(struct ratls_source *source, const struct quote *quote, const struct question *q,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct cur enclave = quote->user_data, qeid = cur_take(&enclave, 16); /* by convention of Intel's QE */
	struct ratls_endorsements *shared = NULL;
	struct platform_id platform;
	struct pck_name name;
	struct buf text = {0};
	struct cur chain;
	int rc;

	if (!pck_name_read(quote, &name))
		return err_reason(err, RATLS_E_FORMAT, REASON_PCK_NAMED,
			"could not read how the quote names its PCK certificate: certification data of type %u "
			"have the wrong size",
			quote->certification_type);
	if (q->waits != NULL && !named_knows(source->named, &name, clock_monotonic_ms())) {
		*q->waits = true;
		return err_set(err, RATLS_E_UNAVAILABLE, "the PCK certificate would have to be waited for");
	}
	rc = named_get(source->named, &name, &qeid, clock_monotonic_ms(), q->deadline_ms, &text, err);
	chain = cur_of(text.p, text.len);
	if (rc == RATLS_OK)
		rc = platform_id_of_chain(chain, &platform, err);
	if (rc == RATLS_OK)
		rc = endorse_chain(source, &platform, chain, q, &shared, err);
	if (rc == RATLS_OK)
		rc = endorsements_with_pck(shared, chain, ret, err);
	ratls_endorsements_free(shared);
	buf_done(&text);
	return rc;
}

/* ---- making a source ------------------------------------------------------------------------------------------- */

static int copy_urls(struct ratls_source *s, const char *const *urls, struct ratls_error *err)
{
	static const char *const intel[] = {PCS_INTEL_URL, NULL};
	int rc = RATLS_OK;

	for (const char *const *url = urls != NULL ? urls : intel; rc == RATLS_OK && *url != NULL; url++) {
		if (s->n_places == SOURCE_URLS_MAX)
			return err_set(err, RATLS_E_ARG, "more than %d collateral services", SOURCE_URLS_MAX);
		rc = place_new(*url, &s->transport, &s->places[s->n_places], err);
		s->n_places += rc == RATLS_OK;
	}
	if (rc == RATLS_OK && s->n_places == 0 && s->directory == NULL)
		rc = err_set(err, RATLS_E_ARG, "neither a collateral service nor a directory is named");
	return rc;
}

static bool is_stopping(const void *self)
{
	const struct ratls_source *s = self;

	return cache_is_stopping(s->cache);
}

static int copy_options(struct ratls_source *s, const struct ratls_source_options *o, struct ratls_error *err)
{
	s->transport = transport_of(o->fetch, o->fetch_self);
	s->transport.stop = is_stopping;
	s->transport.stop_self = s;
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

static int new_cache(struct ratls_source *s, bool one_shot, struct ratls_error *err)
{
	const struct cache_options options = {.fill = source_fill,
		.self = s,
		.refresh_first = one_shot,
		.local = s->collateral != NULL || s->n_places == 0};

	return cache_new(&options, &s->cache, err);
}

int ratls_source_new(
	const struct ratls_source_options *options, struct ratls_source **ret, struct ratls_error *err)
{
	struct ratls_source_options known;
	struct ratls_source *s;
	int rc = options_copy(&known, sizeof(known), options, OPTIONS_FIRST_SIZE, err);

	if (rc != RATLS_OK)
		return rc;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	rc = copy_options(s, &known, err);
	if (rc == RATLS_OK && known.cache_dir != NULL && known.collateral == NULL)
		rc = shelf_new(known.cache_dir, &s->shelf, err);
	if (rc == RATLS_OK)
		rc = new_cache(s, known.one_shot, err);
	if (rc == RATLS_OK)
		rc = named_new(ask_for_pck, s, &s->named, err);
	if (rc == RATLS_OK)
		*ret = s;
	else
		ratls_source_free(s);
	return rc;
}

int source_endorse_platform(struct ratls_source *source, const struct platform_id *platform, int64_t at,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct question q = patient(at);

	return look_up(source, platform, &q, ret, err);
}

static int endorse(struct ratls_source *source, const struct ratls_evidence *evidence,
	const struct question *q, struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct platform_id platform = {.ca = PLATFORM_CA_ANY};
	int rc;

	/* A file answers for the platform that it is about, even where a quote does not name its own. */
	if (source->collateral != NULL)
		return look_up(source, &platform, q, ret, err);
	if (quote_names_pck(&evidence->quote))
		return endorse_named(source, &evidence->quote, q, ret, err);
	rc = platform_id_of(evidence, &platform, err);
	return rc == RATLS_OK ? endorse_chain(source, &platform, evidence->quote.certification, q, ret, err) : rc;
}

int ratls_source_endorse(struct ratls_source *source, const struct ratls_evidence *evidence, int64_t at,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct question q = patient(at);

	return endorse(source, evidence, &q, ret, err);
}

int source_endorse_now(struct ratls_source *source, const struct ratls_evidence *evidence, int64_t at,
	bool *ret_waits, struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct question q = patient(at);

	q.waits = ret_waits;
	*ret_waits = false;
	return endorse(source, evidence, &q, ret, err);
}

/* ---- what will hold --------------------------------------------------------------------------------------
 */

static int ask_early(const struct search *s, const struct place *p, struct ratls_endorsements **ret,
	struct ratls_error *err)
{
	struct pcs pcs = place_pcs(p);
	struct pcs_answers answers = {0};
	struct pcs_trouble trouble;
	int rc;

	pcs.early = true;
	rc = pcs_ask(&pcs, s->platform, &answers, &trouble, err);
	if (rc == RATLS_OK)
		rc = collateral_from_answers(&answers, place_url(p), &s->source->options, ret, err);
	pcs_answers_done(&answers);
	return rc == RATLS_OK ? check(s, ret, err) : rc;
}

static int with_pck_of(struct cur chain, struct ratls_endorsements **e, struct ratls_error *err)
{
	struct ratls_endorsements *bare = *e;
	int rc;

	if (chain.left == 0)
		return RATLS_OK;
	rc = endorsements_with_pck(bare, chain, e, err);
	ratls_endorsements_free(bare);
	return rc;
}

int source_forecast(struct ratls_source *source, const struct ratls_evidence *evidence,
	const struct ratls_endorsements *current, struct ratls_endorsements **ret, struct ratls_error *err)
{
	bool named = quote_names_pck(&evidence->quote);
	struct cur chain = named ? endorsements_pck_chain(current) : evidence->quote.certification;
	struct ratls_endorsements *found = NULL;
	struct platform_id platform;
	struct search s = {.source = source, .platform = &platform};
	int rc;

	if (source->collateral != NULL)
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"no forecast: collateral comes from a file, and nobody is asked");
	rc = platform_id_of_chain(chain, &platform, err);
	if (rc != RATLS_OK)
		return rc;
	for (size_t i = 0; i < source->n_places && found == NULL; i++) {
		struct ratls_error why = {0};

		if (ask_early(&s, source->places[i], &found, &why) != RATLS_OK)
			search_failed(&s, place_url(source->places[i]), &why);
	}
	if (found == NULL)
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE, "no forecast: %.*s",
			(int)s.why.len, s.why.len > 0 ? (const char *)s.why.p : "");
	buf_done(&s.why);
	if (rc == RATLS_OK && named)
		rc = with_pck_of(chain, &found, err);
	if (rc == RATLS_OK)
		*ret = found;
	return rc;
}

void source_stop(struct ratls_source *source)
{
	cache_stop(source->cache);
	named_stop(source->named);
}

void ratls_source_free(struct ratls_source *source)
{
	if (source == NULL)
		return;
	cache_free(source->cache);
	named_free(source->named);
	for (size_t i = 0; i < source->n_places; i++)
		place_free(source->places[i]);
	shelf_free(source->shelf);
	free(source->directory);
	free(source->collateral);
	free(source->trust_root);
	free(source);
}
