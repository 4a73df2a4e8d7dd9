/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/eventlog.h"

#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/reason.h"

static void append_escaped(struct buf *b, struct cur text)
{
	static const char *const escapes[128] = {
		['"'] = "\\\"",
		['\\'] = "\\\\",
		['\b'] = "\\b",
		['\f'] = "\\f",
		['\n'] = "\\n",
		['\r'] = "\\r",
		['\t'] = "\\t",
	};

	while (!text.bad && text.left > 0) {
		uint8_t c = cur_u8(&text);

		if (c < 128 && escapes[c] != NULL)
			buf_str(b, escapes[c]);
		else if (c < 0x20)
			buf_fmt(b, "\\u%04x", c);
		else
			buf_u8(b, c);
	}
}

/* RFC 8785: members by name, no white space, shortest escapes, everything else as UTF-8. */
void event_canonical(const struct event *e, struct buf *b)
{
	buf_str(b, "{\"name\":\"");
	append_escaped(b, e->name);
	buf_str(b, "\",\"payload\":\"");
	hex_append(b, e->payload.p, e->payload.left);
	buf_fmt(b, "\",\"type\":%u}", e->type);
}

void event_preimage(const struct event *e, struct buf *b)
{
	if (e->version == 2) {
		event_canonical(e, b);
		return;
	}
	buf_u32le(b, e->type);
	buf_u8(b, ':');
	buf_bytes(b, e->name.p, e->name.left);
	buf_u8(b, ':');
	buf_bytes(b, e->payload.p, e->payload.left);
}

bool event_runtime_digest(const struct event *e, uint8_t digest[static HASH_SHA384_SIZE])
{
	struct buf image = {0};
	bool ok;

	if (e->version != 1 && e->version != 2)
		return false;
	event_preimage(e, &image);
	ok = !image.bad && hash_bytes(HASH_SHA384, image.p, image.len, digest);
	buf_done(&image);
	return ok;
}

bool eventlog_extend(uint8_t rtmr[static EVENTLOG_RTMR_SIZE], const uint8_t *digest)
{
	const struct cur parts[] = {cur_of(rtmr, EVENTLOG_RTMR_SIZE), cur_of(digest, HASH_SHA384_SIZE)};

	return hash_parts(HASH_SHA384, parts, 2, rtmr);
}

/* A preimage says again, as hex, what was hashed. Certificates carry neither it nor the digest; who
 * carries one of them must carry it right. */
static bool preimage_holds(const struct event *e)
{
	struct buf canonical = {0}, carried = {0};
	uint8_t *p;
	bool ok = false;

	if (e->preimage.left == 0)
		return e->version == 1 || e->digest.left == 0;
	if (e->version != 2)
		return false;
	event_canonical(e, &canonical);
	p = buf_reserve(&carried, canonical.len);
	ok = p != NULL && !canonical.bad &&
	     hex_decode((const char *)e->preimage.p, e->preimage.left, p, canonical.len) &&
	     memcmp(p, canonical.p, canonical.len) == 0;
	buf_done(&canonical);
	buf_done(&carried);
	return ok;
}

/* The digest of a runtime event; one that it carries must be the same. */
static int runtime_digest(
	const struct event *e, size_t i, uint8_t digest[static HASH_SHA384_SIZE], struct ratls_error *err)
{
	if (!event_runtime_digest(e, digest))
		return err_set(err, RATLS_E_CRYPTO, "could not hash event %zu of the event log", i);
	if (e->digest.left > 0 && !cur_is(&e->digest, digest, HASH_SHA384_SIZE))
		return err_reason(err, RATLS_E_FORMAT, REASON_EVENTLOG_DIGEST,
			"event %zu of the event log carries another digest than its fields have", i);
	return RATLS_OK;
}

static int check_runtime(const struct event *e, size_t i, struct ratls_error *err)
{
	uint8_t digest[HASH_SHA384_SIZE];

	if (!preimage_holds(e))
		return err_reason(err, RATLS_E_FORMAT, REASON_EVENTLOG_PREIMAGE,
			"event %zu of the event log carries another preimage than its fields have", i);
	return e->digest.left > 0 ? runtime_digest(e, i, digest, err) : RATLS_OK;
}

