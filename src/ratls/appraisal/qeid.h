/* SPDX-License-Identifier: Apache-2.0
 *
 * QE identity: what Intel says its quoting enclave for TDX looks like. "Intel PCS API", enclave identity v2.
 */
#ifndef APPRAISAL_QEID_H
#define APPRAISAL_QEID_H

#include "appraisal/levels.h"
#include "base/cur.h"

struct qeid {
	json_t *json;
	bool td_qe; /* else of another enclave, which no TDX quote can be judged by */
	int64_t issued, next_update;
	int64_t evaluation_data_number;
	uint8_t miscselect[4], miscselect_mask[4];
	uint8_t attributes[16], attributes_mask[16];
	uint8_t mrsigner[32];
	uint16_t isvprodid;
	struct svn_levels levels;
};

/* text is the inner object, its signature verified before. NULL and o says why if anything is malformed. */
struct qeid *qeid_parse(struct cur text, struct outcome *o);
void qeid_free(struct qeid *q);

#endif
