/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "appraisal/tcbinfo.h"
#include "fuzz.h"

static void check_levels(const struct svn_levels *l)
{
	assert(l->n > 0 && l->n <= LEVELS_MAX);
	for (size_t i = 1; i < l->n; i++)
		assert(l->at[i].svn < l->at[i - 1].svn);
	assert(svn_levels_find(l, UINT16_MAX) == &l->at[0]);
}

/* What was accepted is sorted, complete and within its bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct outcome o = {0};
	struct tcbinfo *t = tcbinfo_parse(cur_of(data, len), &o);

	assert((t != NULL) == outcome_passed(&o));
	if (t == NULL) {
		assert(o.detail[0] != '\0');
		return 0;
	}
	assert(t->n_levels > 0 && t->n_levels <= TCBINFO_LEVELS_MAX && t->n_modules <= TCBINFO_MODULES_MAX);
	for (size_t i = 0; i < t->n_levels; i++) {
		const struct tcb_level *l = &t->levels[i];

		assert(l->facts.status >= TCB_UP_TO_DATE && l->facts.status <= TCB_REVOKED);
		assert(i == 0 || memcmp(l->sgx, l[-1].sgx, sizeof(l->sgx)) <= 0);
	}
	for (size_t i = 0; i < t->n_modules; i++)
		check_levels(&t->modules[i].levels);
	tcbinfo_free(t);
	return 0;
}
