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
	int64_t until_ms;
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

/* The name's slot, made in place of the one longest out of use where there is none; NULL if all are busy. */
static struct slot *slot_of(struct named *n, const uint8_t *digest)
{
	struct slot *oldest = NULL, *known = find(n, digest);

	if (known != NULL)
		return known;
	for (size_t i = 0; i < NAMED_MAX; i++) {
		struct slot *s = &n->slots[i];

		if (!s->asking && s->waiters == 0 && (oldest == NULL || s->last_use < oldest->last_use))
			oldest = s; /* a free one was never used: 0 */
	}
	if (oldest != NULL) {
		buf_done(&oldest->chain);
		*oldest = (struct slot){.used = true, .until_ms = INT64_MIN};
		memcpy(oldest->digest, digest, sizeof(oldest->digest));
	}
	return oldest;
}

static int answer(const struct slot *s, bool remembered, int64_t now_ms, struct buf *ret_chain, struct ratls_error *err)
{
	if (s->chain.len == 0 && remembered)
		return pause_refuse(&s->why, s->until_ms - now_ms, err);
	if (s->chain.len == 0) {
		if (err != NULL)
			*err = s->why;
		return s->why.code;
	}
	buf_bytes(ret_chain, s->chain.p, s->chain.len);
	return ret_chain->bad ? err_set(err, RATLS_E_NOMEM, "out of memory") : RATLS_OK;
}

static bool may_ask(struct named *n, int64_t now_ms)
{
	if (now_ms - n->minute_ms >= 60000) {
		n->minute_ms = now_ms;
		n->this_minute = 0;
	}
	return n->asking < NAMED_ASKING_MAX && n->this_minute < NAMED_PER_MINUTE;
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
	buf_done(&s->chain);
	s->why = why;
	s->why.code = rc;
	s->until_ms = now_ms + (rc == RATLS_OK ? NAMED_KEEP_MS : NAMED_FAILED_MS);
	if (rc == RATLS_OK)
		s->chain = chain;
	else
		buf_done(&chain);
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

int named_get(struct named *n, const struct pck_name *name, const struct cur *qeid, int64_t now_ms,
	int64_t deadline_ms, struct buf *ret_chain, struct ratls_error *err)
{
	uint8_t digest[HASH_SHA256_SIZE];
	bool remembered = false;
	struct slot *s;
	int rc = RATLS_OK;

	if (!digest_of(name, digest))
		return err_set(err, RATLS_E_CRYPTO, "could not hash the name of a PCK certificate");
	pthread_mutex_lock(&n->lock);
	s = slot_of(n, digest);
	if (s != NULL && s->asking) {
		rc = wait_for_answer(n, s, deadline_ms, err);
	} else if (s != NULL && now_ms >= s->until_ms) {
		if (may_ask(n, now_ms))
			ask(n, s, name, qeid, now_ms, deadline_ms);
		else
			s = NULL;
	} else {
		remembered = true;
	}
	if (s == NULL)
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE,
			"no PCK certificate for the quote: those of too many machines are being asked for");
	else
		s->last_use = ++n->uses;
	if (rc == RATLS_OK)
		rc = answer(s, remembered, now_ms, ret_chain, err);
	pthread_mutex_unlock(&n->lock);
	return rc;
}

bool named_knows(struct named *n, const struct pck_name *name, int64_t now_ms)
{
	uint8_t digest[HASH_SHA256_SIZE];
	const struct slot *s;
	bool knows;

	if (!digest_of(name, digest))
		return true; /* that it cannot be hashed is said at once */
	pthread_mutex_lock(&n->lock);
	s = find(n, digest);
	knows = s != NULL ? !s->asking && now_ms < s->until_ms : !may_ask(n, now_ms);
	pthread_mutex_unlock(&n->lock);
	return knows;
}
