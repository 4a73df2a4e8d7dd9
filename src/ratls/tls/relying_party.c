/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/relying_party.h"

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

struct relying_party {
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

int relying_party_new(const struct relying_party_options *options, struct ratls_policy *policy,
	struct relying_party **ret, struct ratls_error *err)
{
	struct shared_policy *shared = shared_policy_new(policy);
	struct verdict_cache *cache = verdict_cache_new();
	struct flights *flights = flights_new();
	struct relying_party *rp = calloc(1, sizeof(*rp));

	if (options->by == NULL || shared == NULL || cache == NULL || flights == NULL || rp == NULL) {
		shared_policy_free(shared);
		flights_free(flights);
		verdict_cache_free(cache);
		free(rp);
		return options->by == NULL ? err_set(err, RATLS_E_ARG, "a relying party needs somebody who verifies")
					       : err_set(err, RATLS_E_NOMEM, "out of memory");
	}
	pthread_mutex_init(&rp->lock, NULL);
	rp->by = options->by;
	rp->ttl = options->cache_ttl > 0 ? options->cache_ttl : RELYING_PARTY_CACHE_TTL;
	rp->insecure_allow_simulator = options->insecure_allow_simulator;
	rp->clock = options->clock != NULL ? options->clock : clock_now;
	rp->policy = shared;
	rp->cache = cache;
	rp->flights = flights;
	*ret = rp;
	return RATLS_OK;
}

void relying_party_free(struct relying_party *rp)
{
	if (rp == NULL)
		return;
	verdict_cache_free(rp->cache);
	flights_free(rp->flights);
	shared_policy_free(rp->policy);
	pthread_mutex_destroy(&rp->lock);
	free(rp);
}

int relying_party_set_policy(struct relying_party *rp, struct ratls_policy *policy, struct ratls_error *err)
{
	struct shared_policy *fresh = shared_policy_new(policy), *old;

	if (fresh == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	pthread_mutex_lock(&rp->lock);
	old = rp->policy;
	rp->policy = fresh;
	rp->generation++;
	verdict_cache_clear(rp->cache);
	pthread_mutex_unlock(&rp->lock);
	shared_policy_free(old);
	return RATLS_OK;
}

static struct shared_policy *borrow_policy(struct relying_party *rp, uint64_t *ret_generation)
{
	struct shared_policy *p;

	pthread_mutex_lock(&rp->lock);
	p = rp->policy;
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	*ret_generation = rp->generation;
	pthread_mutex_unlock(&rp->lock);
	return p;
}

static uint64_t generation_of(struct relying_party *rp)
{
	uint64_t generation;

	pthread_mutex_lock(&rp->lock);
	generation = rp->generation;
	pthread_mutex_unlock(&rp->lock);
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

static bool recall(struct relying_party *rp, const struct peer *p, int64_t now, struct verdict *ret)
{
	bool found;

	if (!p->known)
		return false;
	pthread_mutex_lock(&rp->lock);
	found = verdict_cache_get(rp->cache, p->key, now, ret);
	pthread_mutex_unlock(&rp->lock);
	return found;
}

bool relying_party_cached(struct relying_party *rp, struct cur leaf, int64_t now, struct verdict *ret)
{
	struct peer p = peer_of(leaf);

	return recall(rp, &p, now, ret);
}

static void remember(struct relying_party *rp, const struct peer *p, uint64_t generation, int64_t now,
	const struct verdict *verdict)
{
	if (!p->known)
		return;
	pthread_mutex_lock(&rp->lock);
	if (generation == rp->generation)
		verdict_cache_put(rp->cache, p->key, now, verdict);
	pthread_mutex_unlock(&rp->lock);
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
static void appraise(struct relying_party *rp, const struct ratls_evidence *evidence,
	const struct ratls_policy *policy, int64_t now, bool *waits, struct verdict *ret)
{
	static const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_error failure = {0};
	struct ratls_report *report = NULL;
	int rc = waits != NULL
			 ? verify_now(rp->by, evidence, policy, &binding, now, waits, &report, &failure)
			 : ratls_verifier_verify(rp->by, evidence, policy, &binding, now, &report, &failure);

	if (rc != RATLS_OK)
		refuse(ret, REASON_VERIFIER_FAILED, failure.message);
	else if (waits == NULL || !*waits)
		follow_report(ret, report, now + rp->ttl);
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

static void decide(struct relying_party *rp, const struct peer *p, int64_t now, bool *waits, struct verdict *ret)
{
	struct verdict verdict = {.class = CLASS_UNDETERMINED};
	struct ratls_evidence *evidence = NULL;
	struct ratls_error why = {0};
	uint64_t generation;
	struct shared_policy *policy = borrow_policy(rp, &generation);
	int rc = ratls_evidence_from_certificate(p->leaf.p, p->leaf.left, &evidence, &why);

	if (rc == RATLS_OK) {
		verdict.attested = true;
		name_measurement(&verdict, evidence);
		appraise(rp, evidence, policy->policy, now, waits, &verdict);
	} else if (rc == RATLS_E_NO_EVIDENCE && rp->insecure_allow_simulator) {
		pass_unattested(&verdict);
	} else {
		refuse_unparsed(&verdict, rc, &why);
	}
	if (verdict.accepted) {
		verdict.class = CLASS_ACCEPTED;
		verdict.reason = REASON_NONE;
	}
	if (verdict.accepted && verdict.attested)
		remember(rp, p, generation, now, &verdict);
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
static void decide_together(struct relying_party *rp, const struct peer *p, struct verdict *ret)
{
	uint64_t generation = generation_of(rp);
	int64_t now = rp->clock();
	struct verdict verdict;

	if (flights_join(rp->flights, p->key, generation, &verdict)) {
		now = rp->clock(); /* it took a while */
		if (!still_holds(&verdict, now))
			decide(rp, p, now, NULL, &verdict);
	} else {
		if (!recall(rp, p, now, &verdict))
			decide(rp, p, now, NULL, &verdict);
		flights_land(rp->flights, p->key, generation, &verdict);
	}
	*ret = verdict;
}

void relying_party_decide(struct relying_party *rp, struct cur leaf, struct verdict *ret)
{
	struct peer p = peer_of(leaf);

	if (p.known)
		decide_together(rp, &p, ret);
	else
		decide(rp, &p, rp->clock(), NULL, ret);
}

bool relying_party_decide_now(struct relying_party *rp, struct cur leaf, int64_t now, struct verdict *ret)
{
	struct peer p = peer_of(leaf);
	struct verdict verdict;
	bool waits = false;

	if (recall(rp, &p, now, ret)) /* since it was asked for: others came before */
		return true;
	decide(rp, &p, now, &waits, &verdict);
	if (!waits)
		*ret = verdict;
	return !waits;
}

void relying_party_no_certificate(struct relying_party *rp, struct verdict *ret)
{
	struct verdict verdict = {0};

	if (rp->insecure_allow_simulator)
		pass_unattested(&verdict);
	else
		refuse(&verdict, REASON_CLIENT_CERTIFICATE, "client presented no certificate");
	*ret = verdict;
}
