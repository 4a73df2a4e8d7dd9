/* SPDX-License-Identifier: Apache-2.0
 *
 * SCALE, as far as evidence uses it. Strict: integers in their shortest form, text in UTF-8. What is wrong
 * makes the cursor bad.
 */
#ifndef EVIDENCE_SCALE_H
#define EVIDENCE_SCALE_H

#include "base/cur.h"

uint32_t scale_compact(struct cur *c); /* Compact<u32> */
struct cur scale_bytes(struct cur *c); /* Vec<u8> */
struct cur scale_text(struct cur *c);  /* String */

#endif
