/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/material.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "appraisal/pem.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/reason.h"

#define CHAIN_MAX      10 /* certificates of one file */
#define PEM_LINE_BYTES 48 /* RFC 7468 section 2: lines of 64 characters */

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----";
static const char pem_end[] = "-----END CERTIFICATE-----";

static int unknown(struct ratls_error *err, const char *what)
{
	return err_reason(err, RATLS_E_FORMAT, REASON_MATERIAL, "%s", what);
}

static void append_pem(struct buf *out, struct cur der)
{
	buf_fmt(out, "%s\n", pem_begin);
	while (der.left > 0) {
		struct cur line = cur_take(&der, der.left < PEM_LINE_BYTES ? der.left : PEM_LINE_BYTES);

		base64_append(out, line.p, line.left);
		buf_u8(out, '\n');
	}
	buf_fmt(out, "%s\n", pem_end);
}

/* Move text to the next block; false if there is none. */
static bool seek_certificate(struct cur *text)
{
	const uint8_t *at = memmem(text->p, text->left, pem_begin, sizeof(pem_begin) - 1);

	if (at == NULL)
		return false;
	cur_take(text, (size_t)(at - text->p));
	return true;
}

/* Text between the certificates (what `openssl x509 -text` prints) is passed over. */
static int from_pem(struct cur text, struct material *m, struct ratls_error *err)
{
	m->kind = MATERIAL_CERTIFICATE;
	for (int n = 0; seek_certificate(&text); n++) {
		struct buf der = {0};

		if (n == CHAIN_MAX)
			return unknown(err, "there are too many certificates in it");
		if (!pem_next(&text, "CERTIFICATE", &der)) {
			buf_done(&der);
			return err_reason(err, RATLS_E_FORMAT, REASON_CERTIFICATE_FORMAT,
				"the PEM certificate could not be read");
		}
		append_pem(&m->chain_pem, cur_of(der.p, der.len));
		if (n == 0)
			buf_bytes(&m->bytes, der.p, der.len);
		buf_done(&der);
	}
	return RATLS_OK;
}

static void from_der(struct cur in, struct material *m)
{
	m->kind = MATERIAL_CERTIFICATE;
	append_pem(&m->chain_pem, in);
	buf_bytes(&m->bytes, in.p, in.left);
}

static struct cur trim(struct cur in)
{
	while (in.left > 0 && isspace(*in.p))
		cur_take(&in, 1);
	while (in.left > 0 && isspace(in.p[in.left - 1]))
		in.left--;
	return in;
}

/* The bytes of hex text, lines and all; false if it is not hex. */
static bool decode_hex(struct cur in, struct buf *ret)
{
	struct buf digits = {0};
	uint8_t *to;
	bool good;

	if (in.left > 2 && in.p[0] == '0' && in.p[1] == 'x')
		cur_take(&in, 2);
	for (; in.left > 0; cur_take(&in, 1))
		if (!isspace(*in.p))
			buf_u8(&digits, *in.p);
	to = !digits.bad && digits.len > 0 ? buf_reserve(ret, digits.len / 2) : NULL;
	good = to != NULL && hex_decode((const char *)digits.p, digits.len, to, digits.len / 2);
	if (good)
		buf_added(ret, digits.len / 2);
	buf_done(&digits);
	return good;
}

/* The first byte tells a versioned attestation (0: SCALE; 0x80 and above: a MessagePack map) from a quote,
 * whose version number stands first, in little endian. */
static void from_binary(struct cur in, struct material *m)
{
	m->kind = in.p[0] == 0 || in.p[0] >= 0x80 ? MATERIAL_ENVELOPE : MATERIAL_QUOTE;
	buf_bytes(&m->bytes, in.p, in.left);
}

static int from_bundle(json_t *object, struct material *m, struct ratls_error *err)
{
	static const enum material_kind kinds[] = {
		[BUNDLE_CERTIFICATE] = MATERIAL_CERTIFICATE,
		[BUNDLE_QUOTE] = MATERIAL_QUOTE,
		[BUNDLE_ATTESTATION] = MATERIAL_ENVELOPE,
	};
	int rc = bundle_read(object, &m->bundle, err);

	if (rc != RATLS_OK)
		return rc;
	m->kind = kinds[m->bundle.kind];
	m->bytes = m->bundle.evidence;
	m->bundle.evidence = (struct buf){0};
	if (m->kind == MATERIAL_CERTIFICATE)
		append_pem(&m->chain_pem, cur_of(m->bytes.p, m->bytes.len));
	return rc;
}

