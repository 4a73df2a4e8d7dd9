/* SPDX-License-Identifier: Apache-2.0
 *
 * dstack's versioned attestation: V0 (SCALE) and V1 (MessagePack), as a guest writes them.
 */
#ifndef SIMULATOR_FORGE_ENVELOPE_H
#define SIMULATOR_FORGE_ENVELOPE_H

#include "base/buf.h"
#include "base/cur.h"
#include "simulator/forge_eventlog.h"

enum forge_envelope_version { FORGE_V0, FORGE_V1 };

struct forge_envelope_options {
	enum forge_envelope_version version;
	struct cur quote;
	const struct forge_log *log;     /* the event log, as it is to be written */
	const struct forge_log *runtime; /* its runtime events are the list of runtime events; usually = log */
	uint8_t report_data[64];
	const char *config;
	const char *platform, *stack; /* V1: NULL is "tdx", "dstack" */
};

/* Append it; false if memory ran out, or V0 is asked for a log with version 2 events, which V0 cannot say. */
bool forge_envelope_write(const struct forge_envelope_options *o, struct buf *ret);

#endif
