/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "evidence/cclog.h"
#include "evidence/claims.h"
#include "evidence/eventlog_json.h"
#include "fuzz.h"

/* Written for others, a register that replays is in it: 65 bytes of a head, 66 of an event, and its data. */
static void write_again(const struct eventlog *log)
{
	uint8_t rtmr[4][EVENTLOG_RTMR_SIZE];
	struct quote_td td = {.tee_tcb_svn = cur_of(NULL, 0)};
	struct buf b = {0};
	size_t told = 0;

	memset(rtmr, 0xff, sizeof(rtmr));
	for (uint32_t imr = 0; imr < 4; imr++) {
		bool replays = eventlog_replay(log, imr, rtmr[imr], NULL) == RATLS_OK;

		for (size_t i = 0; replays && i < log->n; i++)
			told += log->events[i].imr == imr ? 1 : 0;
		td.rtmr[imr] = cur_of(rtmr[imr], EVENTLOG_RTMR_SIZE);
	}
	assert(cclog_append(log, &td, &b, NULL) == RATLS_OK);
	assert(told == 0 ? b.len == 0 : b.len >= 65 + 66 * told);
	buf_done(&b);
}

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
			write_again(&log);
		}
	}
	free(store.p);
	return 0;
}
