/* SPDX-License-Identifier: Apache-2.0
 *
 * Well-formed evidence with invented content, for tests of the parsers and seeds of the fuzz targets. Its
 * signatures mean nothing. What must verify is made by the simulator's forging functions.
 */
#ifndef TESTS_EVIDENCE_SAMPLE_H
#define TESTS_EVIDENCE_SAMPLE_H

#include "base/buf.h"
#include "evidence/quote.h"

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

#endif
