/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/forge_x509.h"

#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "simulator/forge_der.h"
#include "simulator/forge_keys.h"

#define OID_ECDSA_WITH_SHA256 "1.2.840.10045.4.3.2"
#define PEM_LINE              64

static void put_algorithm(struct buf *b)
{
	size_t start = b->len;

	der_oid(b, OID_ECDSA_WITH_SHA256);
	der_wrap(b, start, DER_SEQUENCE);
}

static void put_name(struct buf *b, const struct forge_rdn *name)
{
	size_t start = b->len;

	for (; name->oid != NULL; name++) {
		size_t rdn = b->len;

		der_oid(b, name->oid);
		der_bytes(b, name->tag, name->value, strlen(name->value));
		der_wrap(b, rdn, DER_SEQUENCE);
		der_wrap(b, rdn, DER_SET);
	}
	der_wrap(b, start, DER_SEQUENCE);
}

static void put_validity(struct buf *b, int64_t not_before, int64_t not_after)
{
	size_t start = b->len;

	der_time(b, not_before);
	der_time(b, not_after);
	der_wrap(b, start, DER_SEQUENCE);
}

static void put_extensions(struct buf *b, struct cur extensions, unsigned context)
{
	size_t start = b->len;

	if (extensions.left == 0)
		return;
	buf_bytes(b, extensions.p, extensions.left);
	der_wrap(b, start, DER_SEQUENCE);
	der_wrap(b, start, (uint8_t)(DER_CONTEXT_CONSTRUCTED | context));
}

/* What b holds from start on is what is signed: add algorithm and signature, and wrap it all. */
static bool put_signature(struct buf *b, size_t start, EVP_PKEY *signer)
{
	uint8_t signature[FORGE_SIGNATURE_SIZE];
	size_t bits;

	if (b->bad || !forge_sign(signer, cur_of(b->p + start, b->len - start), signature))
		return false;
	put_algorithm(b);
	bits = b->len;
	buf_u8(b, 0); /* no unused bits */
	der_unsigned(b, signature, 32);
	der_unsigned(b, signature + 32, 32);
	der_wrap(b, bits + 1, DER_SEQUENCE);
	der_wrap(b, bits, DER_BIT_STRING);
	der_wrap(b, start, DER_SEQUENCE);
	return !b->bad;
}

bool forge_certificate_write(const struct forge_certificate *c, struct buf *ret)
{
	size_t start = ret->len, version = start;

	der_int(ret, 2); /* v3 */
	der_wrap(ret, version, DER_CONTEXT_CONSTRUCTED | 0);
	der_unsigned(ret, c->serial.p, c->serial.left);
	put_algorithm(ret);
	put_name(ret, c->issuer);
	put_validity(ret, c->not_before, c->not_after);
	put_name(ret, c->subject);
	buf_bytes(ret, c->spki.p, c->spki.left);
	put_extensions(ret, c->extensions, 3);
	der_wrap(ret, start, DER_SEQUENCE);
	return put_signature(ret, start, c->signer);
}

bool forge_revocation_list_write(const struct forge_revocation_list *c, struct buf *ret)
{
	size_t start = ret->len, revoked;

	der_int(ret, 1); /* v2 */
	put_algorithm(ret);
	put_name(ret, c->issuer);
	der_time(ret, c->this_update);
	if (c->next_update != 0)
		der_time(ret, c->next_update);
	revoked = ret->len;
	buf_bytes(ret, c->revoked.p, c->revoked.left);
	if (c->revoked.left > 0)
		der_wrap(ret, revoked, DER_SEQUENCE);
	put_extensions(ret, c->extensions, 0);
	der_wrap(ret, start, DER_SEQUENCE);
	return put_signature(ret, start, c->signer);
}

void forge_revoked_put(struct buf *b, struct cur serial, int64_t at)
{
	size_t start = b->len;

	der_unsigned(b, serial.p, serial.left);
	der_time(b, at);
	der_wrap(b, start, DER_SEQUENCE);
}

void forge_extension_put(struct buf *b, const char *oid, bool critical, struct cur value)
{
	size_t start = b->len;

	der_oid(b, oid);
	if (critical)
		der_bytes(b, DER_BOOLEAN, "\xff", 1);
	der_bytes(b, DER_OCTET_STRING, value.p, value.left);
	der_wrap(b, start, DER_SEQUENCE);
}

bool forge_key_id(EVP_PKEY *key, uint8_t ret[static 20])
{
	struct buf spki = {0};
	uint8_t digest[HASH_SHA256_SIZE];
	bool ok = forge_key_spki(key, &spki) && hash_bytes(HASH_SHA256, spki.p, spki.len, digest);

	if (ok)
		memcpy(ret, digest, 20);
	buf_done(&spki);
	return ok;
}

void forge_pem_put(struct buf *b, const char *label, struct cur der)
{
	struct buf text = {0};

	base64_append(&text, der.p, der.left);
	buf_fmt(b, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < text.len; i += PEM_LINE) {
		buf_bytes(b, text.p + i, text.len - i < PEM_LINE ? text.len - i : PEM_LINE);
		buf_u8(b, '\n');
	}
	buf_fmt(b, "-----END %s-----\n", label);
	b->bad = b->bad || text.bad;
	buf_done(&text);
}
