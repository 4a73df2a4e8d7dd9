/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/pck_memo.h"

void pck_memo_init(struct pck_memo *m)
{
	pthread_mutex_init(&m->lock, NULL);
}

void pck_memo_done(struct pck_memo *m)
{
	for (size_t i = 0; i < PCK_MEMO_ROWS; i++)
		pck_unref(m->rows[i].pck);
	pthread_mutex_destroy(&m->lock);
}

static struct pck *find(struct pck_memo *m, size_t row, const uint8_t *key)
{
	struct pck *found = NULL;

	pthread_mutex_lock(&m->lock);
	if (m->rows[row].pck != NULL && memcmp(m->rows[row].key, key, sizeof(m->rows[row].key)) == 0)
		found = pck_ref(m->rows[row].pck);
	pthread_mutex_unlock(&m->lock);
	return found;
}

static void keep(struct pck_memo *m, size_t row, const uint8_t *key, struct pck *pck)
{
	struct pck *before;

	pthread_mutex_lock(&m->lock);
	before = m->rows[row].pck;
	m->rows[row].pck = pck_ref(pck);
	memcpy(m->rows[row].key, key, sizeof(m->rows[row].key));
	pthread_mutex_unlock(&m->lock);
	pck_unref(before);
}

struct pck *pck_memo_get(struct pck_memo *m, struct cur pem, const struct pck_known *known)
{
	uint8_t key[HASH_SHA256_SIZE];
	struct pck *pck;
	size_t row;

	if (!hash_bytes(HASH_SHA256, pem.p, pem.left, key))
		return pck_new(pem, known);
	row = key[0] % PCK_MEMO_ROWS;
	pck = find(m, row, key);
	if (pck != NULL)
		return pck;
	pck = pck_new(pem, known);
	/* Only what holds is worth a row: a peer must not be able to fill them with rubbish. */
	if (pck != NULL && outcome_passed(&pck->chain) && outcome_passed(&pck->root) &&
		outcome_passed(&pck->signature))
		keep(m, row, key, pck);
	return pck;
}
