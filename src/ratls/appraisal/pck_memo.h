/* SPDX-License-Identifier: Apache-2.0
 *
 * PCK chains that were seen under the same endorsements. Decoding and verifying a chain costs more than all
 * the rest of an appraisal, and depends on nothing but its text and the endorsements: remembering it changes
 * no verdict. Times and revocation are not part of it.
 */
#ifndef APPRAISAL_PCK_MEMO_H
#define APPRAISAL_PCK_MEMO_H

#include <pthread.h>

#include "appraisal/pck.h"
#include "base/hash.h"

#define PCK_MEMO_ROWS 64 /* a new chain replaces the one whose row it falls on */

struct pck_memo {
	pthread_mutex_t lock;
	struct {
		uint8_t key[HASH_SHA256_SIZE]; /* of the text */
		struct pck *pck;               /* NULL: free */
	} rows[PCK_MEMO_ROWS];
};

void pck_memo_init(struct pck_memo *m);
void pck_memo_done(struct pck_memo *m);

/* The chain of this text, read now or remembered; the caller unreferences it. known is the same for all calls
 * of one memo. NULL if memory ran out. Thread-safe. */
struct pck *pck_memo_get(struct pck_memo *m, struct cur pem, const struct pck_known *known);

#endif
