/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/envelope.h"

#include "base/err.h"
#include "base/reason.h"

int envelope_malformed(struct ratls_error *err, const char *what)
{
	return err_reason(err, RATLS_E_FORMAT, REASON_ENVELOPE_FORMAT,
		"could not parse attestation: malformed %s", what);
}

int envelope_platform(struct ratls_error *err, const char *name)
{
	return err_reason(err, RATLS_E_UNSUPPORTED, REASON_ENVELOPE_PLATFORM,
		"attestation is of platform %s, not of TDX", name != NULL ? name : "unknown to this program");
}

int envelope_too_many(struct ratls_error *err, size_t n)
{
	return err_reason(err, RATLS_E_FORMAT, REASON_EVENTLOG_COUNT,
		"could not parse attestation: %zu events, but at most %d can be", n, EVENTLOG_EVENTS_MAX);
}

int envelope_read(struct cur in, struct store *store, struct ratls_evidence *ret, struct ratls_error *err)
{
	struct cur ahead = in;
	uint8_t first = cur_u8(&ahead);

	if (!cur_ok(&ahead) || in.left > EVIDENCE_ENVELOPE_MAX)
		return err_reason(err, RATLS_E_FORMAT, REASON_EVIDENCE_SIZE,
			"could not parse attestation: a size of %zu bytes", in.left);
	if (first == 0)
		return envelope_v0_read(in, store, ret, err);
	/* A MessagePack map: fixmap, map 16 or map 32. */
	if ((first & 0xf0) == 0x80 || first == 0xde || first == 0xdf)
		return envelope_v1_read(in, store, ret, err);
	return err_reason(err, RATLS_E_FORMAT, REASON_ENVELOPE_VERSION,
		"could not parse attestation: unknown wire format 0x%02x", first);
}
