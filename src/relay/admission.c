/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may come in: counts of connections, of all and of each address, under one lock.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/service_private.h"

#define BUCKETS 1024

struct entry {
	struct entry *next;
	struct peer_key key;
	uint64_t n, setups;
};

struct admissions {
	pthread_mutex_t lock;
	const struct service_limits *limits;
	bool fair;
	uint64_t n, setups, told;
	struct entry *buckets[BUCKETS];
};

struct admissions *admissions_new(const struct service_limits *limits, bool fair)
{
	struct admissions *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	pthread_mutex_init(&a->lock, NULL);
	a->limits = limits;
	a->fair = fair;
	return a;
}

void admissions_free(struct admissions *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		struct entry *e;

		while ((e = a->buckets[i]) != NULL) {
			a->buckets[i] = e->next;
			free(e);
		}
	}
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static struct entry **find(struct admissions *a, const struct peer_key *key)
{
	const uint8_t *bytes = (const uint8_t *)&key->address;
	uint32_t hash = 2166136261u; /* FNV-1a: who could collide only shares a list */
	struct entry **e;

	for (size_t i = 0; i < sizeof(key->address); i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	e = &a->buckets[hash % BUCKETS];
	while (*e != NULL && ((*e)->key.family != key->family ||
				     memcmp(&(*e)->key.address, &key->address, sizeof(key->address)) != 0))
		e = &(*e)->next;
	return e;
}

static bool below(uint64_t n, uint64_t limit)
{
	return limit == 0 || n < limit;
}

/* An address holds no more setups than are left for all others: so there is always room for a newcomer, whoever has
 * come before him, and no limit of its own is needed that would be too low for a gateway and too high for a crowd. */
static enum admission judge(const struct admissions *a, const struct entry *peer)
{
	const struct service_limits *l = a->limits;

	if (!below(a->n, l->connections))
		return ADMISSION_FULL;
	if (!below(peer->n, l->per_peer))
		return ADMISSION_FULL_OF_PEER;
	if (l->setups > 0 && a->setups + (a->fair ? peer->setups : 0) >= l->setups)
		return ADMISSION_FULL_OF_SETUPS;
	return ADMISSION_GRANTED;
}

static void count(struct admissions *a, struct entry *peer)
{
	a->n++;
	a->setups++;
	peer->n++;
	peer->setups++;
}

enum admission admission_enter(struct admissions *a, const struct peer_key *key)
{
	struct entry nobody = {0}, **e = NULL, *peer = &nobody;
	enum admission answer;

	pthread_mutex_lock(&a->lock);
	if (key->family != 0) {
		e = find(a, key);
		if (*e != NULL)
			peer = *e;
	}
	answer = judge(a, peer);
	if (answer == ADMISSION_GRANTED && e != NULL && *e == NULL) {
		*e = calloc(1, sizeof(**e));
		if (*e != NULL)
			(*e)->key = *key;
		peer = *e;
	}
	if (peer == NULL)
		answer = ADMISSION_TURNED_AWAY;
	else if (answer == ADMISSION_GRANTED)
		count(a, peer);
	else if (a->told < ADMISSION_TOLD_MAX)
		a->told++;
	else
		answer = ADMISSION_TURNED_AWAY;
	pthread_mutex_unlock(&a->lock);
	return answer;
}

void admission_settle(struct admissions *a, const struct peer_key *key)
{
	pthread_mutex_lock(&a->lock);
	a->setups--;
	if (key->family != 0)
		(*find(a, key))->setups--;
	pthread_mutex_unlock(&a->lock);
}

void admission_leave(struct admissions *a, const struct peer_key *key, enum admission as)
{
	struct entry **e, *gone;

	pthread_mutex_lock(&a->lock);
	if (as != ADMISSION_GRANTED) {
		a->told--;
	} else {
		a->n--;
		e = key->family != 0 ? find(a, key) : NULL;
		if (e != NULL && --(*e)->n == 0) {
			gone = *e;
			*e = gone->next;
			free(gone);
		}
	}
	pthread_mutex_unlock(&a->lock);
}
