/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of the programs (the library returns, it never logs): one line an event on standard error,
 * `key=value` text or JSON. Messages are PostgreSQL's style. Never a secret, a cancel key, SQL or raw
 * evidence.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Their words are the choices of an option (OPT_CHOICE); the last is no choice: a warning of a check that is weakened,
 * which is written whatever the choice is (invariant no_silent_downgrade). */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVEL_INSECURE };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
#define LOG_LEVEL_WORDS  "error|warning|info|debug"
#define LOG_FORMAT_WORDS "text|json"

struct log_field {
	const char *key;
	const char *value; /* escaped by the log; may come from a peer */
};

/* Set once at start, before threads. program is shown in JSON. */
void log_setup(const char *program, enum log_level level, enum log_format format);
bool log_wants(enum log_level level);

/* Never waits: a line for which standard error has no room is counted, and the next that is written says how many
 * were left out. Any thread.
 *
 * conn is the connection's number, 0 for none. Fields end with a NULL key, or fields is NULL. */
void log_event(enum log_level level, uint64_t conn, const struct log_field *fields, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
