/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reason.h"

#include <stdio.h>
#include <string.h>

static const struct reason_row rows[] = {
#define REASON(symbol, number, id, class, meaning, remedy) {number, id, CLASS_##class, meaning, remedy},
#include "base/reason.def"
#undef REASON
};

static const size_t n_rows = sizeof(rows) / sizeof(rows[0]);

const struct reason_row *reason_at(size_t i)
{
	return i < n_rows ? &rows[i] : NULL;
}

const struct reason_row *reason_find(int number)
{
	for (size_t i = 0; i < n_rows; i++)
		if (rows[i].number == number)
			return &rows[i];
	return NULL;
}

const struct reason_row *reason_find_id(const char *id)
{
	for (size_t i = 0; i < n_rows; i++)
		if (strcmp(rows[i].id, id) == 0)
			return &rows[i];
	return NULL;
}

const char *reason_code(int number, char text[static REASON_CODE_SIZE])
{
	text[0] = '\0';
	if (number != REASON_NONE)
		snprintf(text, REASON_CODE_SIZE, "TQ-%d", number);
	return text;
}

const char *reason_class_name(enum reason_class class)
{
	static const char *const names[] = {
		[CLASS_ACCEPTED] = "accepted",         [CLASS_POLICY] = "policy",
		[CLASS_USAGE] = "usage",               [CLASS_UNREACHABLE] = "unreachable",
		[CLASS_EVIDENCE] = "evidence",         [CLASS_AUTHENTICITY] = "authenticity",
		[CLASS_TCB] = "tcb",                   [CLASS_UNDETERMINED] = "undetermined",
		[CLASS_CLOCK] = "clock",
	};

	return (size_t)class < sizeof(names) / sizeof(names[0]) ? names[class] : "unknown";
}
