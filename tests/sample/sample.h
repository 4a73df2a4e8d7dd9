/* SPDX-License-Identifier: Apache-2.0
 *
 * Well-formed evidence with invented content, for tests of the parsers and seeds of the fuzz targets. Its
 * signatures mean nothing. What must verify is made by the simulator's forging functions.
 */
#ifndef TESTS_EVIDENCE_SAMPLE_H
#define TESTS_EVIDENCE_SAMPLE_H

#include "base/buf.h"
#include "evidence/evidence.h"

/* Where the signed part ends and the size of the signature data stands. */
#define SAMPLE_V4_AUTH      632
#define SAMPLE_V5_TD10_AUTH 638
#define SAMPLE_V5_TD15_AUTH 702
#define SAMPLE_PADDING      70 /* zero bytes that trail a sample quote */

/* What a quote says that an envelope must agree with. */
struct sample_td {
	uint8_t rtmr3[48];
	uint8_t report_data[64];
};

/* A quote; td may be NULL. Every field is filled with a byte of its own, see the source. */
void sample_quote(struct buf *b, uint16_t version, enum quote_body body, const struct sample_td *td);

/* The events of a boot, ten in all: a runtime event each, and before them in the log two of firmware. With
 * version_2 the last, which the application wrote, is of version 2. The tables are static. */
struct sample_log {
	struct event log[12], runtime[10];
};
void sample_events(struct sample_log *ret, bool version_2);

/* What a quote says after this boot; its report data are bytes of 0x24. */
void sample_td_after(const struct sample_log *log, struct sample_td *ret);

/* Evidence in each form, around a version 4 quote. */
void sample_envelope_v0(struct buf *b);
void sample_envelope_v1(struct buf *b, bool version_2);
void sample_eventlog_json(struct buf *b);

/* The writers below them, for evidence of any content. */
void sample_write_v0(struct buf *b, const struct ratls_evidence *e);
void sample_write_v1(struct buf *b, const struct ratls_evidence *e);

/* A self-signed certificate with these extensions, each wrapped twice; NULL leaves one out. Bytes of
 * `raw_extension`, if given, become the value of the attestation extension without the inner wrap. */
struct sample_certificate {
	const struct buf *attestation, *quote, *eventlog, *raw_extension;
	bool attestation_twice;
};
void sample_write_certificate(struct buf *b, const struct sample_certificate *what);

/* MessagePack, in its shortest forms. */
void sample_map(struct buf *b, uint32_t n);
void sample_array(struct buf *b, uint32_t n);
void sample_uint(struct buf *b, uint32_t v);
void sample_str(struct buf *b, struct cur text);
void sample_key(struct buf *b, const char *text);
void sample_bin(struct buf *b, struct cur bytes);
void sample_ints(struct buf *b, struct cur bytes);

#endif
