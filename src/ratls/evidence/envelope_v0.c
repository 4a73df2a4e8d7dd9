/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/reason.h"
#include "evidence/envelope.h"
#include "evidence/scale.h"

/* The discriminants of AttestationQuote. */
enum { TDX = 0, GCP_TDX = 1 };

static const char *const platforms[] = {"tdx", "gcp-tdx", "nitro-enclave", "sev-snp", "aws-nitro-tpm"};

#define TPM_PLATFORMS 4 /* the discriminants of a TPM quote's platform are 0 to 3 */

/* TdxEvent: register, type, digest, name, payload. Version 2 cannot be said in this form. */
static struct event read_event(struct cur *c)
{
	struct event e = {.version = 1};

	e.imr = cur_u32le(c);
	e.type = cur_u32le(c);
	e.digest = scale_bytes(c);
	e.name = scale_text(c);
	e.payload = scale_bytes(c);
	e.preimage = cur_of(NULL, 0);
	return e;
}

static struct event read_runtime_event(struct cur *c)
{
	struct event e = {.imr = EVENTLOG_RUNTIME_IMR, .type = EVENTLOG_RUNTIME_TYPE, .version = 1};

	e.name = scale_text(c);
	e.payload = scale_bytes(c);
	e.digest = e.preimage = cur_of(NULL, 0);
	return e;
}

static int read_list(struct cur *c, struct event (*take_one)(struct cur *), struct store *store,
	struct eventlog *ret, struct ratls_error *err)
{
	size_t n = scale_compact(c);
	struct event e;

	if (n > EVENTLOG_EVENTS_MAX)
		return envelope_too_many(err, n);
	*ret = store_log(store, n);
	for (size_t i = 0; i < n && cur_ok(c); i++) {
		e = take_one(c);
		store_event(ret, i, &e);
	}
	return cur_ok(c) ? RATLS_OK : envelope_malformed(err, "SCALE in a list of events");
}

/* TpmQuote: nothing of it is used, but what follows it is. Its last member, the TPM's event log, is only
 * known to this program when it is empty. */
static int skip_tpm_quote(struct cur *c, struct ratls_error *err)
{
	uint32_t n;

	scale_bytes(c); /* message */
	scale_bytes(c); /* signature */
	n = scale_compact(c);
	for (uint32_t i = 0; i < n && cur_ok(c); i++) {
		cur_u32le(c);   /* PCR */
		scale_text(c);  /* algorithm */
		scale_bytes(c); /* value */
	}
	scale_bytes(c); /* certificate of the attestation key */
	if (cur_u8(c) >= TPM_PLATFORMS || !cur_ok(c))
		return envelope_malformed(err, "SCALE in the TPM quote");
	if (scale_compact(c) > 0)
		return err_reason(err, RATLS_E_UNSUPPORTED, REASON_ENVELOPE_PLATFORM,
			"attestation of gcp-tdx in its V0 form carries an event log of the TPM");
	return cur_ok(c) ? RATLS_OK : envelope_malformed(err, "SCALE in the TPM quote");
}

static int read_platform(
	struct cur *c, struct store *store, struct ratls_evidence *e, struct ratls_error *err)
{
	uint8_t platform = cur_u8(c);
	int rc;

	if (!cur_ok(c))
		return envelope_malformed(err, "SCALE");
	if (platform != TDX && platform != GCP_TDX)
		return envelope_platform(err,
			platform < sizeof(platforms) / sizeof(platforms[0]) ? platforms[platform] : NULL);
	e->quote.whole = scale_bytes(c);
	if ((rc = read_list(c, read_event, store, &e->log, err)) != RATLS_OK)
		return rc;
	return platform == GCP_TDX ? skip_tpm_quote(c, err) : RATLS_OK;
}

int envelope_v0_read(struct cur in, struct store *store, struct ratls_evidence *ret, struct ratls_error *err)
{
	struct cur c = in;
	int rc;

	cur_u8(&c); /* the version, which led here */
	ret->format = EVIDENCE_ENVELOPE_V0;
	if ((rc = read_platform(&c, store, ret, err)) != RATLS_OK ||
		(rc = read_list(&c, read_runtime_event, store, &ret->runtime, err)) != RATLS_OK)
		return rc;
	ret->report_data = cur_take(&c, 64);
	ret->has_report_data = true;
	ret->config = scale_text(&c);
	return cur_done(&c) ? RATLS_OK : envelope_malformed(err, "SCALE at its end");
}
