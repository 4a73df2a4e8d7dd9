/* SPDX-License-Identifier: Apache-2.0
 *
 * PCK chains that were seen under the same endorsements. Decoding and verifying a chain costs more than all
 * the rest of an appraisal, and depends on nothing but its text and the endorsements: remembering it changes
 * no verdict. Times and revocation are not part of it.
 *
 * A row is written once and stays until the endorsements go, which is within a day: so readers need no lock.
 */
#ifndef APPRAISAL_PCK_MEMO_H
#define APPRAISAL_PCK_MEMO_H

#include "appraisal/pck.h"

#define PCK_MEMO_ROWS   256
#define PCK_MEMO_PROBES 4 /* rows that a chain may stand in; when all are taken it is not remembered */

struct pck_memo {
	_Atomic(struct pck *) rows[PCK_MEMO_ROWS]; /* a reference each; NULL: free */
};

void pck_memo_done(struct pck_memo *m);

/* The chain of this text, read now or remembered; the caller unreferences it. known is the same for all calls
 * of one memo. NULL if memory ran out. Thread-safe. */
struct pck *pck_memo_get(struct pck_memo *m, struct cur pem, const struct pck_known *known);

#endif
