/* SPDX-License-Identifier: Apache-2.0
 *
 * Every refusal has a number, an identifier, a class, a meaning and a remedy, in one table (reason.def):
 * it feeds messages, JSON reports, `teesql explain`, the manual and the ErrorResponse. Numbers are never
 * reused.
 */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include <stddef.h>

#include "ratls.h"

/* See enum ratls_class. */
enum reason_class {
	CLASS_ACCEPTED = RATLS_CLASS_ACCEPTED,
	CLASS_POLICY = RATLS_CLASS_POLICY,
	CLASS_USAGE = RATLS_CLASS_USAGE,
	CLASS_UNREACHABLE = RATLS_CLASS_UNREACHABLE,
	CLASS_EVIDENCE = RATLS_CLASS_EVIDENCE,
	CLASS_AUTHENTICITY = RATLS_CLASS_AUTHENTICITY,
	CLASS_TCB = RATLS_CLASS_TCB,
	CLASS_UNDETERMINED = RATLS_CLASS_UNDETERMINED,
	CLASS_CLOCK = RATLS_CLASS_CLOCK,
};

enum reason {
	REASON_NONE = 0,
#define REASON(symbol, number, id, class, meaning, remedy) REASON_##symbol = (number),
#include "base/reason.def"
#undef REASON
};

struct reason_row {
	int number;
	const char *id; /* the rule, such as "quote.signature" */
	enum reason_class class;
	const char *meaning; /* one clause, lower case */
	const char *remedy;  /* what to do, a sentence */
};

/* NULL if there is no such row. */
const struct reason_row *reason_find(int number);
const struct reason_row *reason_find_id(const char *id);

/* The i-th row in the order of the table, NULL at its end. */
const struct reason_row *reason_at(size_t i);

#define REASON_CODE_SIZE 16

/* "TQ-1001" of a reason's number, "" of REASON_NONE: text. */
const char *reason_code(int number, char text[static REASON_CODE_SIZE]);

/* "policy", "usage", ... as in the member `class` of a JSON report. */
const char *reason_class_name(enum reason_class class);

#endif
