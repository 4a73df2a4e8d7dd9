/* SPDX-License-Identifier: Apache-2.0 */
#include "source/named.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/reason.h"
#include "base/thread.h"
#include "source/pause.h"

struct slot {
	bool used, asking;
	uint8_t digest[HASH_SHA256_SIZE]; /* of the name */
	struct buf chain;                 /* empty: it could not be had */
	struct ratls_error why;           /* then */
	int64_t until_ms;                 /* then it is due to be asked for again */
	uint64_t last_use;
	unsigned waiters;
};

struct named {
	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t answered;
	bool stopping;
	named_ask_fn ask;
	void *self;
	unsigned asking;      /* questions under way */
	int64_t minute_ms;    /* when this minute began */
	unsigned this_minute; /* questions since then */
	uint64_t uses;
	struct slot slots[NAMED_MAX];
};

int named_new(named_ask_fn ask, void *self, struct named **ret, struct ratls_error *err)
{
	struct named *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	pthread_mutex_init(&n->lock, NULL);
	thread_cond_init(&n->answered);
	n->ask = ask;
	n->self = self;
	n->minute_ms = INT64_MIN / 2;
	*ret = n;
	return RATLS_OK;
}

void named_stop(struct named *n)
{
	pthread_mutex_lock(&n->lock);
	n->stopping = true;
	pthread_cond_broadcast(&n->answered);
	pthread_mutex_unlock(&n->lock);
}

void named_free(struct named *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < NAMED_MAX; i++)
		buf_done(&n->slots[i].chain);
	pthread_cond_destroy(&n->answered);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

static bool digest_of(const struct pck_name *name, uint8_t ret[static HASH_SHA256_SIZE])
{
	struct cur parts[] = {name->ppid, name->cpusvn, name->pcesvn, name->pceid};

	return hash_parts(HASH_SHA256, parts, 4, ret);
}

static struct slot *find(struct named *n, const uint8_t *digest)
{
	for (size_t i = 0; i < NAMED_MAX; i++)
		if (n->slots[i].used && memcmp(n->slots[i].digest, digest, sizeof(n->slots[i].digest)) == 0)
			return &n->slots[i];
	return NULL;
}

/* May a be given up rather than b? Names that anybody can make up do not drive out those that there are. */
static bool is_worth_less(const struct slot *a, const struct slot *b)
{
	bool a_is = a->chain.len > 0, b_is = b->chain.len > 0;

	return a_is != b_is ? b_is : a->last_use < b->last_use; /* a free one was never used: 0 */
}

/* A slot for a new name; NULL if all are busy. */
static struct slot *make(struct named *n, const uint8_t *digest)
{
	struct slot *worst = NULL;

	for (size_t i = 0; i < NAMED_MAX; i++) {
		struct slot *s = &n->slots[i];

		if (!s->asking && s->waiters == 0 && (worst == NULL || is_worth_less(s, worst)))
			worst = s;
	}
	if (worst != NULL) {
		buf_done(&worst->chain);
		*worst = (struct slot){.used = true};
		memcpy(worst->digest, digest, sizeof(worst->digest));
	}
	return worst;
}

static int too_many(struct ratls_error *err)
{
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
		"no PCK certificate for the quote: those of too many machines are being asked for");
}

/* What it holds: the chain, or (just asked: in its own words) why there is none. */
static int answer(struct named *n, struct slot *s, bool just_asked, int64_t now_ms, struct buf *ret_chain,
	struct ratls_error *err)
{
	s->last_use = ++n->uses;
	if (s->chain.len > 0) {
		buf_bytes(ret_chain, s->chain.p, s->chain.len);
		return ret_chain->bad ? err_set(err, RATLS_E_NOMEM, "out of memory") : RATLS_OK;
	}
	if (!just_asked)
		return pause_refuse(&s->why, s->until_ms - now_ms, err);
	if (err != NULL)
		*err = s->why;
	return s->why.code;
}

static bool may_ask(struct named *n, int64_t now_ms)
{
	if (now_ms - n->minute_ms >= 60000) {
		n->minute_ms = now_ms;
		n->this_minute = 0;
	}
	return n->asking < NAMED_ASKING_MAX && n->this_minute < NAMED_PER_MINUTE;
}

