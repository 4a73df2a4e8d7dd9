/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/verdict_cache.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024 /* a power of two; keys are digests, so that any of their bits will do */

struct entry {
	uint8_t key[HASH_SHA256_SIZE];
	int64_t formed_at;
	struct verdict verdict;
	struct entry *next;          /* in its bucket */
	struct entry *older, *newer; /* in order of formation */
};

struct verdict_cache {
	size_t n;
	struct entry *oldest, *newest;
	struct entry *buckets[BUCKETS];
};

struct verdict_cache *verdict_cache_new(void)
{
	return calloc(1, sizeof(struct verdict_cache));
}

void verdict_cache_free(struct verdict_cache *c)
{
	if (c == NULL)
		return;
	verdict_cache_clear(c);
	free(c);
}

/* The link that points to the key's entry, or the one that ends its bucket. */
static struct entry **find(struct verdict_cache *c, const uint8_t *key)
{
	struct entry **link = &c->buckets[(key[0] | key[1] << 8) & (BUCKETS - 1)];

	while (*link != NULL && memcmp((*link)->key, key, HASH_SHA256_SIZE) != 0)
		link = &(*link)->next;
	return link;
}

static void discard(struct verdict_cache *c, struct entry **link)
{
	struct entry *e = *link;

	*link = e->next;
	*(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
	*(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
	c->n--;
	free(e);
}

static void append(struct verdict_cache *c, struct entry *e)
{
	struct entry **bucket = find(c, e->key);

	e->next = NULL;
	*bucket = e;
	e->newer = NULL;
	e->older = c->newest;
	*(c->newest != NULL ? &c->newest->newer : &c->oldest) = e;
	c->newest = e;
	c->n++;
}

void verdict_cache_put(struct verdict_cache *c, const uint8_t key[static HASH_SHA256_SIZE], int64_t formed_at,
	const struct verdict *verdict)
{
	struct entry **known = find(c, key);
	struct entry *e;

	if (*known != NULL)
		discard(c, known);
	if (!verdict->accepted || (e = malloc(sizeof(*e))) == NULL)
		return;
	if (c->n == RELYING_PARTY_CACHE_MAX)
		discard(c, find(c, c->oldest->key));
	memcpy(e->key, key, sizeof(e->key));
	e->formed_at = formed_at;
	e->verdict = *verdict;
	append(c, e);
}

bool verdict_cache_get(
	struct verdict_cache *c, const uint8_t key[static HASH_SHA256_SIZE], int64_t now, struct verdict *ret)
{
	const struct entry *e = *find(c, key);

	if (e == NULL || now < e->formed_at || now >= e->verdict.valid_until)
		return false;
	*ret = e->verdict;
	return true;
}

void verdict_cache_clear(struct verdict_cache *c)
{
	while (c->oldest != NULL)
		discard(c, find(c, c->oldest->key));
}
