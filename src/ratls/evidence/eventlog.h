/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log and its replay into runtime measurement registers (RTMR).
 */
#ifndef EVIDENCE_EVENTLOG_H
#define EVIDENCE_EVENTLOG_H

#include "base/buf.h"
#include "base/cur.h"
#include "base/hash.h"
#include "ratls.h"

#define EVENTLOG_EVENTS_MAX   1024
#define EVENTLOG_RUNTIME_TYPE 0x08000001u
#define EVENTLOG_RUNTIME_IMR  3u /* the register that runtime events extend */
#define EVENTLOG_RTMR_SIZE    HASH_SHA384_SIZE

struct event {
	uint32_t imr;      /* register, 0 to 3 */
	uint32_t type;     /* EVENTLOG_RUNTIME_TYPE for dstack's own */
	uint32_t version;  /* how the digest of a runtime event is made: 1 or 2 */
	struct cur digest; /* 48 bytes, or empty where it was stripped */
	struct cur name;   /* UTF-8 */
	struct cur payload;
	struct cur preimage; /* of version 2, hex text; empty if absent */
};

struct eventlog {
	struct event *events;
	size_t n;
};

/* Append what version 2 hashes: RFC 8785 JSON of name, payload and type. */
void event_canonical(const struct event *e, struct buf *b);

/* Append what the digest of a runtime event is made of: type:name:payload (version 1), the canonical JSON
 * (2). */
void event_preimage(const struct event *e, struct buf *b);

/* The digest of a runtime event: SHA-384 of that. False if its version is neither, memory runs out or the
 * cryptographic library fails. */
bool event_runtime_digest(const struct event *e, uint8_t digest[static HASH_SHA384_SIZE]);

/* The digest by which event i extended its register: of a runtime event that of its fields (one that it
 * carries must be the same), of others the one that it carries. RATLS_E_FORMAT names the event;
 * RATLS_E_CRYPTO if it could not be hashed. */
int event_digest(
	const struct event *e, size_t i, uint8_t digest[static HASH_SHA384_SIZE], struct ratls_error *err);

/* Extend rtmr with digest: rtmr = SHA-384(rtmr || digest). */
bool eventlog_extend(uint8_t rtmr[static EVENTLOG_RTMR_SIZE], const uint8_t *digest);

/* Is each event what it may be: a register and version that exist, a digest of 48 bytes or none, a runtime
 * event if it is of RTMR3; and do the digest and the preimage that a runtime event carries belong to its fields? RATLS_E_FORMAT names the
 * first that is not, counted from 0. */
int eventlog_check(const struct eventlog *log, struct ratls_error *err);

/* Are the events of RTMR3 in log the runtime events, one by one? RATLS_E_FORMAT if not. */
int eventlog_compare(const struct eventlog *log, const struct eventlog *runtime, struct ratls_error *err);

/* Replay the events of register imr from zero, by event_digest: one that is missing makes the replay fail.
 * RATLS_E_FORMAT names the event; RATLS_E_CRYPTO if it could not be hashed. */
int eventlog_replay(const struct eventlog *log, uint32_t imr, uint8_t ret[static EVENTLOG_RTMR_SIZE],
	struct ratls_error *err);

/* Where two logs part, for one register. */
struct eventlog_difference {
	size_t at;                   /* counted from 0 among the events of that register */
	const struct event *a, *b;   /* the event of either log; NULL for a log that has ended */
};

/* The first event of register imr that extended it by another digest; false if there is none. */
bool eventlog_differ(const struct eventlog *a, const struct eventlog *b, uint32_t imr,
	struct eventlog_difference *ret);

#endif