/* s NULL: nobody has asked for it. What is due is only asked for within the budget; a chain that was had outlasts
 * both that and a failure, since certificates hold for years. */
static bool has_to_wait(struct named *n, const struct slot *s, int64_t now_ms)
{
	if (s != NULL && s->asking)
		return s->chain.len == 0;
	return (s == NULL || now_ms >= s->until_ms) && may_ask(n, now_ms);
}

static int at_once(struct named *n, struct slot *s, int64_t now_ms, struct buf *ret_chain, struct ratls_error *err)
{
	if (s == NULL || (s->chain.len == 0 && now_ms >= s->until_ms))
		return too_many(err);
	return answer(n, s, false, now_ms, ret_chain, err);
}

static void ask(struct named *n, struct slot *s, const struct pck_name *name, const struct cur *qeid,
	int64_t now_ms, int64_t deadline_ms)
{
	struct buf chain = {0};
	struct ratls_error why = {0};
	int rc;

	s->asking = true;
	n->asking++;
	n->this_minute++;
	pthread_mutex_unlock(&n->lock);
	rc = n->ask(n->self, name, qeid, deadline_ms, &chain, &why);
	pthread_mutex_lock(&n->lock);
	n->asking--;
	s->asking = false;
	s->why = why;
	s->why.code = rc;
	s->until_ms = now_ms + (rc == RATLS_OK ? NAMED_KEEP_MS : NAMED_FAILED_MS);
	if (rc == RATLS_OK) {
		buf_done(&s->chain);
		s->chain = chain;
	} else {
		buf_done(&chain);
	}
	pthread_cond_broadcast(&n->answered);
}

static int wait_for_answer(struct named *n, struct slot *s, int64_t deadline_ms, struct ratls_error *err)
{
	bool in_time = true;

	s->waiters++;
	while (s->asking && !n->stopping && in_time)
		in_time = thread_cond_wait(&n->answered, &n->lock, deadline_ms);
	s->waiters--;
	if (!s->asking)
		return RATLS_OK;
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
		"no PCK certificate for the quote: %s",
		n->stopping ? "it is not waited for any more: this program ends"
			    : "it is still being asked for");
}

static int digest_failed(struct ratls_error *err)
{
	return err_set(err, RATLS_E_CRYPTO, "could not hash the name of a PCK certificate");
}

int named_get(struct named *n, const struct pck_name *name, const struct cur *qeid, int64_t now_ms,
	int64_t deadline_ms, struct buf *ret_chain, struct ratls_error *err)
{
	uint8_t digest[HASH_SHA256_SIZE];
	struct slot *s;
	int rc = RATLS_OK;

	if (!digest_of(name, digest))
		return digest_failed(err);
	pthread_mutex_lock(&n->lock);
	s = find(n, digest);
	if (!has_to_wait(n, s, now_ms)) {
		rc = at_once(n, s, now_ms, ret_chain, err);
	} else if (s != NULL && s->asking) {
		rc = wait_for_answer(n, s, deadline_ms, err);
		if (rc == RATLS_OK)
			rc = answer(n, s, true, now_ms, ret_chain, err);
	} else if (s != NULL || (s = make(n, digest)) != NULL) {
		ask(n, s, name, qeid, now_ms, deadline_ms);
		rc = answer(n, s, true, now_ms, ret_chain, err);
	} else {
		rc = too_many(err);
	}
	pthread_mutex_unlock(&n->lock);
	return rc;
}

int named_recall(struct named *n, const struct pck_name *name, int64_t now_ms, bool *ret_waits,
	struct buf *ret_chain, struct ratls_error *err)
{
	uint8_t digest[HASH_SHA256_SIZE];
	int rc = RATLS_E_UNAVAILABLE;
	struct slot *s;

	*ret_waits = false;
	if (!digest_of(name, digest))
		return digest_failed(err);
	pthread_mutex_lock(&n->lock);
	s = find(n, digest);
	*ret_waits = has_to_wait(n, s, now_ms);
	if (*ret_waits)
		err_set(err, rc, "the PCK certificate would have to be waited for");
	else
		rc = at_once(n, s, now_ms, ret_chain, err);
	pthread_mutex_unlock(&n->lock);
	return rc;
}