int eventlog_check(const struct eventlog *log, struct ratls_error *err)
{
	int rc = RATLS_OK;

	for (size_t i = 0; rc == RATLS_OK && i < log->n; i++) {
		const struct event *e = &log->events[i];

		if (e->imr > 3 || (e->version != 1 && e->version != 2) ||
			(e->digest.left != 0 && e->digest.left != HASH_SHA384_SIZE))
			return err_reason(err, RATLS_E_FORMAT, REASON_EVENTLOG_EVENT,
				"event %zu of the event log has register %u, version %u and a digest of %zu "
				"bytes",
				i, e->imr, e->version, e->digest.left);
		/* Of other types only the digest is measured: name and payload could be anything. */
		if (e->imr == EVENTLOG_RUNTIME_IMR && e->type != EVENTLOG_RUNTIME_TYPE)
			return err_reason(err, RATLS_E_FORMAT, REASON_EVENTLOG_TYPE,
				"event %zu of the event log extends RTMR3, but is of type 0x%08x", i, e->type);
		if (e->type == EVENTLOG_RUNTIME_TYPE)
			rc = check_runtime(e, i, err);
	}
	return rc;
}

static bool same(const struct event *a, const struct event *b)
{
	return a->type == b->type && a->version == b->version && cur_eq(&a->name, &b->name) &&
	       cur_eq(&a->payload, &b->payload);
}

int eventlog_compare(const struct eventlog *log, const struct eventlog *runtime, struct ratls_error *err)
{
	size_t next = 0;

	for (size_t i = 0; i < log->n; i++) {
		if (log->events[i].imr != EVENTLOG_RUNTIME_IMR)
			continue;
		if (next == runtime->n || !same(&log->events[i], &runtime->events[next]))
			return err_reason(err, RATLS_E_FORMAT, REASON_EVENTLOG_RUNTIME,
				"event %zu of the event log is not runtime event %zu", i, next);
		next++;
	}
	if (next != runtime->n)
		return err_reason(err, RATLS_E_FORMAT, REASON_EVENTLOG_RUNTIME,
			"the event log has %zu events of RTMR3, but there are %zu runtime events", next,
			runtime->n);
	return RATLS_OK;
}

int event_digest(
	const struct event *e, size_t i, uint8_t digest[static HASH_SHA384_SIZE], struct ratls_error *err)
{
	if (e->type == EVENTLOG_RUNTIME_TYPE)
		return runtime_digest(e, i, digest, err);
	if (e->digest.left != HASH_SHA384_SIZE)
		return err_reason(err, RATLS_E_FORMAT, REASON_EVENTLOG_STRIPPED,
			"could not replay the event log: event %zu carries no digest", i);
	memcpy(digest, e->digest.p, HASH_SHA384_SIZE);
	return RATLS_OK;
}

int eventlog_replay(const struct eventlog *log, uint32_t imr, uint8_t ret[static EVENTLOG_RTMR_SIZE],
	struct ratls_error *err)
{
	uint8_t rtmr[EVENTLOG_RTMR_SIZE] = {0}, digest[HASH_SHA384_SIZE];
	int rc;

	for (size_t i = 0; i < log->n; i++) {
		if (log->events[i].imr != imr)
			continue;
		if ((rc = event_digest(&log->events[i], i, digest, err)) != RATLS_OK)
			return rc;
		if (!eventlog_extend(rtmr, digest))
			return err_set(err, RATLS_E_CRYPTO, "could not hash event %zu of the event log", i);
	}
	memcpy(ret, rtmr, sizeof(rtmr));
	return RATLS_OK;
}

/* The next event of the register from *i on, NULL at the end. */
static const struct event *next_of(const struct eventlog *log, uint32_t imr, size_t *i)
{
	while (*i < log->n)
		if (log->events[(*i)++].imr == imr)
			return &log->events[*i - 1];
	return NULL;
}

/* An event without a digest is like no other. */
static bool same_digest(const struct event *a, const struct event *b)
{
	uint8_t of_a[HASH_SHA384_SIZE], of_b[HASH_SHA384_SIZE];

	return event_digest(a, 0, of_a, NULL) == RATLS_OK && event_digest(b, 0, of_b, NULL) == RATLS_OK &&
	       memcmp(of_a, of_b, sizeof(of_a)) == 0;
}

bool eventlog_differ(const struct eventlog *a, const struct eventlog *b, uint32_t imr,
	struct eventlog_difference *ret)
{
	size_t in_a = 0, in_b = 0;

	for (size_t at = 0;; at++) {
		const struct event *of_a = next_of(a, imr, &in_a), *of_b = next_of(b, imr, &in_b);

		if (of_a == NULL && of_b == NULL)
			return false;
		if (of_a != NULL && of_b != NULL && same_digest(of_a, of_b))
			continue;
		*ret = (struct eventlog_difference){at, of_a, of_b};
		return true;
	}
}
