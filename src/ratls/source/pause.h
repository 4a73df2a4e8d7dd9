/* SPDX-License-Identifier: Apache-2.0
 *
 * How long to wait before asking again. Clocks and randomness are arguments: everything here is a function of
 * what it is given.
 */
#ifndef SOURCE_PAUSE_H
#define SOURCE_PAUSE_H

#include <stdint.h>

#include "ratls.h"

#define PAUSE_FIRST_MS     ((int64_t)2 * 1000)         /* after the first failure, at most */
#define PAUSE_MAX_MS       ((int64_t)5 * 60 * 1000)    /* however many there were */
#define PAUSE_ASKED_MAX_MS ((int64_t)3600 * 1000)      /* the longest that a service may ask for */
#define PAUSE_REFRESH_MS   ((int64_t)24 * 3600 * 1000) /* the oldest that is used without asking anew */
#define PAUSE_SOON_MS      ((int64_t)60 * 1000) /* no refresh follows another sooner, while they succeed */

/* After this many failures in a row (1 or more): doubling, and between half of that and all of it, so that
 * many who failed together do not come back together. */
int64_t pause_after_failures(unsigned failures, uint32_t random);

/* What Retry-After asks for (RFC 9110 section 10.2.3: seconds, or a date, for which now is needed), bounded;
 * -1 if it is neither. text may be NULL. */
int64_t pause_asked(const char *text, int64_t now);

/* The same of an answer's header. */
int64_t pause_of_answer(const struct ratls_http_response *r, int64_t now);

/* Fill err with why nobody is asked for that long, and return its code. */
int pause_refuse(const struct ratls_error *why, int64_t left_ms, struct ratls_error *err);

/* Until the refresh of what is this old and ends in ends_s seconds: within a day of when it was obtained and
 * well before its end, and at another moment for everybody. 0: now. */
int64_t pause_before_refresh(int64_t age_ms, int64_t ends_s, uint32_t random);

/* Not for secrets. */
uint32_t pause_random(void);

#endif
