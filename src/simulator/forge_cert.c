/* SPDX-License-Identifier: Apache-2.0
 *
 * The details are those of the library that dstack issues certificates with, also where they are odd: the
 * key usage has nine bits in two octets, leaves have neither basic constraints nor key identifiers, and
 * the serial number follows from the key.
 */
#include "simulator/forge_cert.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/hash.h"
#include "simulator/forge_der.h"
#include "simulator/forge_keys.h"
#include "simulator/forge_x509.h"

#define OID_SAN               "2.5.29.17"
#define OID_KEY_USAGE         "2.5.29.15"
#define OID_EXTENDED_USAGE    "2.5.29.37"
#define OID_SKI               "2.5.29.14"
#define OID_BASIC_CONSTRAINTS "2.5.29.19"
#define OID_SERVER_AUTH       "1.3.6.1.5.5.7.3.1"
#define OID_CLIENT_AUTH       "1.3.6.1.5.5.7.3.2"

void forge_ratls_payload(struct forge_ratls_options *o, const char *oid, struct cur bytes)
{
	if (o->n_payloads < FORGE_PAYLOADS_MAX)
		o->payloads[o->n_payloads++] = (struct forge_payload){.oid = oid, .bytes = bytes};
}

static void put_extension(struct buf *b, const char *oid, bool critical, struct buf *value)
{
	forge_extension_put(b, oid, critical, cur_of(value->p, value->len));
	b->bad = b->bad || value->bad;
	buf_done(value);
}

static void put_alt_names(struct buf *b, const char *const *names)
{
	struct buf v = {0};

	for (; *names != NULL; names++) {
		uint8_t address[16];

		if (inet_pton(AF_INET, *names, address) == 1)
			der_bytes(&v, DER_CONTEXT | 7, address, 4);
		else if (inet_pton(AF_INET6, *names, address) == 1)
			der_bytes(&v, DER_CONTEXT | 7, address, 16);
		else
			der_bytes(&v, DER_CONTEXT | 2, *names, strlen(*names));
	}
	der_wrap(&v, 0, DER_SEQUENCE);
	put_extension(b, OID_SAN, false, &v);
}

static void put_usage(struct buf *b, const struct forge_ratls_options *o)
{
	struct buf v = {0};

	/* digitalSignature; of a CA keyCertSign and cRLSign too. Nine bits, seven unused. */
	der_bytes(&v, DER_BIT_STRING, (uint8_t[]){7, o->ca ? 0x86 : 0x80, 0}, 3);
	put_extension(b, OID_KEY_USAGE, true, &v);
	if (!o->server_auth && !o->client_auth)
		return;
	if (o->server_auth)
		der_oid(&v, OID_SERVER_AUTH);
	if (o->client_auth)
		der_oid(&v, OID_CLIENT_AUTH);
	der_wrap(&v, 0, DER_SEQUENCE);
	put_extension(b, OID_EXTENDED_USAGE, false, &v);
}

static bool put_ca(struct buf *b, const struct forge_ratls_options *o)
{
	struct buf v = {0};
	uint8_t id[20];

	if (!forge_key_id(o->key, id))
		return false;
	der_bytes(&v, DER_OCTET_STRING, id, sizeof(id));
	put_extension(b, OID_SKI, false, &v);
	der_bytes(&v, DER_BOOLEAN, "\xff", 1);
	der_int(&v, (uint32_t)o->path_length);
	der_wrap(&v, 0, DER_SEQUENCE);
	put_extension(b, OID_BASIC_CONSTRAINTS, true, &v);
	return true;
}

static bool put_extensions(struct buf *b, const struct forge_ratls_options *o)
{
	if (o->alt_names != NULL && o->alt_names[0] != NULL)
		put_alt_names(b, o->alt_names);
	put_usage(b, o);
	if (o->ca && !put_ca(b, o))
		return false;
	for (size_t i = 0; i < o->n_payloads; i++) {
		const struct forge_payload *p = &o->payloads[i];
		struct buf v = {0};

		if (p->bare)
			buf_bytes(&v, p->bytes.p, p->bytes.left);
		else
			der_bytes(&v, DER_OCTET_STRING, p->bytes.p, p->bytes.left);
		put_extension(b, p->oid, false, &v);
	}
	return !b->bad;
}

/* SHA-256 of the public point, the first 20 bytes without the sign bit. */
static bool serial_of(EVP_PKEY *key, uint8_t ret[static FORGE_SERIAL_MAX])
{
	uint8_t point[1 + FORGE_POINT_SIZE] = {0x04}, digest[HASH_SHA256_SIZE];

	if (!forge_key_point(key, point + 1) || !hash_bytes(HASH_SHA256, point, sizeof(point), digest))
		return false;
	memcpy(ret, digest, FORGE_SERIAL_MAX);
	ret[0] &= 0x7f;
	return true;
}

struct ratls_name {
	struct forge_rdn rdn[3];
};

static struct ratls_name ratls_name(const char *organization, const char *cn)
{
	struct ratls_name name = {0};
	size_t n = 0;

	if (organization != NULL)
		name.rdn[n++] = (struct forge_rdn){FORGE_OID_O, DER_UTF8_STRING, organization};
	name.rdn[n] = (struct forge_rdn){FORGE_OID_CN, DER_UTF8_STRING, cn};
	return name;
}

bool forge_ratls_write(const struct forge_ratls_options *o, struct buf *ret)
{
	struct ratls_name issuer = ratls_name(o->issuer_organization, o->issuer_cn);
	struct ratls_name subject = ratls_name(o->organization, o->cn);
	struct buf spki = {0}, extensions = {0};
	uint8_t serial[FORGE_SERIAL_MAX];
	bool ok = serial_of(o->key, serial) && forge_key_spki(o->key, &spki) && put_extensions(&extensions, o);
	struct forge_certificate made = {.serial = cur_of(serial, sizeof(serial)), .issuer = issuer.rdn,
		.subject = subject.rdn, .not_before = o->not_before, .not_after = o->not_after,
		.spki = cur_of(spki.p, spki.len), .extensions = cur_of(extensions.p, extensions.len),
		.signer = o->signer};

	ok = ok && forge_certificate_write(&made, ret);
	buf_done(&spki);
	buf_done(&extensions);
	return ok;
}
