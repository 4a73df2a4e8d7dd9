/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void __attribute__((format(printf, 4, 0)))
fill(struct ratls_error *err, int code, int reason, const char *fmt, va_list ap)
{
	if (err == NULL)
		return;
	err->code = code;
	err->reason = reason;
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
}

int err_set(struct ratls_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, code, 0, fmt, ap);
	va_end(ap);
	return code;
}

int err_reason(struct ratls_error *err, int code, int reason, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, code, reason, fmt, ap);
	va_end(ap);
	return code;
}

int err_prefix(struct ratls_error *err, int code, const char *fmt, ...)
{
	char old[RATLS_ERROR_MESSAGE_SIZE];
	va_list ap;
	size_t used;

	if (err == NULL)
		return code;
	memcpy(old, err->message, sizeof(old));
	old[sizeof(old) - 1] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	used = strlen(err->message);
	snprintf(err->message + used, sizeof(err->message) - used, ": %s", old);
	return code;
}
