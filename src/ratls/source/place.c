/* SPDX-License-Identifier: Apache-2.0 */
#include "source/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/reason.h"
#include "source/backoff.h"
#include "source/http.h"
#include "source/pause.h"

#define TIMEOUT_MARK "#timeout="

/* An answer that is the same for every platform, or for every platform of one CA. */
struct kept {
	struct buf body, chain;
	int64_t at_ms;
};

enum { KEPT_QE_IDENTITY, KEPT_ROOT_CRL, KEPT_PLATFORM_CRL, KEPT_PROCESSOR_CRL, KEPT_COUNT };

struct place {
	char *url;
	const struct transport *transport;
	int64_t timeout_ms;
	struct backoff backoff, pck_backoff; /* each of its own kind of question */
	struct kept kept[KEPT_COUNT];
	bool reused; /* the last answers hold a kept one */
};

/* ---- what it is called --------------------------------------------------------------------------------- */

static int parse_timeout(const char *text, int64_t *ret, struct ratls_error *err)
{
	char *end = NULL;
	unsigned long value = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
	int64_t unit = end == NULL                             ? 0
		       : strcmp(end, "ms") == 0                ? 1
		       : strcmp(end, "s") == 0 || *end == '\0' ? 1000
							       : 0;

	if (unit == 0 || value > PLACE_TIMEOUT_MAX_MS || (int64_t)value * unit > PLACE_TIMEOUT_MAX_MS ||
		(int64_t)value * unit < PLACE_TIMEOUT_MIN_MS)
		return err_set(err, RATLS_E_ARG,
			"the timeout \"%.32s\" of a collateral service is not a time from %d ms to %d s",
			text, PLACE_TIMEOUT_MIN_MS, PLACE_TIMEOUT_MAX_MS / 1000);
	*ret = (int64_t)value * unit;
	return RATLS_OK;
}

int place_new(
	const char *text, const struct transport *transport, struct place **ret, struct ratls_error *err)
{
	const char *mark = strstr(text, TIMEOUT_MARK);
	size_t len = mark != NULL ? (size_t)(mark - text) : strlen(text);
	struct place *p;
	int rc = RATLS_OK;

	if (!http_is_url(text) || memchr(text, '#', len) != NULL)
		return err_set(err, RATLS_E_ARG,
			"collateral service \"%.100s\" is no http:// or https:// URL", text);
	while (len > 0 && text[len - 1] == '/')
		len--;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	backoff_init(&p->backoff, PAUSE_ASKED_MAX_MS);
	backoff_init(&p->pck_backoff, PAUSE_ASKED_MAX_MS);
	p->timeout_ms = PCS_TIMEOUT_MS;
	p->transport = transport;
	p->url = strndup(text, len);
	if (p->url == NULL)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	else if (mark != NULL)
		rc = parse_timeout(mark + strlen(TIMEOUT_MARK), &p->timeout_ms, err);
	if (rc == RATLS_OK)
		*ret = p;
	else
		place_free(p);
	return rc;
}

const char *place_url(const struct place *p)
{
	return p->url;
}

/* ---- answers that are shared --------------------------------------------------------------------------- */

static struct kept *kept_crl(struct place *p, const struct platform_id *platform)
{
	return &p->kept[platform->ca == PLATFORM_CA_PROCESSOR ? KEPT_PROCESSOR_CRL : KEPT_PLATFORM_CRL];
}

static void kept_done(struct kept *k)
{
	buf_done(&k->body);
	buf_done(&k->chain);
}

static void keep(struct kept *k, const struct buf *body, const struct buf *chain, int64_t now_ms)
{
	if (k->body.len > 0 && now_ms - k->at_ms < PLACE_KEEP_MS)
		return; /* it is this one, or as good: what is reused over and over must grow old */
	kept_done(k);
	buf_bytes(&k->body, body->p, body->len);
	if (chain != NULL)
		buf_bytes(&k->chain, chain->p, chain->len);
	k->at_ms = now_ms;
	if (k->body.bad || k->chain.bad)
		kept_done(k);
}

/* What memory does not suffice for is asked for. */
static void reuse(struct place *p, const struct kept *k, struct buf *body, struct buf *chain, int64_t now_ms)
{
	if (k->body.len == 0 || now_ms - k->at_ms >= PLACE_KEEP_MS)
		return;
	if (chain != NULL)
		buf_bytes(chain, k->chain.p, k->chain.len);
	buf_bytes(body, k->body.p, k->body.len);
	if (!body->bad && (chain == NULL || !chain->bad)) {
		p->reused = true;
		return;
	}
	buf_done(body);
	if (chain != NULL)
		buf_done(chain);
}

