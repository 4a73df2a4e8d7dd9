/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/verifier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "appraisal/report.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/hex.h"
#include "source/verify.h"
#include "tls/flights.h"
#include "tls/verdict_cache.h"

/* A policy and those who use it at this moment: an appraisal ends with the one that it began with. */
struct shared_policy {
	atomic_uint refs;
	struct ratls_policy *policy; /* NULL: empty */
};

struct verifier {
	struct ratls_verifier *by;
	int64_t ttl;
	bool insecure_allow_simulator;
	int64_t (*clock)(void);
	struct flights *flights;
	pthread_mutex_t lock; /* guards everything below */
	struct shared_policy *policy;
	uint64_t generation; /* of the policy: a verdict under another one is not kept */
	struct verdict_cache *cache;
};

/* Takes policy, also when memory runs out (NULL). */
static struct shared_policy *shared_policy_new(struct ratls_policy *policy)
{
	struct shared_policy *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		ratls_policy_free(policy);
		return NULL;
	}
	atomic_init(&p->refs, 1);
	p->policy = policy;
	return p;
}

static void shared_policy_free(struct shared_policy *p)
{
	if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	ratls_policy_free(p->policy);
	free(p);
}

int verifier_new(const struct verifier_options *options, struct ratls_policy *policy, struct verifier **ret,
	struct ratls_error *err)
{
	struct shared_policy *shared = shared_policy_new(policy);
	struct verdict_cache *cache = verdict_cache_new();
	struct flights *flights = flights_new();
	struct verifier *v = calloc(1, sizeof(*v));

	if (options->by == NULL || shared == NULL || cache == NULL || flights == NULL || v == NULL) {
		shared_policy_free(shared);
		flights_free(flights);
		verdict_cache_free(cache);
		free(v);
		return options->by == NULL ? err_set(err, RATLS_E_ARG, "a verifier needs somebody who verifies")
					       : err_set(err, RATLS_E_NOMEM, "out of memory");
	}
	pthread_mutex_init(&v->lock, NULL);
	v->by = options->by;
	v->ttl = options->cache_ttl > 0 ? options->cache_ttl : VERIFIER_CACHE_TTL;
	v->insecure_allow_simulator = options->insecure_allow_simulator;
	v->clock = options->clock != NULL ? options->clock : clock_now;
	v->policy = shared;
	v->cache = cache;
	v->flights = flights;
	*ret = v;
	return RATLS_OK;
}

