/* SPDX-License-Identifier: Apache-2.0
 *
 * Time: seconds since the epoch for facts, monotonic milliseconds for deadlines.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_SIZE 32 /* room for "YYYY-MM-DDThh:mm:ssZ" and to spare */

int64_t clock_now(void);          /* Unix seconds */
int64_t clock_monotonic_ms(void); /* never goes back */

/* RFC 3339 in UTC, "2026-11-22T18:23:04Z". */
void clock_format(int64_t at, char text[static CLOCK_TEXT_SIZE]);

/* Exactly YYYY-MM-DDThh:mm:ssZ and a day that exists: what Intel's collateral uses. */
bool clock_parse_utc(const char *text, size_t len, int64_t *ret_at);

/* The days since 1970-01-01 of a date of the Gregorian calendar. */
int64_t clock_days(int year, int month, int day);

#endif
