/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/evidence.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/reason.h"
#include "evidence/certificate.h"
#include "evidence/claims.h"
#include "evidence/envelope.h"
#include "evidence/eventlog_json.h"
#include "evidence/store.h"

/* What evidence is made of: an envelope, or a quote with or without an event log; from a certificate or
 * not. */
struct parts {
	struct cur envelope, quote, eventlog;
	const struct certificate *certificate;
	struct cur der;
};

static void read_certificate(const struct parts *parts, struct store *store, struct ratls_evidence *e)
{
	const struct certificate *c = parts->certificate;

	if (c == NULL)
		return;
	e->oid = c->attestation.left > 0 ? CERTIFICATE_OID_ATTESTATION : CERTIFICATE_OID_QUOTE;
	e->spki = store_copy(store, c->spki);
	e->leaf = store_copy(store, parts->der);
	e->not_before = c->not_before;
	e->not_after = c->not_after;
}

static int read_parts(
	const struct parts *parts, struct store *store, struct ratls_evidence *e, struct ratls_error *err)
{
	int rc;

	e->report_data = e->config = e->pod_payload = e->spki = e->leaf = cur_of(NULL, 0);
	read_certificate(parts, store, e);
	if (parts->envelope.left > 0)
		return envelope_read(store_copy(store, parts->envelope), store, e, err);
	e->format = EVIDENCE_QUOTE;
	e->quote.whole = store_copy(store, parts->quote);
	if (parts->eventlog.left > 0) {
		e->format = EVIDENCE_LEGACY;
		if ((rc = eventlog_json_read(parts->eventlog, store, &e->log, err)) != RATLS_OK)
			return rc;
		e->runtime = eventlog_json_runtime(&e->log, store);
	}
	return RATLS_OK;
}

static int check_report_data(const struct ratls_evidence *e, struct ratls_error *err)
{
	const struct cur parts[] = {cur_of("app-data:", 9), e->pod_payload};
	uint8_t digest[HASH_SHA512_SIZE];

	if (e->has_report_data && !cur_eq(&e->report_data, &e->quote.td.report_data))
		return err_reason(err, RATLS_E_FORMAT, REASON_ENVELOPE_REPORT_DATA,
			"attestation's own copy of the report data is not what its quote holds");
	if (!e->is_pod)
		return RATLS_OK;
	if (!hash_parts(HASH_SHA512, parts, 2, digest))
		return err_set(err, RATLS_E_CRYPTO, "could not hash the report data's payload");
	if (!cur_is(&e->report_data, digest, sizeof(digest)))
		return err_reason(err, RATLS_E_FORMAT, REASON_ENVELOPE_PAYLOAD,
			"attestation's report data are not those of its payload");
	return RATLS_OK;
}

/* What has been read must be consistent in itself. */
static int check(struct ratls_evidence *e, struct ratls_error *err)
{
	int rc;

	if ((rc = quote_parse(e->quote.whole, &e->quote, err)) != RATLS_OK ||
		(rc = check_report_data(e, err)) != RATLS_OK ||
		(rc = eventlog_check(&e->log, err)) != RATLS_OK ||
		(rc = eventlog_check(&e->runtime, err)) != RATLS_OK ||
		(rc = eventlog_compare(&e->log, &e->runtime, err)) != RATLS_OK)
		return rc;
	return claims_read(&e->runtime, &e->claims, err);
}

static int build(const struct parts *parts, struct ratls_evidence **ret, struct ratls_error *err)
{
	struct ratls_evidence measured = {0}, *e;
	struct store measure = {0}, store = {0};
	int rc = read_parts(parts, &measure, &measured, err);

	if (rc != RATLS_OK)
		return rc;
	e = calloc(1, sizeof(*e) + measure.used);
	if (e == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	atomic_init(&e->refs, 1);
	store = (struct store){.p = e->arena, .size = measure.used};
	rc = read_parts(parts, &store, e, err);
	if (rc == RATLS_OK)
		rc = check(e, err);
	if (rc != RATLS_OK) {
		free(e);
		return rc;
	}
	*ret = e;
	return RATLS_OK;
}

int ratls_evidence_from_certificate(
	const uint8_t *der, size_t len, struct ratls_evidence **ret, struct ratls_error *err)
{
	struct certificate c;
	struct parts parts = {.certificate = &c, .der = cur_of(der, len)};
	int rc = certificate_open(parts.der, &c, err);

	if (rc != RATLS_OK)
		return rc;
	parts.envelope = c.attestation;
	parts.quote = c.quote;
	parts.eventlog = c.eventlog;
	rc = build(&parts, ret, err);
	certificate_done(&c);
	return rc;
}

int ratls_evidence_from_quote(
	const uint8_t *quote, size_t len, struct ratls_evidence **ret, struct ratls_error *err)
{
	struct parts parts = {.quote = cur_of(quote, len)};
	struct quote q;
	int rc = quote_parse(parts.quote, &q, err);

	return rc != RATLS_OK ? rc : build(&parts, ret, err);
}

int ratls_evidence_from_envelope(
	const uint8_t *bytes, size_t len, struct ratls_evidence **ret, struct ratls_error *err)
{
	struct parts parts = {.envelope = cur_of(bytes, len)};

	if (len == 0 || len > EVIDENCE_ENVELOPE_MAX)
		return err_reason(err, RATLS_E_FORMAT, REASON_EVIDENCE_SIZE,
			"could not parse attestation: a size of %zu bytes", len);
	return build(&parts, ret, err);
}

void ratls_evidence_free(struct ratls_evidence *evidence)
{
	if (evidence != NULL && atomic_fetch_sub_explicit(&evidence->refs, 1, memory_order_acq_rel) == 1)
		free(evidence);
}

static const struct cur *measurement(const struct ratls_evidence *e, enum ratls_measurement which)
{
	switch (which) {
	case RATLS_MRTD:
		return &e->quote.td.mrtd;
	case RATLS_RTMR0:
	case RATLS_RTMR1:
	case RATLS_RTMR2:
	case RATLS_RTMR3:
		return &e->quote.td.rtmr[which - RATLS_RTMR0];
	case RATLS_MRCONFIGID:
		return &e->quote.td.mrconfigid;
	case RATLS_MROWNER:
		return &e->quote.td.mrowner;
	case RATLS_MROWNERCONFIG:
		return &e->quote.td.mrownerconfig;
	case RATLS_MRSEAM:
		return &e->quote.td.mrseam;
	case RATLS_REPORT_DATA:
		return &e->quote.td.report_data;
	case RATLS_APP_ID:
		return &e->claims.app_id;
	case RATLS_COMPOSE_HASH:
		return &e->claims.compose_hash;
	case RATLS_INSTANCE_ID:
		return &e->claims.instance_id;
	case RATLS_OS_IMAGE_HASH:
		return &e->claims.os_image_hash;
	}
	return NULL;
}

const uint8_t *ratls_evidence_measurement(
	const struct ratls_evidence *evidence, enum ratls_measurement which, size_t *ret_len)
{
	const struct cur *value = measurement(evidence, which);
	size_t len = value != NULL ? value->left : 0;

	*ret_len = len;
	return len > 0 ? value->p : NULL;
}
