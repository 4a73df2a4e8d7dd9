/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

static struct {
	const char *program;
	enum log_level level;
	bool json;
} setup = {"teesql", LOG_LEVEL_INFO, false};

static const char *const level_names[] = {"error", "warning", "info", "debug", "warning"};

void log_setup(const char *program, enum log_level level, enum log_format format)
{
	setup.program = program;
	setup.level = level;
	setup.json = format == LOG_FORMAT_JSON;
}

bool log_wants(enum log_level level)
{
	return level <= setup.level || level == LOG_LEVEL_INSECURE;
}

/* A value in quotes, so that what a peer wrote can neither end the line, nor imitate a field, nor steer a terminal. */
static void append_quoted(struct buf *b, const char *text)
{
	struct cur rest = cur_of(text, strlen(text));
	uint32_t c;

	buf_u8(b, '"');
	while (rest.left > 0) {
		const uint8_t *begin = rest.p;
		bool good = utf8_take(&rest, &c);

		if (c == '"' || c == '\\')
			buf_fmt(b, "\\%c", (char)c);
		else if (!good || utf8_steers(c))
			buf_fmt(b, "\\u%04x", c);
		else
			buf_bytes(b, begin, (size_t)(rest.p - begin));
	}
	buf_u8(b, '"');
}

static void append_pair(struct buf *b, const char *key, const char *value)
{
	if (setup.json)
		buf_fmt(b, ",\"%s\":", key);
	else
		buf_fmt(b, " %s=", key);
	append_quoted(b, value);
}

/* Peers decide how many lines there are: more than this in one second are counted and not written, and so is what
 * whoever reads the log has no room for. */
#define LINES_PER_SECOND 2000

static atomic_llong second;
static atomic_uint lines_in_second, suppressed;

static bool may_write(int64_t now)
{
	if (atomic_exchange(&second, now) != now)
		atomic_store(&lines_in_second, 0);
	if (atomic_fetch_add(&lines_in_second, 1) < LINES_PER_SECOND)
		return true;
	atomic_fetch_add(&suppressed, 1);
	return false;
}

/* A loop writes here: who does not read the log must not stop it. What is ready to be written takes a line of at most
 * PIPE_BUF bytes without waiting; all our threads write behind one lock, since the room is that of one. */
static bool write_line(const struct buf *line)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	bool written = false;

	if (line->bad || line->len > PIPE_BUF)
		return false;
	pthread_mutex_lock(&lock);
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT))
		written = write(STDERR_FILENO, line->p, line->len) >= 0; /* one write: lines do not mix */
	pthread_mutex_unlock(&lock);
	return written;
}

void log_event(enum log_level level, uint64_t conn, const struct log_field *fields, const char *fmt, ...)
{
	struct buf line = {0};
	char time[CLOCK_TEXT_SIZE], message[512], missing[16];
	int64_t now = clock_now();
	unsigned left_out;
	va_list ap;

	if (!log_wants(level) || !may_write(now))
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	clock_format(now, time);
	if (setup.json)
		buf_fmt(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\"", time, level_names[level],
			setup.program);
	else
		buf_fmt(&line, "%s %s", time, level_names[level]);
	if (conn != 0)
		buf_fmt(&line, setup.json ? ",\"conn\":%llu" : " conn=%llu", (unsigned long long)conn);
	append_pair(&line, "msg", message);
	left_out = atomic_exchange(&suppressed, 0);
	if (left_out > 0) {
		snprintf(missing, sizeof(missing), "%u", left_out);
		append_pair(&line, "suppressed_before", missing);
	}
	for (const struct log_field *f = fields; f != NULL && f->key != NULL; f++)
		append_pair(&line, f->key, f->value != NULL ? f->value : "");
	buf_str(&line, setup.json ? "}\n" : "\n");
	if (!write_line(&line))
		atomic_fetch_add(&suppressed, left_out + 1);
	buf_done(&line);
}
