/* SPDX-License-Identifier: Apache-2.0
 *
 * What Intel Trust Authority is asked: the body of POST /appraisal/v2/attest.
 */
#ifndef SOURCE_ITA_QUESTION_H
#define SOURCE_ITA_QUESTION_H

#include <jansson.h>

#include "ratls.h"

#define ITA_QUESTION_MAX ((size_t)500000) /* bytes that the service takes */

/* The question for a token about this evidence's quote, with the nonce (NULL: without) and, if asked for, the
 * event log. The caller frees it. RATLS_E_UNAVAILABLE (REASON_ITA_EVENT_LOG) if the log makes it too large:
 * what the service sees is our operator's choice, not the peer's. RATLS_E_NOMEM, RATLS_E_CRYPTO. */
int ita_question(const struct ratls_evidence *evidence, json_t *nonce, bool with_event_log, char **ret,
	struct ratls_error *err);

#endif
