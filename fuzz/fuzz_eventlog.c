/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "evidence/claims.h"
#include "evidence/eventlog_json.h"
#include "fuzz.h"

/* The event log as JSON: both runs agree, and what passes the checks replays without trouble. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cur in = cur_of(data, len);
	struct store measure = {0}, store;
	struct eventlog log, runtime;
	struct evidence_claims claims;
	uint8_t rtmr[EVENTLOG_RTMR_SIZE];

	if (eventlog_json_read(in, &measure, &log, NULL) != RATLS_OK)
		return 0;
	eventlog_json_runtime(&log, &measure);
	store = (struct store){.p = malloc(measure.used + 1), .size = measure.used};
	assert(store.p != NULL);
	if (eventlog_json_read(in, &store, &log, NULL) == RATLS_OK) {
		runtime = eventlog_json_runtime(&log, &store);
		assert(store.used == measure.used && log.n <= EVENTLOG_EVENTS_MAX && runtime.n <= log.n);
		if (eventlog_check(&log, NULL) == RATLS_OK) {
			assert(eventlog_check(&runtime, NULL) == RATLS_OK);
			eventlog_replay(&log, EVENTLOG_RUNTIME_IMR, rtmr, NULL);
			claims_read(&runtime, &claims, NULL);
		}
	}
	free(store.p);
	return 0;
}
