/* SPDX-License-Identifier: Apache-2.0
 *
 * Order of keys and unknown keys are the writer's business (its own reader skips them); a known key that
 * occurs twice would let two readers see two things, and is refused.
 */
#include "base/err.h"
#include "base/reason.h"
#include "evidence/envelope.h"
#include "evidence/msgpack.h"

#define VERSION 1

/* The values of a map's first n_required names, which must all be there, and of the others up to n. */
static int read_map(struct cur *c, const char *const *names, struct cur *values, size_t n, size_t n_required,
	struct ratls_error *err)
{
	const char *twice = msgpack_map(c, names, values, n);

	if (!cur_ok(c))
		return envelope_malformed(err, "MessagePack");
	if (twice != NULL)
		return err_reason(err, RATLS_E_FORMAT, REASON_ENVELOPE_FIELD,
			"could not parse attestation: member \"%s\" occurs twice", twice);
	for (size_t i = 0; i < n_required; i++)
		if (values[i].left == 0)
			return err_reason(err, RATLS_E_FORMAT, REASON_ENVELOPE_FIELD,
				"could not parse attestation: member \"%s\" is missing", names[i]);
	return RATLS_OK;
}

/* A member was read from its own span: it must have been of the right type and filled it. */
static int check_members(
	const struct cur *values, const char *const *names, size_t n, struct ratls_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!cur_done(&values[i]))
			return err_reason(err, RATLS_E_FORMAT, REASON_ENVELOPE_FIELD,
				"could not parse attestation: member \"%s\" is of the wrong type or size",
				names[i]);
	return RATLS_OK;
}

static int read_event(struct cur *c, struct store *store, struct event *ret, struct ratls_error *err)
{
	static const char *const names[] = {
		"imr", "event_type", "event", "event_payload", "digest", "version", "preimage"};
	enum { IMR, TYPE, NAME, PAYLOAD, DIGEST, VERSION_OF, PREIMAGE, N };
	struct cur v[N];
	int rc = read_map(c, names, v, N, DIGEST, err);

	if (rc != RATLS_OK)
		return rc;
	ret->imr = msgpack_u32(&v[IMR]);
	ret->type = msgpack_u32(&v[TYPE]);
	ret->name = msgpack_text(&v[NAME]);
	ret->payload = msgpack_bytes(&v[PAYLOAD], store);
	ret->digest = v[DIGEST].left > 0 ? msgpack_bytes(&v[DIGEST], store) : cur_of(NULL, 0);
	ret->version = v[VERSION_OF].left > 0 ? msgpack_u32(&v[VERSION_OF]) : 1;
	if (msgpack_is_nil(v[PREIMAGE]))
		v[PREIMAGE] = cur_of(NULL, 0);
	ret->preimage = v[PREIMAGE].left > 0 ? msgpack_text(&v[PREIMAGE]) : cur_of(NULL, 0);
	return check_members(v, names, N, err);
}

static int read_runtime_event(struct cur *c, struct store *store, struct event *ret, struct ratls_error *err)
{
	static const char *const names[] = {"event", "payload", "version"};
	enum { NAME, PAYLOAD, VERSION_OF, N };
	struct cur v[N];
	int rc = read_map(c, names, v, N, VERSION_OF, err);

	if (rc != RATLS_OK)
		return rc;
	ret->imr = EVENTLOG_RUNTIME_IMR;
	ret->type = EVENTLOG_RUNTIME_TYPE;
	ret->name = msgpack_text(&v[NAME]);
	ret->payload = msgpack_bytes(&v[PAYLOAD], store);
	ret->version = v[VERSION_OF].left > 0 ? msgpack_u32(&v[VERSION_OF]) : 1;
	ret->digest = ret->preimage = cur_of(NULL, 0);
	return check_members(v, names, N, err);
}

typedef int (*event_reader)(struct cur *c, struct store *store, struct event *ret, struct ratls_error *err);

static int read_list(
	struct cur *c, event_reader take_one, struct store *store, struct eventlog *ret, struct ratls_error *err)
{
	size_t n = msgpack_array(c);
	struct event e;
	int rc = RATLS_OK;

