/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/flights.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct flight {
	struct flight *next;
	uint8_t peer[HASH_SHA256_SIZE];
	uint64_t generation;
	unsigned waiting; /* the last of them frees it */
	bool landed;
	struct verdict verdict;
};

struct flights {
	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t landed;
	struct flight *first; /* as many as there are threads that decide */
};

struct flights *flights_new(void)
{
	struct flights *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->landed, NULL);
	return f;
}

void flights_free(struct flights *f)
{
	if (f == NULL)
		return;
	pthread_cond_destroy(&f->landed);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* Where the flight hangs; where a new one would if there is none. */
static struct flight **find(struct flights *f, const uint8_t *peer, uint64_t generation)
{
	struct flight **at = &f->first;

	while (*at != NULL &&
		((*at)->generation != generation || memcmp((*at)->peer, peer, HASH_SHA256_SIZE) != 0))
		at = &(*at)->next;
	return at;
}

/* Without memory others make their own decision, too. */
static struct flight *begin(const uint8_t *peer, uint64_t generation)
{
	struct flight *new = calloc(1, sizeof(*new));

	if (new == NULL)
		return NULL;
	memcpy(new->peer, peer, HASH_SHA256_SIZE);
	new->generation = generation;
	return new;
}

bool flights_join(struct flights *f, const uint8_t peer[static HASH_SHA256_SIZE], uint64_t generation,
	struct verdict *ret)
{
	struct flight **at, *joined;

	pthread_mutex_lock(&f->lock);
	at = find(f, peer, generation);
	joined = *at;
	if (joined == NULL) {
		*at = begin(peer, generation);
	} else {
		joined->waiting++;
		while (!joined->landed)
			pthread_cond_wait(&f->landed, &f->lock);
		*ret = joined->verdict;
		if (--joined->waiting == 0)
			free(joined);
	}
	pthread_mutex_unlock(&f->lock);
	return joined != NULL;
}

void flights_land(struct flights *f, const uint8_t peer[static HASH_SHA256_SIZE], uint64_t generation,
	const struct verdict *verdict)
{
	struct flight **at, *ended;

	pthread_mutex_lock(&f->lock);
	at = find(f, peer, generation);
	ended = *at;
	if (ended != NULL) {
		*at = ended->next;
		ended->landed = true;
		ended->verdict = *verdict;
		if (ended->waiting > 0)
			pthread_cond_broadcast(&f->landed);
		else
			free(ended);
	}
	pthread_mutex_unlock(&f->lock);
}
