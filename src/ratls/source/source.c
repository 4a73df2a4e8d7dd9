/* SPDX-License-Identifier: Apache-2.0
 *
 * Where endorsements come from, in order: memory, the directory, what was kept on disk, the services; or
 * memory and one file.
 */
#include "source/source.h"

#include <stdlib.h>
#include <string.h>

#include "appraisal/appraise.h"
#include "appraisal/endorsements.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/options.h"
#include "base/reason.h"
#include "evidence/evidence.h"
#include "evidence/pck_name.h"
#include "source/cache.h"
#include "source/collateral.h"
#include "source/named.h"
#include "source/search.h"

#define OPTIONS_FIRST_SIZE offsetof(struct ratls_source_options, collateral)

struct ratls_source {
	struct search_places places;
	struct transport transport; /* of all of them */
	char *collateral;           /* a file that answers for every platform; NULL: none */
	uint8_t *trust_root;        /* NULL: Intel's */
	struct cache *cache;
	struct named *named;
};

static int fill(void *self, const struct platform_id *platform, int64_t at, bool cold, struct cache_found *ret,
	struct ratls_error *err)
{
	const struct ratls_source *s = self;

	if (s->collateral != NULL)
		return collateral_from_file(s->collateral, &s->places.options, &ret->endorsements, err);
	return search_platform(&s->places, platform, at, cold, ret, err);
}

static int ask_for_pck(void *self, const struct pck_name *name, const struct cur *qeid, int64_t deadline_ms,
	struct buf *ret_chain, struct ratls_error *err)
{
	const struct ratls_source *s = self;

	return search_pck(&s->places, name, qeid, deadline_ms, ret_chain, err);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

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
		!platform_id_is_of_root(chain, &source->places.options))
		return endorsements_of_root(&source->places.options, ret, err);
	return look_up(source, platform, q, ret, err);
}

/* Is nothing wrong with what it says by itself, before anybody knows whose it is? */
static int is_worth_asking(const struct ratls_evidence *evidence, int64_t at, bool *ret, struct ratls_error *err)
{
	static const struct ratls_binding any = {.kind = RATLS_BINDING_NONE};
	const struct appraisal_inputs in = {
		.verifiers = APPRAISED_DCAP, .evidence = evidence, .binding = &any, .at = at};
	struct ratls_report *report = NULL;
	int class, rc = appraise_inputs(&in, &report, err);

	if (rc != RATLS_OK)
		return rc;
	class = ratls_report_class(report);
	*ret = class != CLASS_EVIDENCE && class != CLASS_AUTHENTICITY;
	ratls_report_free(report);
	return RATLS_OK;
}

/* The chain of that name. Names are as easily made up as chains of another root: so it is not asked for, and *ret_chain
 * stays empty, if that can be told without it: the key that signed the quote must have, and the quoting enclave's
 * report must name it. */
static int find_chain(struct ratls_source *source, const struct ratls_evidence *evidence,
	const struct pck_name *name, const struct question *q, struct buf *ret_chain, struct ratls_error *err)
{
	struct cur enclave = evidence->quote.user_data, qeid = cur_take(&enclave, 16); /* by convention of Intel's QE */
	int64_t now_ms = clock_monotonic_ms();
	bool waits, ask = false;
	int rc = named_recall(source->named, name, now_ms, &waits, ret_chain, err);

	if (!waits)
		return rc;
	rc = is_worth_asking(evidence, q->at, &ask, err);
	if (rc != RATLS_OK || !ask)
		return rc;
	if (q->waits == NULL)
		return named_get(source->named, name, &qeid, now_ms, q->deadline_ms, ret_chain, err);
	*q->waits = true;
	return RATLS_E_UNAVAILABLE; /* err has it from named_recall */
}

static int endorse_named(struct ratls_source *source, const struct ratls_evidence *evidence,
	const struct question *q, struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct ratls_endorsements *shared = NULL;
	struct platform_id platform;
	struct pck_name name;
	struct buf text = {0};
	bool named = pck_name_read(&evidence->quote, &name);
	int rc = named ? find_chain(source, evidence, &name, q, &text, err) : RATLS_OK;
	struct cur chain = cur_of(text.p, text.len);

	if (rc == RATLS_OK && chain.left == 0)
		return endorsements_of_root(&source->places.options, ret, err);
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
		if (s->places.n == SEARCH_PLACES_MAX)
			return err_set(err, RATLS_E_ARG, "more than %d collateral services", SEARCH_PLACES_MAX);
		rc = place_new(*url, &s->transport, &s->places.place[s->places.n], err);
		s->places.n += rc == RATLS_OK;
	}
	if (rc == RATLS_OK && s->places.n == 0 && s->places.directory == NULL)
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
	s->places.options.size = sizeof(s->places.options);
	if (o->directory != NULL && (s->places.directory = strdup(o->directory)) == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	if (o->collateral != NULL && (s->collateral = strdup(o->collateral)) == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	if (o->insecure_trust_root_len > 0) {
		s->trust_root = malloc(o->insecure_trust_root_len);
		if (s->trust_root == NULL)
			return err_set(err, RATLS_E_NOMEM, "out of memory");
		memcpy(s->trust_root, o->insecure_trust_root, o->insecure_trust_root_len);
		s->places.options.insecure_trust_root = s->trust_root;
		s->places.options.insecure_trust_root_len = o->insecure_trust_root_len;
	}
	return copy_urls(s, o->urls, err);
}

static int new_cache(struct ratls_source *s, bool one_shot, struct ratls_error *err)
{
	const struct cache_options options = {.fill = fill,
		.self = s,
		.refresh_first = one_shot,
		.local = s->collateral != NULL || s->places.n == 0};

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
		rc = shelf_new(known.cache_dir, &s->places.shelf, err);
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
		return endorse_named(source, evidence, q, ret, err);
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

/* ---- what will hold ------------------------------------------------------------------------------------ */

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
	int rc;

	if (source->collateral != NULL)
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"no forecast: collateral comes from a file, and nobody is asked");
	rc = platform_id_of_chain(chain, &platform, err);
	if (rc != RATLS_OK)
		return rc;
	rc = search_early(&source->places, &platform, &found, err);
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
	for (size_t i = 0; i < source->places.n; i++)
		place_free(source->places.place[i]);
	shelf_free(source->places.shelf);
	free(source->places.directory);
	free(source->collateral);
	free(source->trust_root);
	free(source);
}
