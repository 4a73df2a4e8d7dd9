/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/evidence.h"

#include <stdlib.h>

void ratls_evidence_free(struct ratls_evidence *evidence)
{
	if (evidence == NULL || atomic_fetch_sub_explicit(&evidence->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(evidence->arena);
	free(evidence);
}
