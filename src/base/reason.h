/* SPDX-License-Identifier: Apache-2.0
 *
 * Every refusal has a number, an identifier, a class, a meaning and a remedy, in one table (reason.def):
 * it feeds messages, JSON reports, `teesql explain`, the manual and the ErrorResponse. Numbers are never
 * reused.
 */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include <stddef.h>

/* What kind of "no": the values are the exit codes of every command. */
enum reason_class {
	CLASS_ACCEPTED = 0,
	CLASS_POLICY = 1,       /* genuine evidence, not what the policy accepts */
	CLASS_USAGE = 2,        /* options, configuration, policy file */
	CLASS_UNREACHABLE = 3,  /* name, connection, TLS transport */
	CLASS_EVIDENCE = 4,     /* no evidence, or malformed evidence */
	CLASS_AUTHENTICITY = 5, /* signature, chain, revocation, key binding */
	CLASS_TCB = 6,          /* TCB status not accepted */
	CLASS_UNDETERMINED = 7, /* collateral or verifier service unavailable or out of its validity */
	CLASS_CLOCK = 8,        /* our own clock is implausible */
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
