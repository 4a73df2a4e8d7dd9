/* SPDX-License-Identifier: Apache-2.0
 *
 * Event logs as a dstack guest writes them, and the registers that they replay to.
 */
#ifndef SIMULATOR_FORGE_EVENTLOG_H
#define SIMULATOR_FORGE_EVENTLOG_H

#include "base/buf.h"
#include "base/cur.h"
#include "base/hash.h"
#include "ratls.h"

#define FORGE_EVENTS_MAX   256
#define FORGE_RUNTIME_TYPE 0x08000001u
#define FORGE_ACPI_TYPE    0x0000000au
#define FORGE_RTMR_SIZE    HASH_SHA384_SIZE

struct forge_event {
	uint32_t imr, type;
	uint8_t version; /* of runtime events: 1, or 2 (which carry a preimage) */
	char *name;      /* owned */
	struct buf payload;
	uint8_t digest[HASH_SHA384_SIZE];
	bool stripped_digest; /* the digest is not written */
};

struct forge_log {
	struct forge_event events[FORGE_EVENTS_MAX];
	size_t n;
};

/* Append an event. Runtime events (imr 3, version 1 or 2) get the digest of their fields, others (version
 * 1) the SHA-384 of their payload. False if the log is full or memory ran out. */
bool forge_log_runtime(struct forge_log *log, const char *name, struct cur payload, uint8_t version);
bool forge_log_boot(struct forge_log *log, uint32_t imr, uint32_t type, const char *name, struct cur payload);
void forge_log_done(struct forge_log *log);

/* What register imr holds after these events. */
bool forge_log_rtmr(const struct forge_log *log, uint32_t imr, uint8_t ret[static FORGE_RTMR_SIZE]);

/* The log that goes into certificates (dstack strips it): the ACPI events of register 0, and register 3 with
 * the digests of runtime events removed. ret is empty before; free it with forge_log_done. */
bool forge_log_strip(const struct forge_log *log, struct forge_log *ret);

/* Append the hex of the canonical JSON text (RFC 8785) that a version 2 event's digest is made of. */
void forge_event_preimage(const struct forge_event *e, struct buf *ret);

/* Append the log as a JSON array, whole: that is what GetQuote, Info and extension .2 show of it. */
bool forge_log_json(const struct forge_log *log, struct buf *ret);

#endif