static void keep_shared(
	struct place *p, const struct platform_id *platform, const struct pcs_answers *a, int64_t now_ms)
{
	keep(&p->kept[KEPT_QE_IDENTITY], &a->qe_identity, &a->qe_identity_chain, now_ms);
	keep(kept_crl(p, platform), &a->pck_crl, &a->pck_crl_chain, now_ms);
	keep(&p->kept[KEPT_ROOT_CRL], &a->root_ca_crl, NULL, now_ms);
}

static void reuse_shared(
	struct place *p, const struct platform_id *platform, struct pcs_answers *a, int64_t now_ms)
{
	p->reused = false;
	reuse(p, &p->kept[KEPT_QE_IDENTITY], &a->qe_identity, &a->qe_identity_chain, now_ms);
	reuse(p, kept_crl(p, platform), &a->pck_crl, &a->pck_crl_chain, now_ms);
	reuse(p, &p->kept[KEPT_ROOT_CRL], &a->root_ca_crl, NULL, now_ms);
}

bool place_forget(struct place *p)
{
	bool reused = p->reused;

	for (size_t i = 0; i < KEPT_COUNT; i++)
		kept_done(&p->kept[i]);
	p->reused = false;
	return reused;
}

void place_free(struct place *p)
{
	if (p == NULL)
		return;
	place_forget(p);
	backoff_done(&p->backoff);
	backoff_done(&p->pck_backoff);
	free(p->url);
	free(p);
}

/* ---- asking -------------------------------------------------------------------------------------------- */

/* Whatever it was asked about: the next question is about something else. */
static void note(
	struct backoff *b, int64_t now_ms, const struct pcs_trouble *trouble, const struct ratls_error *why)
{
	struct ratls_error kept = *why;

	kept.reason = REASON_COLLATERAL_UNAVAILABLE;
	backoff_note(b, now_ms, trouble->not_now ? &kept : NULL, trouble->asked_ms);
}

struct pcs place_pcs(const struct place *p)
{
	return (struct pcs){.base = p->url, .timeout_ms = p->timeout_ms, .transport = p->transport};
}

int place_ask(struct place *p, const struct platform_id *platform, int64_t now_ms, struct pcs_answers *ret,
	struct ratls_error *err)
{
	struct pcs pcs = place_pcs(p);
	struct pcs_answers answers = {0};
	struct pcs_trouble trouble = {0};
	struct ratls_error why = {0};
	int64_t began_ms = clock_monotonic_ms();
	int rc = backoff_check(&p->backoff, now_ms, err);

	if (rc != RATLS_OK)
		return rc;
	reuse_shared(p, platform, &answers, now_ms);
	rc = pcs_ask(&pcs, platform, &answers, &trouble, &why);
	now_ms += clock_monotonic_ms() - began_ms;
	if (rc == RATLS_OK) {
		keep_shared(p, platform, &answers, now_ms);
		*ret = answers;
	} else {
		pcs_answers_done(&answers);
	}
	note(&p->backoff, now_ms, &trouble, &why);
	if (rc != RATLS_OK && err != NULL)
		*err = why;
	return rc;
}

int place_ask_pck(struct place *p, const struct pck_name *name, const struct cur *qeid, int64_t now_ms,
	int64_t deadline_ms, struct buf *ret_chain, struct ratls_error *err)
{
	struct pcs pcs = place_pcs(p);
	struct pcs_trouble trouble = {0};
	struct ratls_error why = {0};
	int64_t began_ms = clock_monotonic_ms(), ended_ms;
	int rc = backoff_check(&p->pck_backoff, now_ms, err);

	if (rc != RATLS_OK)
		return rc;
	if (began_ms >= deadline_ms)
		return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"PCK certificate: no time is left to ask for it");
	if (pcs.timeout_ms > deadline_ms - began_ms)
		pcs.timeout_ms = deadline_ms - began_ms;
	rc = pcs_ask_pck(&pcs, name, qeid, ret_chain, &trouble, &why);
	ended_ms = clock_monotonic_ms();
	/* That there was too little time is not of the service. */
	if (!trouble.not_now || ended_ms < deadline_ms)
		note(&p->pck_backoff, now_ms + ended_ms - began_ms, &trouble, &why);
	if (rc != RATLS_OK && err != NULL)
		*err = why;
	return rc;
}
