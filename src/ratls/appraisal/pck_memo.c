/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/pck_memo.h"

void pck_memo_done(struct pck_memo *m)
{
	for (size_t i = 0; i < PCK_MEMO_ROWS; i++)
		pck_unref(atomic_load(&m->rows[i]));
}

static _Atomic(struct pck *) *row_of(struct pck_memo *m, const uint8_t *digest, size_t probe)
{
	return &m->rows[(digest[0] + probe) % PCK_MEMO_ROWS];
}

static struct pck *find(struct pck_memo *m, const uint8_t *digest)
{
	for (size_t i = 0; i < PCK_MEMO_PROBES; i++) {
		struct pck *p = atomic_load(row_of(m, digest, i));

		if (p != NULL && memcmp(p->digest, digest, sizeof(p->digest)) == 0)
			return pck_ref(p);
	}
	return NULL;
}

static void keep(struct pck_memo *m, struct pck *pck)
{
	for (size_t i = 0; i < PCK_MEMO_PROBES; i++) {
		struct pck *nothing = NULL;

		pck_ref(pck);
		if (atomic_compare_exchange_strong(row_of(m, pck->digest, i), &nothing, pck))
			return;
		pck_unref(pck);
	}
}

struct pck *pck_memo_get(struct pck_memo *m, struct cur pem, const struct pck_known *known)
{
	uint8_t digest[HASH_SHA256_SIZE];
	struct pck *pck;

	if (!hash_bytes(HASH_SHA256, pem.p, pem.left, digest))
		return pck_new(pem, known);
	pck = find(m, digest);
	if (pck != NULL)
		return pck;
	pck = pck_new(pem, known);
	if (pck == NULL)
		return NULL;
	/* Only what holds is worth a row: a peer must not be able to fill them with rubbish. */
	memcpy(pck->digest, digest, sizeof(digest));
	if (outcome_passed(&pck->chain) && outcome_passed(&pck->root) && outcome_passed(&pck->signature))
		keep(m, pck);
	return pck;
}
