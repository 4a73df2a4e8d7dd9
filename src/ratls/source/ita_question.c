/* SPDX-License-Identifier: Apache-2.0 */
#include "source/ita_question.h"

#include <stdlib.h>
#include <string.h>

#include "appraisal/json_bytes.h"
#include "base/err.h"
#include "base/reason.h"
#include "evidence/cclog.h"
#include "evidence/evidence.h"

/* Nothing if the evidence has no event to tell of. */
static int add_event_log(json_t *tdx, const struct ratls_evidence *evidence, struct ratls_error *err)
{
	struct buf log = {0};
	int rc = cclog_append(&evidence->log, &evidence->quote.td, &log, err);

	if (rc == RATLS_OK && log.len > 0 &&
		json_object_set_new(tdx, "event_log", json_of_base64(cur_of(log.p, log.len))) != 0)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	buf_done(&log);
	return rc;
}

static char *dump(json_t *tdx)
{
	json_t *object = json_pack("{s:O, s:s}", "tdx", tdx, "token_signing_alg", "PS384");
	struct buf text = {0};

	json_append(object, JSON_COMPACT, &text);
	json_decref(object);
	return buf_take_str(&text);
}

int ita_question(const struct ratls_evidence *evidence, json_t *nonce, bool with_event_log, char **ret,
	struct ratls_error *err)
{
	json_t *tdx = json_object();
	char *text = NULL;
	int rc = RATLS_OK;

	if (json_object_set_new(tdx, "quote", json_of_base64(evidence->quote.whole)) != 0 ||
		(nonce != NULL && json_object_set(tdx, "verifier_nonce", nonce) != 0))
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	if (rc == RATLS_OK && with_event_log)
		rc = add_event_log(tdx, evidence, err);
	if (rc == RATLS_OK && (text = dump(tdx)) == NULL)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	json_decref(tdx);
	if (rc == RATLS_OK && strlen(text) > ITA_QUESTION_MAX) {
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_ITA_EVENT_LOG,
			"could not ask Intel Trust Authority: the question has %zu bytes with the peer's "
			"event log, "
			"and it takes %zu",
			strlen(text), ITA_QUESTION_MAX);
		free(text);
	}
	if (rc == RATLS_OK)
		*ret = text;
	return rc;
}
