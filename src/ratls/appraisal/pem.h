/* SPDX-License-Identifier: Apache-2.0
 *
 * PEM text to DER, strictly: nothing but line ends may stand outside the blocks. The framing of a chain
 * in a quote is not signed by anyone, so that a lenient reader would let two verifiers see two chains.
 */
#ifndef APPRAISAL_PEM_H
#define APPRAISAL_PEM_H

#include "base/buf.h"
#include "base/cur.h"

/* The next block of this label ("CERTIFICATE", "X509 CRL") as DER appended to ret. False at the end of the
 * text (text is then empty and not bad) and at anything malformed (text is then bad). Where memory ran out, ret is bad,
 * too. */
bool pem_next(struct cur *text, const char *label, struct buf *ret);

#endif