/* GetQuote, Attest, and a sidecar's /attestation. */
static int from_answer(const json_t *object, struct material *m, struct ratls_error *err)
{
	const char *text = json_string_value(json_object_get(object, "attestation"));
	struct buf bytes = {0};
	int rc = RATLS_OK;

	if (text == NULL || *text == '\0')
		text = json_string_value(json_object_get(object, "quote"));
	if (text == NULL)
		rc = unknown(err, "the JSON object has no member \"attestation\" or \"quote\"");
	else if (!decode_hex(cur_of(text, strlen(text)), &bytes))
		rc = unknown(err, "the member \"attestation\" or \"quote\" is not hex");
	if (rc == RATLS_OK)
		from_binary(cur_of(bytes.p, bytes.len), m);
	buf_done(&bytes);
	return rc;
}

static int from_json(struct cur in, struct material *m, struct ratls_error *err)
{
	json_error_t where;
	json_t *object = json_loadb((const char *)in.p, in.left, JSON_REJECT_DUPLICATES, &where);
	int rc;

	if (object == NULL)
		rc = err_reason(err, RATLS_E_FORMAT, REASON_MATERIAL, "line %d: %s", where.line, where.text);
	else
		rc = bundle_is(object) ? from_bundle(object, m, err) : from_answer(object, m, err);
	json_decref(object);
	return rc;
}

/* A quote carries PEM too, but behind bytes that no text has. */
static bool is_pem(struct cur in)
{
	const uint8_t *at = memmem(in.p, in.left, pem_begin, sizeof(pem_begin) - 1);

	for (const uint8_t *p = in.p; at != NULL && p < at; p++)
		if (*p < 0x20 && !isspace(*p))
			return false;
	return at != NULL;
}

/* A SEQUENCE of more than 127 bytes, as every certificate is (X.690, section 8.1.3.5). */
static bool is_der(struct cur in)
{
	return in.left > 1 && in.p[0] == 0x30 && (in.p[1] & 0x80) != 0;
}

/* No version of a quote is that high. */
static bool begins_as_text(struct cur in)
{
	return (in.p[0] >= ' ' && in.p[0] <= '~') || isspace(in.p[0]);
}

static int recognise(struct cur in, struct material *m, struct ratls_error *err)
{
	struct cur text = trim(in);
	struct buf decoded = {0};
	int rc = RATLS_OK;

	if (in.left == 0)
		return unknown(err, "it is empty");
	if (text.left > 0 && *text.p == '{') /* a bundle has PEM in it */
		return from_json(text, m, err);
	if (is_pem(in))
		return from_pem(in, m, err);
	if (decode_hex(text, &decoded))
		in = cur_of(decoded.p, decoded.len);
	if (is_der(in))
		from_der(in, m);
	else if (begins_as_text(in))
		rc = unknown(err, "it is a text that holds none of what is known here");
	else
		from_binary(in, m);
	buf_done(&decoded);
	return rc;
}

int material_load(const char *path, struct material *ret, struct ratls_error *err)
{
	struct material m = {.kind = MATERIAL_QUOTE};
	struct buf content = {0};
	int rc = file_read(path, MATERIAL_FILE_MAX, &content, err);

	if (rc != RATLS_OK) {
		if (rc == RATLS_E_FORMAT && err != NULL)
			err->reason = REASON_MATERIAL;
		return rc;
	}
	rc = recognise(cur_of(content.p, content.len), &m, err);
	if (rc == RATLS_OK && (m.bytes.bad || m.chain_pem.bad))
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	else if (rc != RATLS_OK)
		err_prefix(err, rc, "\"%s\"", path);
	buf_done(&content);
	if (rc == RATLS_OK)
		*ret = m;
	else
		material_done(&m);
	return rc;
}

void material_done(struct material *m)
{
	buf_done(&m->bytes);
	buf_done(&m->chain_pem);
	bundle_done(&m->bundle);
}

int material_evidence(const struct material *m, struct ratls_evidence **ret, struct ratls_error *err)
{
	switch (m->kind) {
	case MATERIAL_CERTIFICATE:
		return ratls_evidence_from_certificate(m->bytes.p, m->bytes.len, ret, err);
	case MATERIAL_QUOTE:
		return ratls_evidence_from_quote(m->bytes.p, m->bytes.len, ret, err);
	case MATERIAL_ENVELOPE:
		return ratls_evidence_from_envelope(m->bytes.p, m->bytes.len, ret, err);
	}
	return err_set(err, RATLS_E_ARG, "material of no known kind");
}
