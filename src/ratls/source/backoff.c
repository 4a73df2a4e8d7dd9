/* SPDX-License-Identifier: Apache-2.0 */
#include "source/backoff.h"

#include <stdbool.h>

#include "source/pause.h"

void backoff_init(struct backoff *b, int64_t longest_ms)
{
	*b = (struct backoff){.longest_ms = longest_ms, .until_ms = INT64_MIN};
	pthread_mutex_init(&b->lock, NULL);
}

void backoff_done(struct backoff *b)
{
	pthread_mutex_destroy(&b->lock);
}

int backoff_check(struct backoff *b, int64_t now_ms, struct ratls_error *err)
{
	int rc = RATLS_OK;

	pthread_mutex_lock(&b->lock);
	if (now_ms < b->until_ms)
		rc = pause_refuse(&b->why, b->until_ms - now_ms, err);
	pthread_mutex_unlock(&b->lock);
	return rc;
}

static void begin(struct backoff *b, int64_t now_ms, const struct ratls_error *why, int64_t asked_ms)
{
	bool together = now_ms < b->until_ms;
	int64_t wait_ms;

	if (!together)
		b->failures++;
	if (asked_ms > 0) /* never sooner, and not all at that very moment */
		wait_ms = asked_ms + pause_after_failures(1, pause_random()) - PAUSE_FIRST_MS / 2;
	else
		wait_ms = pause_after_failures(b->failures, pause_random());
	if (wait_ms > b->longest_ms)
		wait_ms = b->longest_ms;
	if (together && (asked_ms <= 0 || now_ms + wait_ms <= b->until_ms))
		return;
	b->until_ms = now_ms + wait_ms;
	b->why = *why;
}

void backoff_note(struct backoff *b, int64_t now_ms, const struct ratls_error *why, int64_t asked_ms)
{
	pthread_mutex_lock(&b->lock);
	if (why != NULL)
		begin(b, now_ms, why, asked_ms);
	else
		b->failures = 0;
	pthread_mutex_unlock(&b->lock);
}
