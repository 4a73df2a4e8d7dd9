/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/store.h"

#include <string.h>

void *store_take(struct store *s, size_t n)
{
	size_t rounded = (n + STORE_ALIGN - 1) / STORE_ALIGN * STORE_ALIGN;
	void *p = s->p != NULL && s->used <= s->size && rounded <= s->size - s->used ? s->p + s->used : NULL;

	s->used += rounded;
	return p;
}

struct cur store_copy(struct store *s, struct cur bytes)
{
	uint8_t *p = store_take(s, bytes.left);

	if (p == NULL)
		return bytes;
	memcpy(p, bytes.p, bytes.left);
	return cur_of(p, bytes.left);
}

struct eventlog store_log(struct store *s, size_t n)
{
	return (struct eventlog){.events = store_take(s, n * sizeof(struct event)), .n = n};
}

void store_event(struct eventlog *log, size_t i, const struct event *e)
{
	if (log->events != NULL)
		log->events[i] = *e;
}