void verifier_free(struct verifier *v)
{
	if (v == NULL)
		return;
	verdict_cache_free(v->cache);
	flights_free(v->flights);
	shared_policy_free(v->policy);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

int verifier_set_policy(struct verifier *v, struct ratls_policy *policy, struct ratls_error *err)
{
	struct shared_policy *fresh = shared_policy_new(policy), *old;

	if (fresh == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	pthread_mutex_lock(&v->lock);
	old = v->policy;
	v->policy = fresh;
	v->generation++;
	verdict_cache_clear(v->cache);
	pthread_mutex_unlock(&v->lock);
	shared_policy_free(old);
	return RATLS_OK;
}

static struct shared_policy *borrow_policy(struct verifier *v, uint64_t *ret_generation)
{
	struct shared_policy *p;

	pthread_mutex_lock(&v->lock);
	p = v->policy;
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	*ret_generation = v->generation;
	pthread_mutex_unlock(&v->lock);
	return p;
}

static uint64_t generation_of(struct verifier *v)
{
	uint64_t generation;

	pthread_mutex_lock(&v->lock);
	generation = v->generation;
	pthread_mutex_unlock(&v->lock);
	return generation;
}

/* Known by the digest of its certificate, as far as there is one. */
struct peer {
	struct cur leaf;
	bool known;
	uint8_t key[HASH_SHA256_SIZE];
};

static struct peer peer_of(struct cur leaf)
{
	struct peer p = {.leaf = leaf};

	p.known = !leaf.bad && hash_parts(HASH_SHA256, &leaf, 1, p.key);
	return p;
}

static bool recall(struct verifier *v, const struct peer *p, int64_t now, struct verdict *ret)
{
	bool found;

	if (!p->known)
		return false;
	pthread_mutex_lock(&v->lock);
	found = verdict_cache_get(v->cache, p->key, now, ret);
	pthread_mutex_unlock(&v->lock);
	return found;
}

bool verifier_cached(struct verifier *v, struct cur leaf, int64_t now, struct verdict *ret)
{
	struct peer p = peer_of(leaf);

	return recall(v, &p, now, ret);
}

static void remember(struct verifier *v, const struct peer *p, uint64_t generation, int64_t now,
	const struct verdict *verdict)
{
	if (!p->known)
		return;
	pthread_mutex_lock(&v->lock);
	if (generation == v->generation)
		verdict_cache_put(v->cache, p->key, now, verdict);
	pthread_mutex_unlock(&v->lock);
}

static void refuse(struct verdict *ret, int reason, const char *message)
{
	const struct reason_row *row = reason_find(reason);

	ret->accepted = false;
	ret->valid_until = 0;
	ret->reason = reason;
	ret->class = row != NULL && row->class != CLASS_ACCEPTED ? row->class : CLASS_UNDETERMINED;
	snprintf(ret->message, sizeof(ret->message), "%s", message);
}

static void pass_unattested(struct verdict *ret)
{
	ret->accepted = true;
	snprintf(ret->message, sizeof(ret->message), "accepted without evidence (insecure)");
}

/* What the report says, and nothing that it does not. */
static void follow_report(struct verdict *ret, const struct ratls_report *report, int64_t until)
{
	int64_t valid_until = ratls_report_valid_until(report);
	const char *tcb = report_tcb_status(report), *degraded = report_degraded(report);

	snprintf(ret->degraded, sizeof(ret->degraded), "%s", degraded != NULL ? degraded : "");
	snprintf(ret->tcb, sizeof(ret->tcb), "%s", tcb != NULL ? tcb : "");
	if (!ratls_report_accepted(report)) {
		refuse(ret, report_reason(report), ratls_report_message(report));
		ret->class = (enum reason_class)ratls_report_class(report);
		return;
	}
	ret->accepted = true;
	ret->valid_until = valid_until < until ? valid_until : until;
	snprintf(ret->message, sizeof(ret->message), "%s", ratls_report_message(report));
}

/* waits NULL: what has to be asked for is waited for; else it may say that it would be, and then there is no
 * verdict. */
static void appraise(struct verifier *v, const struct ratls_evidence *evidence,
	const struct ratls_policy *policy, int64_t now, bool *waits, struct verdict *ret)
{
	static const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_error failure = {0};
	struct ratls_report *report = NULL;
	int rc = waits != NULL
			 ? verify_now(v->by, evidence, policy, &binding, now, waits, &report, &failure)
			 : ratls_verifier_verify(v->by, evidence, policy, &binding, now, &report, &failure);

	if (rc != RATLS_OK)
		refuse(ret, REASON_VERIFIER_FAILED, failure.message);
	else if (waits == NULL || !*waits)
		follow_report(ret, report, now + v->ttl);
	ratls_report_free(report);
}

static void refuse_unparsed(struct verdict *ret, int rc, const struct ratls_error *why)
{
	bool bytes_are_wrong = rc == RATLS_E_FORMAT || rc == RATLS_E_UNSUPPORTED;

	if (why->reason != 0)
		refuse(ret, why->reason, why->message);
	else
		refuse(ret, bytes_are_wrong ? REASON_CERTIFICATE_FORMAT : REASON_VERIFIER_FAILED,
			why->message);
}

static void name_measurement(struct verdict *ret, const struct ratls_evidence *evidence)
{
	size_t len;
	const uint8_t *mrtd = ratls_evidence_measurement(evidence, RATLS_MRTD, &len);

	if (mrtd != NULL && 2 * len < sizeof(ret->mrtd))
		hex_encode(mrtd, len, ret->mrtd);
}

static void decide(struct verifier *v, const struct peer *p, int64_t now, bool *waits, struct verdict *ret)
{
	struct verdict verdict = {.class = CLASS_UNDETERMINED};
	struct ratls_evidence *evidence = NULL;
	struct ratls_error why = {0};
	uint64_t generation;
	struct shared_policy *policy = borrow_policy(v, &generation);
	int rc = ratls_evidence_from_certificate(p->leaf.p, p->leaf.left, &evidence, &why);

	if (rc == RATLS_OK) {
		verdict.attested = true;
		name_measurement(&verdict, evidence);
		appraise(v, evidence, policy->policy, now, waits, &verdict);
	} else if (rc == RATLS_E_NO_EVIDENCE && v->insecure_allow_simulator) {
		pass_unattested(&verdict);
	} else {
		refuse_unparsed(&verdict, rc, &why);
	}
	if (verdict.accepted) {
		verdict.class = CLASS_ACCEPTED;
		verdict.reason = REASON_NONE;
	}
	if (verdict.accepted && verdict.attested)
		remember(v, p, generation, now, &verdict);
	*ret = verdict;
	ratls_evidence_free(evidence);
	shared_policy_free(policy);
}

/* Who was waited for decided as of the moment at which it began: what ended meanwhile does not count. */
static bool still_holds(const struct verdict *verdict, int64_t now)
{
	return !verdict->accepted || !verdict->attested || now < verdict->valid_until;
}

/* Once for all that come together, and those that come after find it in the cache. */
static void decide_together(struct verifier *v, const struct peer *p, struct verdict *ret)
{
	uint64_t generation = generation_of(v);
	int64_t now = v->clock();
	struct verdict verdict;

	if (flights_join(v->flights, p->key, generation, &verdict)) {
		now = v->clock(); /* it took a while */
		if (!still_holds(&verdict, now))
			decide(v, p, now, NULL, &verdict);
	} else {
		if (!recall(v, p, now, &verdict))
			decide(v, p, now, NULL, &verdict);
		flights_land(v->flights, p->key, generation, &verdict);
	}
	*ret = verdict;
}

void verifier_decide(struct verifier *v, struct cur leaf, struct verdict *ret)
{
	struct peer p = peer_of(leaf);

	if (p.known)
		decide_together(v, &p, ret);
	else
		decide(v, &p, v->clock(), NULL, ret);
}

bool verifier_decide_now(struct verifier *v, struct cur leaf, int64_t now, struct verdict *ret)
{
	struct peer p = peer_of(leaf);
	struct verdict verdict;
	bool waits = false;

	if (recall(v, &p, now, ret)) /* since it was asked for: others came before */
		return true;
	decide(v, &p, now, &waits, &verdict);
	if (!waits)
		*ret = verdict;
	return !waits;
}

void verifier_no_certificate(struct verifier *v, struct verdict *ret)
{
	struct verdict verdict = {0};

	if (v->insecure_allow_simulator)
		pass_unattested(&verdict);
	else
		refuse(&verdict, REASON_CLIENT_CERTIFICATE, "client presented no certificate");
	*ret = verdict;
}
