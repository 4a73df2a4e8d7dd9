/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static struct {
	const char *program;
	enum log_level level;
	bool json;
} setup = {"teesql", LOG_LEVEL_INFO, false};

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_setup(const char *program, enum log_level level, bool json)
{
	setup.program = program;
	setup.level = level;
	setup.json = json;
}

bool log_wants(enum log_level level)
{
	return level <= setup.level;
}

bool log_parse_level(const char *text, enum log_level *ret)
{
	for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* A value in quotes, so that what a peer wrote can neither end the line nor imitate a field. */
static void append_quoted(struct buf *b, const char *text)
{
	buf_u8(b, '"');
	for (const char *c = text; *c != '\0'; c++) {
		unsigned char u = (unsigned char)*c;

		if (u == '"' || u == '\\')
			buf_fmt(b, "\\%c", u);
		else if (u < 0x20 || u == 0x7f)
			buf_fmt(b, "\\u%04x", u);
		else
			buf_u8(b, u);
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

void log_event(enum log_level level, uint64_t conn, const struct log_field *fields, const char *fmt, ...)
{
	struct buf line = {0};
	char time[CLOCK_TEXT_SIZE], message[512];
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	clock_format(clock_now(), time);
	if (setup.json)
		buf_fmt(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\"", time, level_names[level],
			setup.program);
	else
		buf_fmt(&line, "%s %s", time, level_names[level]);
	if (conn != 0)
		buf_fmt(&line, setup.json ? ",\"conn\":%llu" : " conn=%llu", (unsigned long long)conn);
	append_pair(&line, "msg", message);
	for (const struct log_field *f = fields; f != NULL && f->key != NULL; f++)
		append_pair(&line, f->key, f->value != NULL ? f->value : "");
	buf_str(&line, setup.json ? "}\n" : "\n");
	if (!line.bad)
		(void)!write(STDERR_FILENO, line.p, line.len); /* one write: lines of threads do not mix */
	buf_done(&line);
}
