/* SPDX-License-Identifier: Apache-2.0
 *
 * An event log as firmware of confidential machines keeps it (UEFI 2.10 section 38.4, "CCEL"; TCG PC Client
 * Platform Firmware Profile 1.06 section 10.2, crypto-agile): the form in which others read one.
 */
#ifndef EVIDENCE_CCLOG_H
#define EVIDENCE_CCLOG_H

#include "base/buf.h"
#include "evidence/eventlog.h"
#include "evidence/quote.h"

/* Append the log of the registers that it replays to as td has them; nothing if there is none: half of what
 * extended a register (certificates carry no more of RTMR0 to RTMR2) proves nothing to a reader. An event's
 * digest is the one that extended the register; its data are what was hashed for runtime events, and what is
 * carried for others. Bounded by the evidence: less than 100 bytes besides an event's data. RATLS_E_NOMEM or
 * RATLS_E_CRYPTO, and ret is then of no use. */
int cclog_append(
	const struct eventlog *log, const struct quote_td *td, struct buf *ret, struct ratls_error *err);

#endif
