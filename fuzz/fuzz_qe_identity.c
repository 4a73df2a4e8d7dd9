/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/qeid.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct outcome o = {0};
	struct qeid *q = qeid_parse(cur_of(data, len), &o);

	assert((q != NULL) == outcome_passed(&o));
	if (q != NULL) {
		assert(q->levels.n > 0 && q->levels.n <= LEVELS_MAX);
		for (size_t i = 1; i < q->levels.n; i++)
			assert(q->levels.at[i].svn < q->levels.at[i - 1].svn);
	}
	qeid_free(q);
	return 0;
}
