/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/outcome.h"

#include <stdarg.h>
#include <stdio.h>

bool outcome_fail(struct outcome *o, const char *fmt, ...)
{
	va_list ap;

	o->status = CHECK_FAIL;
	va_start(ap, fmt);
	vsnprintf(o->detail, sizeof(o->detail), fmt, ap);
	va_end(ap);
	return false;
}

bool outcome_unknown(struct outcome *o, const char *fmt, ...)
{
	va_list ap;

	o->status = CHECK_UNKNOWN;
	va_start(ap, fmt);
	vsnprintf(o->detail, sizeof(o->detail), fmt, ap);
	va_end(ap);
	return false;
}

bool outcome_pass(struct outcome *o)
{
	o->status = CHECK_PASS;
	o->detail[0] = '\0';
	return true;
}
