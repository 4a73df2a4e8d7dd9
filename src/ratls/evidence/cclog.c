/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/cclog.h"

#include "base/err.h"

#define MR_OF_RTMR0      1u      /* UEFI 2.10 section 38.4.1: 0 is MRTD */
#define EV_NO_ACTION     3u      /* PFP section 10.4.1 */
#define TPM_ALG_SHA384   0x000cu /* TCG Algorithm Registry */
#define PCR_EVENT_DIGEST 20      /* PFP section 10.2.1: of SHA-1 */
#define SPEC_ID_SIZE     33

/* PFP section 10.4.5.1, TCG_EfiSpecIDEvent, as firmware of TDs writes it. */
static void append_header(struct buf *b)
{
	static const uint8_t no_digest[PCR_EVENT_DIGEST];

	buf_u32le(b, MR_OF_RTMR0);
	buf_u32le(b, EV_NO_ACTION);
	buf_bytes(b, no_digest, sizeof(no_digest));
	buf_u32le(b, SPEC_ID_SIZE);
	buf_bytes(b, "Spec ID Event03", 16);
	buf_u32le(b, 0); /* platform class: client */
	buf_u8(b, 0);    /* version 2.0, errata 0 */
	buf_u8(b, 2);
	buf_u8(b, 0);
	buf_u8(b, 2);    /* size of UINTN: 64 bits */
	buf_u32le(b, 1); /* algorithms */
	buf_u16le(b, TPM_ALG_SHA384);
	buf_u16le(b, HASH_SHA384_SIZE);
	buf_u8(b, 0); /* of vendor information: none */
}

/* PFP section 10.2.2, TCG_PCR_EVENT2. */
static int append_event(const struct event *e, size_t i, struct buf *b, struct ratls_error *err)
{
	struct buf data = {0};
	uint8_t digest[HASH_SHA384_SIZE];
	int rc = event_digest(e, i, digest, err);

	if (rc != RATLS_OK)
		return rc;
	if (e->type == EVENTLOG_RUNTIME_TYPE)
		event_preimage(e, &data);
	else
		buf_bytes(&data, e->payload.p, e->payload.left);
	buf_u32le(b, MR_OF_RTMR0 + e->imr);
	buf_u32le(b, e->type);
	buf_u32le(b, 1); /* digests */
	buf_u16le(b, TPM_ALG_SHA384);
	buf_bytes(b, digest, sizeof(digest));
	buf_u32le(b, (uint32_t)data.len);
	buf_bytes(b, data.p, data.len);
	b->bad = b->bad || data.bad;
	buf_done(&data);
	return RATLS_OK;
}

/* The log itself was checked before; a register that it does not replay is one of which it is silent. */
static int tells_of(const struct eventlog *log, const struct quote_td *td, uint32_t imr, bool *ret,
	struct ratls_error *err)
{
	uint8_t rtmr[EVENTLOG_RTMR_SIZE];
	struct ratls_error why;
	int rc = eventlog_replay(log, imr, rtmr, &why);

	*ret = rc == RATLS_OK && cur_is(&td->rtmr[imr], rtmr, sizeof(rtmr));
	return rc == RATLS_OK || rc == RATLS_E_FORMAT ? RATLS_OK : err_set(err, rc, "%s", why.message);
}

int cclog_append(
	const struct eventlog *log, const struct quote_td *td, struct buf *ret, struct ratls_error *err)
{
	bool told[4], any = false;
	int rc = RATLS_OK;

	for (uint32_t imr = 0; rc == RATLS_OK && imr < 4; imr++)
		rc = tells_of(log, td, imr, &told[imr], err);
	for (size_t i = 0; rc == RATLS_OK && i < log->n; i++) {
		if (!told[log->events[i].imr])
			continue;
		if (!any)
			append_header(ret);
		any = true;
		rc = append_event(&log->events[i], i, ret, err);
	}
	return rc == RATLS_OK && ret->bad ? err_set(err, RATLS_E_NOMEM, "out of memory") : rc;
}
