/* SPDX-License-Identifier: Apache-2.0
 *
 * The layouts are those of dstack's VersionedAttestation: a SCALE enum whose variant 0 is V0, and a
 * MessagePack map for V1. In V1 plain byte vectors are arrays of integers, not bin: that is how dstack's
 * serialiser writes them, and a reader must cope.
 */
#include "simulator/forge_envelope.h"

#include <string.h>

#include "simulator/forge_pack.h"

/* ---- V0: SCALE --------------------------------------------------------------------------------- */

/* Compact<u32>, the three forms below 2^30. */
static void scale_compact(struct buf *b, size_t v)
{
	if (v < 1u << 6)
		buf_u8(b, (uint8_t)(v << 2));
	else if (v < 1u << 14)
		buf_u16le(b, (uint16_t)(v << 2 | 1));
	else
		buf_u32le(b, (uint32_t)(v << 2 | 2));
}

static void scale_bytes(struct buf *b, const void *p, size_t n)
{
	scale_compact(b, n);
	buf_bytes(b, p, n);
}

static size_t runtime_count(const struct forge_log *log)
{
	size_t n = 0;

	for (size_t i = 0; i < log->n; i++)
		n += log->events[i].type == FORGE_RUNTIME_TYPE;
	return n;
}

static bool has_version_2(const struct forge_log *log)
{
	for (size_t i = 0; i < log->n; i++)
		if (log->events[i].version == 2)
			return true;
	return false;
}

static bool write_v0(const struct forge_envelope_options *o, struct buf *b)
{
	if (has_version_2(o->log) || has_version_2(o->runtime))
		return false;
	buf_u8(b, 0); /* VersionedAttestation::V0 */
	buf_u8(b, 0); /* AttestationQuote::DstackTdx */
	scale_bytes(b, o->quote.p, o->quote.left);
	scale_compact(b, o->log->n);
	for (size_t i = 0; i < o->log->n; i++) {
		const struct forge_event *e = &o->log->events[i];

		buf_u32le(b, e->imr);
		buf_u32le(b, e->type);
		scale_bytes(b, e->digest, e->stripped_digest ? 0 : sizeof(e->digest));
		scale_bytes(b, e->name, strlen(e->name));
		scale_bytes(b, e->payload.p, e->payload.len);
	}
	scale_compact(b, runtime_count(o->runtime));
	for (size_t i = 0; i < o->runtime->n; i++) {
		const struct forge_event *e = &o->runtime->events[i];

		if (e->type != FORGE_RUNTIME_TYPE)
			continue;
		scale_bytes(b, e->name, strlen(e->name));
		scale_bytes(b, e->payload.p, e->payload.len);
	}
	buf_bytes(b, o->report_data, sizeof(o->report_data));
	scale_bytes(b, o->config, strlen(o->config));
	return !b->bad;
}

/* ---- V1: MessagePack --------------------------------------------------------------------------- */

static void pack_event(struct buf *b, const struct forge_event *e)
{
	struct buf preimage = {0};

	pack_map(b, e->version == 2 ? 7 : 5);
	pack_str(b, "imr");
	pack_uint(b, e->imr);
	pack_str(b, "event_type");
	pack_uint(b, e->type);
	pack_str(b, "digest");
	pack_bin(b, e->digest, e->stripped_digest ? 0 : sizeof(e->digest));
	pack_str(b, "event");
	pack_str(b, e->name);
	pack_str(b, "event_payload");
	pack_bin(b, e->payload.p, e->payload.len);
	if (e->version != 2)
		return;
	forge_event_preimage(e, &preimage);
	pack_str(b, "version");
	pack_uint(b, 2);
	pack_str(b, "preimage");
	pack_text(b, preimage.p, preimage.len);
	b->bad = b->bad || preimage.bad;
	buf_done(&preimage);
}

static void pack_runtime_events(struct buf *b, const struct forge_log *log)
{
	pack_array(b, runtime_count(log));
	for (size_t i = 0; i < log->n; i++) {
		const struct forge_event *e = &log->events[i];

		if (e->type != FORGE_RUNTIME_TYPE)
			continue;
		pack_map(b, e->version == 2 ? 3 : 2);
		pack_str(b, "event");
		pack_str(b, e->name);
		pack_str(b, "payload");
		pack_bin(b, e->payload.p, e->payload.len);
		if (e->version == 2) {
			pack_str(b, "version");
			pack_uint(b, 2);
		}
	}
}

/* "kind": kind, "data": and a map of n members that the caller writes. */
static void pack_tagged(struct buf *b, const char *kind, uint8_t members)
{
	pack_map(b, 2);
	pack_str(b, "kind");
	pack_str(b, kind);
	pack_str(b, "data");
	pack_map(b, members);
}

static bool write_v1(const struct forge_envelope_options *o, struct buf *b)
{
	pack_map(b, 3);
	pack_str(b, "version");
	pack_uint(b, 1);
	pack_str(b, "platform");
	pack_tagged(b, o->platform != NULL ? o->platform : "tdx", 2);
	pack_str(b, "quote");
	pack_octets(b, o->quote.p, o->quote.left);
	pack_str(b, "event_log");
	pack_array(b, o->log->n);
	for (size_t i = 0; i < o->log->n; i++)
		pack_event(b, &o->log->events[i]);
	pack_str(b, "stack");
	pack_tagged(b, o->stack != NULL ? o->stack : "dstack", 3);
	pack_str(b, "report_data");
	pack_octets(b, o->report_data, sizeof(o->report_data));
	pack_str(b, "runtime_events");
	pack_runtime_events(b, o->runtime);
	pack_str(b, "config");
	pack_str(b, o->config);
	return !b->bad;
}

bool forge_envelope_write(const struct forge_envelope_options *o, struct buf *ret)
{
	return o->version == FORGE_V0 ? write_v0(o, ret) : write_v1(o, ret);
}
