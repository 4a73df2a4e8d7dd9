/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/keeper.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/thread.h"

struct keeper {
	struct keeper_options options;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping, kicked;
	int64_t delay; /* seconds until the next attempt */
};

int64_t keeper_delay(int64_t now, int64_t not_after)
{
	int64_t delay = not_after > now ? (not_after - now) * 2 / 3 : 1;

	if (delay > KEEPER_RENEW_MAX)
		delay = KEEPER_RENEW_MAX;
	return delay > 1 ? delay : 1;
}

/* False when it is time to end. */
static bool wait_for_turn(struct keeper *k)
{
	int64_t until_ms = clock_monotonic_ms() + k->delay * 1000;
	bool go_on;

	pthread_mutex_lock(&k->lock);
	while (!k->stopping && !k->kicked && thread_cond_wait(&k->wake, &k->lock, until_ms))
		;
	k->kicked = false;
	go_on = !k->stopping;
	pthread_mutex_unlock(&k->lock);
	return go_on;
}

static void *keep(void *arg)
{
	struct keeper *k = arg;

	while (wait_for_turn(k)) {
		struct identity *id;
		struct ratls_error err = {0};

		if (identity_from_agent(k->options.agent, &k->options.request, &id, &err) != RATLS_OK) {
			k->delay = KEEPER_RETRY;
			k->options.failed(k->options.self, &err);
			continue;
		}
		k->delay = keeper_delay(clock_now(), identity_not_after(id));
		k->options.renewed(k->options.self, id);
		identity_free(id);
	}
	return NULL;
}

int keeper_start(const struct keeper_options *options, const struct identity *current, struct keeper **ret,
	struct ratls_error *err)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int rc;

	if (k == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	k->options = *options;
	k->delay = keeper_delay(clock_now(), identity_not_after(current));
	pthread_mutex_init(&k->lock, NULL);
	thread_cond_init(&k->wake);
	rc = thread_start(&k->thread, keep, k, err);
	if (rc != RATLS_OK) {
		pthread_cond_destroy(&k->wake);
		pthread_mutex_destroy(&k->lock);
		free(k);
		return rc;
	}
	*ret = k;
	return RATLS_OK;
}

static void signal_keeper(struct keeper *k, bool *flag)
{
	pthread_mutex_lock(&k->lock);
	*flag = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
}

void keeper_kick(struct keeper *k)
{
	signal_keeper(k, &k->kicked);
}

void keeper_stop(struct keeper *k)
{
	if (k == NULL)
		return;
	signal_keeper(k, &k->stopping);
	pthread_join(k->thread, NULL);
	pthread_cond_destroy(&k->wake);
	pthread_mutex_destroy(&k->lock);
	free(k);
}
