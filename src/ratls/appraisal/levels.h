/* SPDX-License-Identifier: Apache-2.0
 *
 * TCB statuses, and the levels of what has a single security version number: a TDX module, a quoting
 * enclave.
 */
#ifndef APPRAISAL_LEVELS_H
#define APPRAISAL_LEVELS_H

#include "appraisal/fields.h"

#define LEVELS_MAX        64
#define ADVISORIES_MAX    128
#define ADVISORY_TEXT_MAX 64

enum tcb_status {
	TCB_UNKNOWN = 0,
	TCB_UP_TO_DATE,
	TCB_SW_HARDENING_NEEDED,
	TCB_CONFIGURATION_NEEDED,
	TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
	TCB_OUT_OF_DATE,
	TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
	TCB_REVOKED,
	TCB_NOT_SUPPORTED, /* below every published level: a result, never a word of a document */
};

/* Intel's word, "UpToDate" etc.; NULL for TCB_UNKNOWN. */
const char *tcb_status_name(enum tcb_status status);
/* TCB_UNKNOWN if it is not one of the seven words that documents use. */
enum tcb_status tcb_status_parse(const char *word);

/* What a level says besides its numbers. */
struct level_facts {
	enum tcb_status status;
	int64_t date;
	const json_t *advisories; /* array of texts, or NULL; the document's */
};

/* The members tcbStatus, tcbDate and advisoryIDs. */
void level_facts_read(struct fields *f, struct level_facts *ret);

struct svn_level {
	uint16_t svn;
	struct level_facts facts;
};

/* Sorted by svn, highest first; no two are equal. */
struct svn_levels {
	struct svn_level *at;
	size_t n;
};

/* The member tcbLevels, each with tcb.isvsvn; statuses other than UpToDate, OutOfDate and Revoked are not
 * defined for these. ret is zeroed; the caller frees it with svn_levels_done, also after a failure. */
void svn_levels_read(struct fields *f, struct svn_levels *ret);
void svn_levels_done(struct svn_levels *l);

/* The highest level that svn reaches, NULL if none. */
const struct svn_level *svn_levels_find(const struct svn_levels *l, uint16_t svn);

#endif
