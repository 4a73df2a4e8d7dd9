/* SPDX-License-Identifier: Apache-2.0 */
#include "source/ita_pause.h"

#include "base/err.h"
#include "source/pause.h"

void ita_pause_init(struct ita_pause *p)
{
	*p = (struct ita_pause){.until_ms = INT64_MIN};
	pthread_mutex_init(&p->lock, NULL);
}

void ita_pause_done(struct ita_pause *p)
{
	pthread_mutex_destroy(&p->lock);
}

int ita_pause_check(struct ita_pause *p, int64_t now_ms, struct ratls_error *err)
{
	int rc = RATLS_OK;

	pthread_mutex_lock(&p->lock);
	if (now_ms < p->until_ms)
		rc = err_reason(err, RATLS_E_UNAVAILABLE, p->why.reason, "%.440s (not asked again for %d s)",
			p->why.message, (int)((p->until_ms - now_ms + 999) / 1000));
	pthread_mutex_unlock(&p->lock);
	return rc;
}

static void begin(struct ita_pause *p, int64_t now_ms, const struct ratls_error *why, int64_t asked_ms)
{
	bool together = now_ms < p->until_ms;
	int64_t wait_ms;

	if (!together)
		p->failures++;
	wait_ms = asked_ms > 0 ? asked_ms : pause_after_failures(p->failures, pause_random());
	if (wait_ms > PAUSE_MAX_MS)
		wait_ms = PAUSE_MAX_MS;
	if (together && (asked_ms <= 0 || now_ms + wait_ms <= p->until_ms))
		return;
	p->until_ms = now_ms + wait_ms;
	p->why = *why;
}

void ita_pause_note(struct ita_pause *p, int64_t now_ms, const struct ratls_error *why, int64_t asked_ms)
{
	pthread_mutex_lock(&p->lock);
	if (why != NULL)
		begin(p, now_ms, why, asked_ms);
	else
		p->failures = 0;
	pthread_mutex_unlock(&p->lock);
}
