/* SPDX-License-Identifier: Apache-2.0 */
#include "source/pause.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/err.h"
#include "source/http.h"

#define DOUBLINGS_MAX 16

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Between half of it and all of it. */
static int64_t spread(int64_t ms, uint32_t random)
{
	return ms / 2 + (int64_t)((uint64_t)(ms - ms / 2) * random / UINT32_MAX);
}

int64_t pause_after_failures(unsigned failures, uint32_t random)
{
	unsigned doublings = failures > 0 ? failures - 1 : 0;

	if (doublings > DOUBLINGS_MAX)
		doublings = DOUBLINGS_MAX;
	return spread(least(PAUSE_FIRST_MS << doublings, PAUSE_MAX_MS), random);
}

int64_t pause_asked(const char *text, int64_t now)
{
	int64_t until, seconds = 0;

	if (text == NULL || text[0] == '\0')
		return -1;
	if (http_date(text, &until))
		return until > now ? least(until - now, PAUSE_ASKED_MAX_MS / 1000) * 1000 : 0;
	for (; *text >= '0' && *text <= '9'; text++)
		seconds = least(seconds * 10 + (*text - '0'), PAUSE_ASKED_MAX_MS / 1000);
	return *text == '\0' ? seconds * 1000 : -1;
}

int64_t pause_of_answer(const struct ratls_http_response *r, int64_t now)
{
	char *text = http_header(r, "Retry-After");
	int64_t ms = pause_asked(text, now);

	free(text);
	return ms;
}

int pause_refuse(const struct ratls_error *why, int64_t left_ms, struct ratls_error *err)
{
	return err_reason(err, why->code, why->reason, "%.440s (not asked again for %d s)", why->message,
		(int)((left_ms + 999) / 1000));
}

int64_t pause_before_refresh(int64_t age_ms, int64_t ends_s, uint32_t random)
{
	/* Half of what is left: where services only have what ends soon, they are asked ever more often. */
	int64_t left_s = ends_s > 0 ? least(ends_s, PAUSE_REFRESH_MS / 500) : 0;
	int64_t wait = spread(left_s * 500, random);

	if (age_ms < 0)
		return 0; /* of a time to come: nobody knows how old it is */
	wait -= least(age_ms, PAUSE_REFRESH_MS);
	return age_ms < PAUSE_SOON_MS && wait < PAUSE_SOON_MS ? PAUSE_SOON_MS : wait > 0 ? wait : 0;
}

uint32_t pause_random(void)
{
	uint32_t random = 0;

	/* Where there is none everybody comes at the same moment: a pity, no more. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = 0;
	return random;
}