	if (n > EVENTLOG_EVENTS_MAX)
		return envelope_too_many(err, n);
	*ret = store_log(store, n);
	for (size_t i = 0; rc == RATLS_OK && i < n; i++) {
		if ((rc = take_one(c, store, &e, err)) == RATLS_OK)
			store_event(ret, i, &e);
	}
	return rc;
}

/* An adjacently tagged enum: a map of the kind's name and the data of that kind. */
static int read_tagged(struct cur *c, struct cur *ret_kind, struct cur *ret_data, struct ratls_error *err)
{
	static const char *const names[] = {"kind", "data"};
	struct cur v[2];
	int rc = read_map(c, names, v, 2, 2, err);

	if (rc != RATLS_OK)
		return rc;
	*ret_kind = msgpack_text(&v[0]);
	*ret_data = v[1];
	return check_members(v, names, 1, err);
}

static int read_platform(
	struct cur *c, struct store *store, struct ratls_evidence *e, struct ratls_error *err)
{
	static const char *const others[] = {"nitro-enclave", "aws-nitro-tpm", "sev-snp"};
	static const char *const names[] = {"quote", "event_log", "tpm_quote"};
	struct cur kind, data, v[3];
	size_t n;
	int rc = read_tagged(c, &kind, &data, err);

	if (rc != RATLS_OK)
		return rc;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (cur_is_str(&kind, others[i]))
			return envelope_platform(err, others[i]);
	n = cur_is_str(&kind, "gcp-tdx") ? 3 : 2;
	if (n == 2 && !cur_is_str(&kind, "tdx"))
		return envelope_platform(err, NULL);
	if ((rc = read_map(&data, names, v, n, n, err)) != RATLS_OK)
		return rc;
	e->quote.whole = msgpack_bytes(&v[0], store);
	if ((rc = read_list(&v[1], read_event, store, &e->log, err)) != RATLS_OK)
		return rc;
	return check_members(v, names, 2, err);
}

static int read_stack(struct cur *c, struct store *store, struct ratls_evidence *e, struct ratls_error *err)
{
	static const char *const names[] = {"report_data", "runtime_events", "config", "report_data_payload"};
	struct cur kind, data, v[4];
	size_t n;
	int rc = read_tagged(c, &kind, &data, err);

	if (rc != RATLS_OK)
		return rc;
	n = cur_is_str(&kind, "dstack-pod") ? 4 : 3;
	if (n == 3 && !cur_is_str(&kind, "dstack"))
		return err_reason(err, RATLS_E_UNSUPPORTED, REASON_ENVELOPE_STACK,
			"attestation is of a stack that is neither dstack nor dstack-pod");
	if ((rc = read_map(&data, names, v, n, n, err)) != RATLS_OK)
		return rc;
	e->report_data = msgpack_bytes(&v[0], store);
	e->has_report_data = true;
	if ((rc = read_list(&v[1], read_runtime_event, store, &e->runtime, err)) != RATLS_OK)
		return rc;
	e->config = msgpack_text(&v[2]);
	e->is_pod = n == 4;
	if (e->is_pod)
		e->pod_payload = msgpack_text(&v[3]);
	if (e->report_data.left != 64)
		v[0].bad = true;
	return check_members(v, names, n, err);
}

int envelope_v1_read(struct cur in, struct store *store, struct ratls_evidence *ret, struct ratls_error *err)
{
	static const char *const names[] = {"version", "platform", "stack"};
	struct cur c = in, v[3];
	uint64_t version;
	int rc;

	ret->format = EVIDENCE_ENVELOPE_V1;
	if ((rc = read_map(&c, names, v, 3, 3, err)) != RATLS_OK)
		return rc;
	if (!cur_done(&c))
		return envelope_malformed(err, "MessagePack: bytes trail");
	version = msgpack_uint(&v[0]);
	if (!cur_done(&v[0]) || version != VERSION)
		return err_reason(err, RATLS_E_FORMAT, REASON_ENVELOPE_VERSION,
			"could not parse attestation: its version is not 1");
	if ((rc = read_platform(&v[1], store, ret, err)) != RATLS_OK ||
		(rc = read_stack(&v[2], store, ret, err)) != RATLS_OK)
		return rc;
	return check_members(v, names, 3, err);
}
