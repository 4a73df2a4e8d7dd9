/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct pool_job *first, **last;
	unsigned waiting, queue_max;
	bool stopping;
	unsigned n_threads;
	pthread_t threads[];
};

static void back_home(struct loop_post *post)
{
	struct pool_job *j = (void *)((char *)post - offsetof(struct pool_job, post));

	j->done(j);
}

static struct pool_job *next_job(struct pool *p)
{
	struct pool_job *j;

	pthread_mutex_lock(&p->lock);
	while (p->first == NULL && !p->stopping)
		pthread_cond_wait(&p->more, &p->lock);
	j = p->first;
	if (j != NULL) {
		p->first = j->next;
		if (p->first == NULL)
			p->last = &p->first;
		p->waiting--;
		if (p->stopping)
			atomic_store(&j->cancelled, true);
	}
	pthread_mutex_unlock(&p->lock);
	return j;
}

static void *work(void *arg)
{
	struct pool *p = arg;
	struct pool_job *j;

	while ((j = next_job(p)) != NULL) {
		if (!atomic_load(&j->cancelled))
			j->run(j);
		j->post.run = back_home;
		loop_post(j->home, &j->post);
	}
	return NULL;
}

int pool_new(unsigned threads, unsigned queue_max, struct pool **ret, struct ratls_error *err)
{
	struct pool *p = calloc(1, sizeof(*p) + threads * sizeof(p->threads[0]));
	int rc;

	if (p == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	p->last = &p->first;
	p->queue_max = queue_max;
	for (; p->n_threads < threads; p->n_threads++) {
		rc = pthread_create(&p->threads[p->n_threads], NULL, work, p);
		if (rc != 0) {
			pool_free(p);
			return err_set(err, RATLS_E_NOMEM, "could not start a thread: %s", strerror(rc));
		}
	}
	*ret = p;
	return RATLS_OK;
}

bool pool_submit(struct pool *p, struct pool_job *j)
{
	bool room;

	pthread_mutex_lock(&p->lock);
	room = p->waiting < p->queue_max && !p->stopping;
	if (room) {
		j->next = NULL;
		*p->last = j;
		p->last = &j->next;
		p->waiting++;
		pthread_cond_signal(&p->more);
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
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
