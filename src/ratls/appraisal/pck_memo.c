/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/pck_memo.h"

void pck_memo_done(struct pck_memo *m)
{
	for (size_t i = 0; i < PCK_MEMO_ROWS; i++)
		pck_unref(atomic_load(&m->rows[i]));
}

#define SAMPLE_EVERY 16 /* bytes: the numbers in a leaf that differ between platforms are longer */

/* A sample chooses the row; the whole text decides. */
static uint32_t first_row(struct cur text)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < text.left; i += SAMPLE_EVERY)
		hash = hash * 31 + text.p[i];
	return hash;
}

static struct pck *find(struct pck_memo *m, struct cur text, uint32_t first)
{
	for (uint32_t i = 0; i < PCK_MEMO_PROBES; i++) {
		struct pck *p = atomic_load(&m->rows[(first + i) % PCK_MEMO_ROWS]);

		if (p != NULL && cur_is(&text, p->text.p, p->text.len))
			return pck_ref(p);
	}
	return NULL;
}

static void keep(struct pck_memo *m, struct pck *pck, struct cur text, uint32_t first)
{
	buf_bytes(&pck->text, text.p, text.left);
	for (uint32_t i = 0; i < PCK_MEMO_PROBES && !pck->text.bad; i++) {
		struct pck *nothing = NULL;

		pck_ref(pck);
		if (atomic_compare_exchange_strong(&m->rows[(first + i) % PCK_MEMO_ROWS], &nothing, pck))
			return;
		pck_unref(pck);
	}
}

struct pck *pck_memo_get(struct pck_memo *m, struct cur pem, const struct pck_known *known)
{
	uint32_t first = first_row(pem);
	struct pck *pck = find(m, pem, first);

	if (pck != NULL)
		return pck;
	pck = pck_new(pem, known);
	/* Only what holds is worth a row: a peer must not be able to fill them with rubbish. */
	if (pck != NULL && outcome_passed(&pck->chain) && outcome_passed(&pck->root) &&
		outcome_passed(&pck->signature))
		keep(m, pck, pem, first);
	return pck;
}
