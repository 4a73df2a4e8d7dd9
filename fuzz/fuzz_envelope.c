/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "../tests/sample/sample.h"
#include "evidence/envelope.h"
#include "fuzz.h"

/* Reads in the two runs of evidence.c; the second must take exactly what the first measured. */
static bool read_twice(struct cur in, struct ratls_evidence *e, struct store *store)
{
	struct store measure = {0};
	int rc;

	if (envelope_read(in, &measure, e, NULL) != RATLS_OK)
		return false;
	*store = (struct store){.p = malloc(measure.used + 1), .size = measure.used};
	assert(store->p != NULL);
	rc = envelope_read(in, store, e, NULL);
	assert(rc == RATLS_OK && store->used == measure.used);
	assert(e->log.n <= EVENTLOG_EVENTS_MAX && e->runtime.n <= EVENTLOG_EVENTS_MAX);
	assert(e->report_data.left == 64);
	return true;
}

/* SCALE has one form of each value: what was read writes back to the same bytes. In MessagePack there are
 * many, but what was read writes to something that reads as the same again. */
static void check_writes_back(struct cur in, const struct ratls_evidence *e)
{
	struct ratls_evidence again = {0};
	struct buf first = {0}, second = {0};
	struct store store = {0};
	bool readable;

	if (e->format == EVIDENCE_ENVELOPE_V0) {
		sample_write_v0(&first, e);
		assert(cur_is(&in, first.p, first.len) ||
			in.p[1] != 0); /* gcp-tdx: the TPM quote is not kept */
	} else {
		sample_write_v1(&first, e);
		readable = read_twice(cur_of(first.p, first.len), &again, &store);
		assert(readable);
		sample_write_v1(&second, &again);
		assert(first.len == second.len && memcmp(first.p, second.p, first.len) == 0);
	}
	free(store.p);
	buf_done(&first);
	buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ratls_evidence read = {0}, *built = NULL;
	struct store store = {0};
	uint8_t rtmr[EVENTLOG_RTMR_SIZE];

	if (read_twice(cur_of(data, len), &read, &store))
		check_writes_back(cur_of(data, len), &read);
	free(store.p);
	if (ratls_evidence_from_envelope(data, len, &built, NULL) == RATLS_OK) {
		assert(cur_eq(&built->report_data, &built->quote.td.report_data));
		assert(eventlog_compare(&built->log, &built->runtime, NULL) == RATLS_OK);
		assert(eventlog_replay(&built->runtime, 3, rtmr, NULL) == RATLS_OK);
		assert(built->claims.app_id.left == 0 || built->claims.app_id.left == 20);
		ratls_evidence_free(built);
	}
	return 0;
}
