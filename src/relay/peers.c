/* SPDX-License-Identifier: Apache-2.0
 *
 * How many connections each address has open: so that one peer cannot take the place of all others.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/service_private.h"

#define BUCKETS 1024

struct entry {
	struct entry *next;
	struct peer_key key;
	uint64_t n;
};

struct peer_table {
	pthread_mutex_t lock;
	uint64_t limit;
	struct entry *buckets[BUCKETS];
};

struct peer_table *peers_new(uint64_t limit)
{
	struct peer_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	t->limit = limit;
	return t;
}

void peers_free(struct peer_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		struct entry *e;

		while ((e = t->buckets[i]) != NULL) {
			t->buckets[i] = e->next;
			free(e);
		}
	}
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static struct entry **find(struct peer_table *t, const struct peer_key *key)
{
	const uint8_t *bytes = (const uint8_t *)&key->address;
	uint32_t hash = 2166136261u; /* FNV-1a: who could collide only shares a list */
	struct entry **e;

	for (size_t i = 0; i < sizeof(key->address); i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	e = &t->buckets[hash % BUCKETS];
	while (*e != NULL && ((*e)->key.family != key->family ||
				     memcmp(&(*e)->key.address, &key->address, sizeof(key->address)) != 0))
		e = &(*e)->next;
	return e;
}

bool peers_enter(struct peer_table *t, const struct peer_key *key)
{
	struct entry **e;
	bool fine = false;

	if (t->limit == 0 || key->family == 0)
		return true;
	pthread_mutex_lock(&t->lock);
	e = find(t, key);
	if (*e == NULL && (*e = calloc(1, sizeof(**e))) != NULL)
		(*e)->key = *key;
	if (*e != NULL && (*e)->n < t->limit) {
		(*e)->n++;
		fine = true;
	}
	pthread_mutex_unlock(&t->lock);
	return fine;
}

void peers_leave(struct peer_table *t, const struct peer_key *key)
{
	struct entry **e, *gone;

	if (t->limit == 0 || key->family == 0)
		return;
	pthread_mutex_lock(&t->lock);
	e = find(t, key);
	if (*e != NULL && --(*e)->n == 0) {
		gone = *e;
		*e = gone->next;
		free(gone);
	}
	pthread_mutex_unlock(&t->lock);
}
