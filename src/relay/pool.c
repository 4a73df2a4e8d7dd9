/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/pool.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/thread.h"

/* Threads and the jobs that wait for them. */
struct lane {
	struct pool *pool;
	pthread_cond_t more;
	struct pool_job *first, **last;
	unsigned queued, n_threads;
	pthread_t *threads;
};

struct pool {
	pthread_mutex_t lock; /* guards all but what is constant */
	unsigned threads, queue_max;
	bool stopping;
	struct lane prompt, waiting;
	pthread_t of_lanes[];
};

static void back_home(struct loop_post *post)
{
	struct pool_job *j = (void *)((char *)post - offsetof(struct pool_job, post));

	j->done(j);
}

static struct pool_job *next_job(struct lane *l)
{
	struct pool *p = l->pool;
	struct pool_job *j;

	pthread_mutex_lock(&p->lock);
	while (l->first == NULL && !p->stopping)
		pthread_cond_wait(&l->more, &p->lock);
	j = l->first;
	if (j != NULL) {
		l->first = j->next;
		if (l->first == NULL)
			l->last = &l->first;
		l->queued--;
		if (p->stopping)
			atomic_store(&j->cancelled, true);
	}
	pthread_mutex_unlock(&p->lock);
	return j;
}

static void *work(void *arg)
{
	struct lane *l = arg;
	struct pool_job *j;

	while ((j = next_job(l)) != NULL) {
		if (!atomic_load(&j->cancelled))
			j->run(j);
		j->post.run = back_home;
		loop_post(j->home, &j->post);
	}
	return NULL;
}

static void lane_init(struct lane *l, struct pool *p, pthread_t *threads)
{
	*l = (struct lane){.pool = p, .threads = threads};
	pthread_cond_init(&l->more, NULL);
	l->last = &l->first;
}

/* The threads that it does not have yet. */
static int lane_start(struct lane *l, struct ratls_error *err)
{
	int rc = RATLS_OK;

	while (rc == RATLS_OK && l->n_threads < l->pool->threads) {
		rc = thread_start(&l->threads[l->n_threads], work, l, err);
		l->n_threads += rc == RATLS_OK;
	}
	return rc;
}

static void lane_done(struct lane *l)
{
	for (unsigned i = 0; i < l->n_threads; i++)
		pthread_join(l->threads[i], NULL);
	pthread_cond_destroy(&l->more);
}

int pool_new(unsigned threads, unsigned queue_max, struct pool **ret, struct ratls_error *err)
{
	struct pool *p = calloc(1, sizeof(*p) + (size_t)2 * threads * sizeof(p->of_lanes[0]));
	int rc;

	if (p == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	pthread_mutex_init(&p->lock, NULL);
	p->threads = threads;
	p->queue_max = queue_max;
	lane_init(&p->prompt, p, p->of_lanes);
	lane_init(&p->waiting, p, p->of_lanes + threads);
	rc = lane_start(&p->prompt, err);
	if (rc != RATLS_OK) {
		pool_free(p);
		return rc;
	}
	*ret = p;
	return RATLS_OK;
}

bool pool_submit(struct pool *p, struct pool_job *j)
{
	struct lane *l = j->waits ? &p->waiting : &p->prompt;
	bool room;

	pthread_mutex_lock(&p->lock);
	room = l->queued < p->queue_max && !p->stopping;
	if (room) {
		(void)lane_start(l, NULL); /* some will do */
		room = l->n_threads > 0;
	}
	if (room) {
		j->next = NULL;
		*l->last = j;
		l->last = &j->next;
		l->queued++;
		pthread_cond_signal(&l->more);
	}
	pthread_mutex_unlock(&p->lock);
	return room;
}

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->prompt.more);
	pthread_cond_broadcast(&p->waiting.more);
	pthread_mutex_unlock(&p->lock);
	lane_done(&p->prompt);
	lane_done(&p->waiting);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
