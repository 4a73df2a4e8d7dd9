/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence: what a peer presents, parsed and trusted for nothing. One allocation holds a copy of the
 * bytes, everything decoded from them and the tables below; all cursors point into it.
 */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H

#include <stdatomic.h>

#include "base/cur.h"
#include "evidence/eventlog.h"
#include "evidence/quote.h"
#include "ratls.h"

/* The largest certificate and versioned attestation that are looked at at all. */
#define EVIDENCE_CERTIFICATE_MAX ((size_t)256 << 10)
#define EVIDENCE_ENVELOPE_MAX    ((size_t)1 << 20)

enum evidence_format {
	EVIDENCE_QUOTE,       /* a bare quote: no event log, no claims */
	EVIDENCE_ENVELOPE_V0, /* versioned attestation, SCALE */
	EVIDENCE_ENVELOPE_V1, /* versioned attestation, MessagePack */
	EVIDENCE_LEGACY,      /* extensions .1 (quote) and .2 (event log as JSON) */
};

/* What the application says of itself, taken from RTMR3 events before "system-ready". A claim counts
 * only after the event log has been replayed against the quote (appraisal does that). Absent: left == 0. */
struct evidence_claims {
	struct cur app_id;        /* 20 bytes */
	struct cur compose_hash;  /* 32 bytes */
	struct cur instance_id;   /* 20 bytes, or empty */
	struct cur os_image_hash; /* 32 bytes */
	struct cur key_provider;  /* JSON text */
	const char *duplicate;    /* the name of a claim that occurs twice (static text), NULL if none does */
};

struct ratls_evidence {
	atomic_uint refs; /* 1 when made; ratls_evidence_free drops one, and frees at the last */
	enum evidence_format format;
	const char *oid; /* of the certificate extension it came in, NULL if it came in none */
	struct quote quote;
	struct eventlog log;     /* the event log as carried (may be stripped) */
	struct eventlog runtime; /* the runtime events: those that are replayed into RTMR3 */
	bool has_report_data;
	struct cur report_data; /* the envelope's own copy, 64 bytes, if has_report_data */
	struct cur config;      /* the envelope's configuration text */
	bool is_pod;            /* its report data are those of its own payload (stack dstack-pod) */
	struct cur pod_payload;
	struct evidence_claims claims;
	struct cur spki; /* the certificate's SubjectPublicKeyInfo, DER; empty if it came in none */
	struct cur leaf; /* the certificate, DER; empty if it came in none */
	int64_t not_before, not_after; /* of the certificate; 0 if it came in none */
	_Alignas(8) uint8_t arena[];   /* everything above points into it */
};

/* The public constructors and accessors are in ratls.h. */

/* Share it: reports keep the evidence that they are about. Thread-safe; the caller frees its reference. */
static inline const struct ratls_evidence *evidence_ref(const struct ratls_evidence *e)
{
	/* The count is the one thing in it that changes. */
	atomic_fetch_add_explicit((atomic_uint *)&e->refs, 1, memory_order_relaxed);
	return e;
}

#endif
