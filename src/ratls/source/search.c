/* SPDX-License-Identifier: Apache-2.0 */
#include "source/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appraisal/endorsements.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/reason.h"
#include "source/collateral.h"

/* A search through all places for one platform. */
struct search {
	const struct search_places *places;
	const struct platform_id *platform;
	int64_t at;
	struct cache_found best; /* the one that lasts longest of those that are sound */
	bool good;               /* it holds at that time */
	size_t n_failed,
		n_unknown; /* places without an answer; of these, services that know no such platform */
	struct buf why;    /* "PLACE: REASON; ..." */
};

/* Room for each place's words, so that one that is verbose does not hide the others. */
static int words_per_place(const struct search_places *places)
{
	size_t asked = places->n + (places->directory != NULL ? 1 : 0);

	return (int)((RATLS_ERROR_MESSAGE_SIZE - 64) / asked);
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
	buf_fmt(&s->why, "%s%.*s", s->n_failed > 0 ? "; " : "", words_per_place(s->places) - 2, text);
	s->n_failed++;
	if (why->reason == REASON_PLATFORM_UNKNOWN)
		s->n_unknown++;
}

static bool asks(const struct search_places *places, const char *url)
{
	for (size_t i = 0; i < places->n; i++)
		if (strcmp(place_url(places->place[i]), url) == 0)
			return true;
	return false;
}

/* What is kept on disk is a place like the others, except that it is silent about what it does not have. What
 * came from a service that is not to be asked does not count. */
static void search_shelf(struct search *s)
{
	const struct search_places *places = s->places;
	struct ratls_endorsements *found = NULL;
	struct shelf_label label = {.source = NULL};

	if (places->shelf == NULL ||
		shelf_load(places->shelf, s->platform, &places->options, &found, &label, NULL) != RATLS_OK)
		return;
	if (asks(places, label.source) && s->at <= endorsements_valid_until(found))
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
		s->places->directory, s->platform, &s->places->options, &found, &why);

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
	rc = collateral_from_answers(&answers, place_url(p), &s->places->options, ret, err);
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
static void search_services(struct search *s)
{
	const struct search_places *places = s->places;

	for (size_t i = 0; i < places->n && !s->good; i++)
		search_place(s, places->place[i]);
	if (s->good && places->shelf != NULL)
		(void)shelf_store(places->shelf, s->platform, s->best.endorsements, clock_now(), NULL);
}

static int search_error(struct search *s, struct ratls_error *err)
{
	char fmspc[2 * sizeof(s->platform->fmspc) + 1];
	int reason = s->n_unknown > 0 && s->n_unknown == s->places->n ? REASON_PLATFORM_UNKNOWN
									     : REASON_COLLATERAL_UNAVAILABLE;

	hex_encode(s->platform->fmspc, sizeof(s->platform->fmspc), fmspc);
	return err_reason(err, RATLS_E_UNAVAILABLE, reason, "no collateral for platform %s: %.*s", fmspc,
		(int)s->why.len, (const char *)s->why.p);
}

int search_platform(const struct search_places *places, const struct platform_id *platform, int64_t at, bool cold,
	struct cache_found *ret, struct ratls_error *err)
{
	struct search s = {.places = places, .platform = platform, .at = at};
	int rc = RATLS_OK;

	if (places->directory != NULL)
		search_directory(&s);
	if (cold && !s.good)
		search_shelf(&s);
	if (!s.good)
		search_services(&s);
	if (s.best.endorsements != NULL)
		*ret = s.best;
	else
		rc = search_error(&s, err);
	buf_done(&s.why);
	return rc;
}

/* ---- what is asked of services alone --------------------------------------------------------------------- */

static int ask_pck(struct place *p, const struct pck_name *name, const struct cur *qeid, int64_t deadline_ms,
	struct buf *ret_chain, struct ratls_error *err)
{
	struct ratls_error why = {0};
	int rc = place_ask_pck(p, name, qeid, clock_monotonic_ms(), deadline_ms, ret_chain, err);

	if (rc != RATLS_OK || platform_id_check_chain(cur_of(ret_chain->p, ret_chain->len), &why) == RATLS_OK)
		return rc;
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
		"PCK certificate: its chain does not hold: %s", why.message);
}

int search_pck(const struct search_places *places, const struct pck_name *name, const struct cur *qeid,
	int64_t deadline_ms, struct buf *ret_chain, struct ratls_error *err)
{
	struct search s = {.places = places};
	int rc = RATLS_E_UNAVAILABLE;

	if (places->n == 0)
		return err_reason(err, rc, REASON_COLLATERAL_UNAVAILABLE,
			"no PCK certificate for the quote: it names one, and there is no service to ask for it");
	for (size_t i = 0; i < places->n && rc == RATLS_E_UNAVAILABLE; i++) {
		struct ratls_error why = {0};

		buf_done(ret_chain);
		rc = ask_pck(places->place[i], name, qeid, deadline_ms, ret_chain, &why);
		if (rc != RATLS_OK)
			search_failed(&s, place_url(places->place[i]), &why);
	}
	if (rc != RATLS_OK)
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"no PCK certificate for the quote: %.*s", (int)s.why.len, (const char *)s.why.p);
	buf_done(&s.why);
	return rc;
}

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
		rc = collateral_from_answers(&answers, place_url(p), &s->places->options, ret, err);
	pcs_answers_done(&answers);
	return rc == RATLS_OK ? check(s, ret, err) : rc;
}

int search_early(const struct search_places *places, const struct platform_id *platform,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct search s = {.places = places, .platform = platform};
	struct ratls_endorsements *found = NULL;
	int rc = RATLS_OK;

	for (size_t i = 0; i < places->n && found == NULL; i++) {
		struct ratls_error why = {0};

		if (ask_early(&s, places->place[i], &found, &why) != RATLS_OK)
			search_failed(&s, place_url(places->place[i]), &why);
	}
	if (found != NULL)
		*ret = found;
	else
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE, "no forecast: %.*s",
			(int)s.why.len, s.why.len > 0 ? (const char *)s.why.p : "");
	buf_done(&s.why);
	return rc;
}
