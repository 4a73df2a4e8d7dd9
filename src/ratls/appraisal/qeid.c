/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/qeid.h"

#include <stdlib.h>
#include <string.h>

#define VERSION 2

static void read_kind(struct fields *f, struct qeid *q)
{
	const char *id = fields_text(f, "id", 8);

	q->td_qe = strcmp(id, "TD_QE") == 0;
	if (!q->td_qe && strcmp(id, "QE") != 0 && strcmp(id, "QVE") != 0)
		fields_fail(f, "id", "is not an enclave that is known");
	if (fields_uint(f, "version", INT32_MAX) != VERSION)
		fields_fail(f, "version", "is not 2");
}

static bool read_document(struct qeid *q, struct outcome *o)
{
	struct fields f = fields_of(q->json, "enclaveIdentity", o);

	read_kind(&f, q);
	q->issued = fields_time(&f, "issueDate");
	q->next_update = fields_time(&f, "nextUpdate");
	q->evaluation_data_number = fields_uint(&f, "tcbEvaluationDataNumber", INT32_MAX);
	fields_hex(&f, "miscselect", q->miscselect, sizeof(q->miscselect));
	fields_hex(&f, "miscselectMask", q->miscselect_mask, sizeof(q->miscselect_mask));
	fields_hex(&f, "attributes", q->attributes, sizeof(q->attributes));
	fields_hex(&f, "attributesMask", q->attributes_mask, sizeof(q->attributes_mask));
	fields_hex(&f, "mrsigner", q->mrsigner, sizeof(q->mrsigner));
	q->isvprodid = (uint16_t)fields_uint(&f, "isvprodid", UINT16_MAX);
	svn_levels_read(&f, &q->levels);
	return !f.bad && outcome_pass(o);
}

struct qeid *qeid_parse(struct cur text, struct outcome *o)
{
	struct qeid *q = calloc(1, sizeof(*q));

	if (q == NULL) {
		outcome_unknown(o, "out of memory");
		return NULL;
	}
	q->json = fields_document(text, "QE identity", o);
	if (q->json != NULL && read_document(q, o))
		return q;
	qeid_free(q);
	return NULL;
}

void qeid_free(struct qeid *q)
{
	if (q == NULL)
		return;
	svn_levels_done(&q->levels);
	json_decref(q->json);
	free(q);
}
