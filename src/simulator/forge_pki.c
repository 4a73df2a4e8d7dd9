/* SPDX-License-Identifier: Apache-2.0
 *
 * Names, extensions and dates are those of Intel's own certificates (Intel SGX PCK Certificate and CRL
 * Profile Specification 1.5, chapters 1 and 2), so that a verifier needs no exception for them.
 */
#include "simulator/forge_pki.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "evidence/pck_name.h"
#include "simulator/forge_der.h"
#include "simulator/forge_x509.h"

#define OID_AKI               "2.5.29.35"
#define OID_CRL_DISTRIBUTION  "2.5.29.31"
#define OID_SKI               "2.5.29.14"
#define OID_KEY_USAGE         "2.5.29.15"
#define OID_BASIC_CONSTRAINTS "2.5.29.19"
#define OID_CRL_NUMBER        "2.5.29.20"
#define OID_CRL_SCOPE         "2.5.29.28" /* issuingDistributionPoint: RFC 5280 section 5.2.5 */
#define OID_SGX               "1.2.840.113741.1.13.1"

#define URL_ROOT_CRL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
#define URL_PCK_CRL  "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der"

#define DAY ((int64_t)24 * 60 * 60)

/* Belongs to no real platform. */
const uint8_t forge_fmspc_default[6] = {0x0d, 0x57, 0xac, 0x00, 0x00, 0x00};

static const struct forge_cert_options good_certs[FORGE_ROLES] = {
	[FORGE_ROOT] = {.cn = "Intel SGX Root CA", .issuer_cn = "Intel SGX Root CA", .key = FORGE_KEY_ROOT,
		.issuer_key = FORGE_KEY_ROOT, .signed_by = FORGE_KEY_ROOT, .crl_url = URL_ROOT_CRL, .ca = true,
		.path_length = 1, .key_usage = FORGE_USAGE_CA},
	[FORGE_PCK_CA] = {.cn = "Intel SGX PCK Platform CA", .issuer_cn = "Intel SGX Root CA",
		.key = FORGE_KEY_PCK_CA, .issuer_key = FORGE_KEY_ROOT, .signed_by = FORGE_KEY_ROOT,
		.crl_url = URL_ROOT_CRL, .ca = true, .path_length = 0, .key_usage = FORGE_USAGE_CA},
	[FORGE_PCK] = {.cn = "Intel SGX PCK Certificate", .issuer_cn = "Intel SGX PCK Platform CA",
		.key = FORGE_KEY_PCK, .issuer_key = FORGE_KEY_PCK_CA, .signed_by = FORGE_KEY_PCK_CA,
		.crl_url = URL_PCK_CRL, .path_length = -1, .key_usage = FORGE_USAGE_SIGN},
	[FORGE_TCB_SIGNER] = {.cn = "Intel SGX TCB Signing", .issuer_cn = "Intel SGX Root CA",
		.key = FORGE_KEY_TCB_SIGNER, .issuer_key = FORGE_KEY_ROOT, .signed_by = FORGE_KEY_ROOT,
		.crl_url = URL_ROOT_CRL, .path_length = -1, .key_usage = FORGE_USAGE_SIGN},
};

void forge_pki_defaults(struct forge_pki_options *o, const uint8_t seed[static FORGE_SEED_SIZE], int64_t now)
{
	static const uint8_t components[16] = {3, 3, 2, 2, 4, 1, 0, 5};
	uint8_t id[HASH_SHA256_SIZE];

	*o = (struct forge_pki_options){.sgx = {.pcesvn = 11, .type = 1}};
	memcpy(o->seed, seed, FORGE_SEED_SIZE);
	memcpy(o->cert, good_certs, sizeof(good_certs));
	for (size_t i = 0; i < FORGE_ROLES; i++) {
		o->cert[i].not_before = FORGE_NOT_BEFORE;
		o->cert[i].not_after = FORGE_NOT_AFTER;
	}
	memcpy(o->sgx.components, components, sizeof(components));
	memcpy(o->sgx.cpusvn, components, sizeof(components));
	memcpy(o->sgx.fmspc, forge_fmspc_default, sizeof(o->sgx.fmspc));
	if (hash_bytes(HASH_SHA256, seed, FORGE_SEED_SIZE, id)) {
		memcpy(o->sgx.ppid, id, sizeof(o->sgx.ppid));
		memcpy(o->sgx.instance, id + 16, sizeof(o->sgx.instance));
	}
	o->crl[FORGE_ROOT_CRL] = (struct forge_crl_options){.issuer_cn = o->cert[FORGE_ROOT].cn,
		.issuer_key = FORGE_KEY_ROOT, .signed_by = FORGE_KEY_ROOT};
	o->crl[FORGE_PCK_CRL] = (struct forge_crl_options){.issuer_cn = o->cert[FORGE_PCK_CA].cn,
		.issuer_key = FORGE_KEY_PCK_CA, .signed_by = FORGE_KEY_PCK_CA};
	for (size_t i = 0; i < FORGE_CRLS; i++) {
		o->crl[i].this_update = now - DAY;
		o->crl[i].next_update = now + 30 * DAY;
	}
}

/* One (OID, value) pair: the OID of a suffix, then a value that the caller writes, then der_wrap from the
 * returned start. */
static size_t pair_begin(struct buf *b, const char *suffix)
{
	size_t start = b->len;
	char oid[sizeof(OID_SGX) + 8];

	snprintf(oid, sizeof(oid), "%s.%s", OID_SGX, suffix);
	der_oid(b, oid);
	return start;
}

static void put_octets(struct buf *b, const char *suffix, const uint8_t *p, size_t n)
{
	size_t start = pair_begin(b, suffix);

	der_bytes(b, DER_OCTET_STRING, p, n);
	der_wrap(b, start, DER_SEQUENCE);
}

static void put_integer(struct buf *b, const char *suffix, uint32_t v)
{
	size_t start = pair_begin(b, suffix);

	der_int(b, v);
	der_wrap(b, start, DER_SEQUENCE);
}

static void put_tcb(struct buf *b, const struct forge_sgx_options *o)
{
	size_t start = pair_begin(b, "2"), list = b->len;
	char suffix[8];

	for (unsigned i = 0; i < sizeof(o->components); i++) {
		snprintf(suffix, sizeof(suffix), "2.%u", i + 1);
		put_integer(b, suffix, o->components[i]);
	}
	put_integer(b, "2.17", o->pcesvn);
	put_octets(b, "2.18", o->cpusvn, sizeof(o->cpusvn));
	der_wrap(b, list, DER_SEQUENCE);
	der_wrap(b, start, DER_SEQUENCE);
}

/* What only certificates of the Platform CA have: instance and configuration. */
static void put_platform(struct buf *b, const struct forge_sgx_options *o)
{
	static const char *const flags[] = {"7.1", "7.2", "7.3"}; /* dynamic, cached keys, SMT */
	size_t start, list;

	put_octets(b, "6", o->instance, sizeof(o->instance));
	start = pair_begin(b, "7");
	list = b->len;
	for (size_t i = 0; i < 3; i++) {
		size_t flag = pair_begin(b, flags[i]);

		der_bytes(b, DER_BOOLEAN, "\xff", 1);
		der_wrap(b, flag, DER_SEQUENCE);
	}
	der_wrap(b, list, DER_SEQUENCE);
	der_wrap(b, start, DER_SEQUENCE);
}

void forge_sgx_write(const struct forge_sgx_options *o, struct buf *ret)
{
	size_t start = ret->len, type;

	put_octets(ret, "1", o->ppid, sizeof(o->ppid));
	put_tcb(ret, o);
	put_octets(ret, "3", o->pceid, sizeof(o->pceid));
	put_octets(ret, "4", o->fmspc, sizeof(o->fmspc));
	type = pair_begin(ret, "5");
	der_bytes(ret, DER_ENUMERATED, &o->type, 1);
	der_wrap(ret, type, DER_SEQUENCE);
	if (!o->processor)
		put_platform(ret, o);
	der_wrap(ret, start, DER_SEQUENCE);
}

static void put_extension(struct buf *b, const char *oid, bool critical, struct buf *value)
{
	forge_extension_put(b, oid, critical, cur_of(value->p, value->len));
	b->bad = b->bad || value->bad;
	buf_done(value);
}

static void put_aki(struct buf *b, const uint8_t id[static 20])
{
	struct buf v = {0};

	der_bytes(&v, DER_CONTEXT | 0, id, 20);
	der_wrap(&v, 0, DER_SEQUENCE);
	put_extension(b, OID_AKI, false, &v);
}

static void put_crl_distribution(struct buf *b, const char *url)
{
	struct buf v = {0};

	der_bytes(&v, DER_CONTEXT | 6, url, strlen(url)); /* GeneralName: uniformResourceIdentifier */
	der_wrap(&v, 0, DER_CONTEXT_CONSTRUCTED | 0);     /* fullName */
	der_wrap(&v, 0, DER_CONTEXT_CONSTRUCTED | 0);     /* distributionPoint */
	der_wrap(&v, 0, DER_SEQUENCE);
	der_wrap(&v, 0, DER_SEQUENCE);
	put_extension(b, OID_CRL_DISTRIBUTION, false, &v);
}

static void put_ski(struct buf *b, const uint8_t id[static 20])
{
	struct buf v = {0};

	der_bytes(&v, DER_OCTET_STRING, id, 20);
	put_extension(b, OID_SKI, false, &v);
}

static void put_key_usage(struct buf *b, unsigned usage)
{
	struct buf v = {0};

	der_bytes(&v, DER_BIT_STRING, (uint8_t[]){(uint8_t)(usage >> 8), (uint8_t)usage}, 2);
	put_extension(b, OID_KEY_USAGE, true, &v);
}

static void put_basic_constraints(struct buf *b, bool ca, int path_length)
{
	struct buf v = {0};

	if (ca)
		der_bytes(&v, DER_BOOLEAN, "\xff", 1);
	if (path_length >= 0)
		der_int(&v, (uint32_t)path_length);
	der_wrap(&v, 0, DER_SEQUENCE);
	put_extension(b, OID_BASIC_CONSTRAINTS, true, &v);
}

static void put_sgx(struct buf *b, const struct forge_sgx_options *o)
{
	for (int i = 0; i < (o->twice ? 2 : 1); i++) {
		struct buf v = {0};

		if (o->bytes.left > 0)
			buf_bytes(&v, o->bytes.p, o->bytes.left);
		else
			forge_sgx_write(o, &v);
		put_extension(b, OID_SGX, false, &v);
	}
}

static bool label_id(const uint8_t *seed, const char *label, uint8_t id[static 20])
{
	EVP_PKEY *key = forge_key(seed, label);
	bool ok = key != NULL && forge_key_id(key, id);

	EVP_PKEY_free(key);
	return ok;
}

static bool cert_extensions(const struct forge_pki_options *o, enum forge_role role, struct buf *b)
{
	const struct forge_cert_options *c = &o->cert[role];
	uint8_t own[20], authority[20];

	if (!label_id(o->seed, c->key, own) || !label_id(o->seed, c->issuer_key, authority))
		return false;
	if ((c->omit & FORGE_AKI) == 0)
		put_aki(b, authority);
	if ((c->omit & FORGE_CRL_DISTRIBUTION) == 0)
		put_crl_distribution(b, c->crl_url);
	if ((c->omit & FORGE_SKI) == 0)
		put_ski(b, own);
	if ((c->omit & FORGE_KEY_USAGE) == 0)
		put_key_usage(b, c->key_usage);
	if ((c->omit & FORGE_BASIC_CONSTRAINTS) == 0)
		put_basic_constraints(b, c->ca, c->path_length);
	if (role == FORGE_PCK && (c->omit & FORGE_SGX) == 0)
		put_sgx(b, &o->sgx);
	return !b->bad;
}

/* Intel's distinguished name around a common name. */
struct intel_name {
	struct forge_rdn rdn[FORGE_NAME_MAX + 1];
};

static struct intel_name intel_name(const char *cn)
{
	return (struct intel_name){{{FORGE_OID_CN, DER_UTF8_STRING, cn},
		{FORGE_OID_O, DER_UTF8_STRING, "Intel Corporation"},
		{FORGE_OID_L, DER_UTF8_STRING, "Santa Clara"}, {FORGE_OID_ST, DER_UTF8_STRING, "CA"},
		{FORGE_OID_C, DER_PRINTABLE_STRING, "US"}, {NULL, 0, NULL}}};
}

/* Like Intel's: a CA's serial number is its key identifier. */
static bool cert_serial(const struct forge_pki_options *o, enum forge_role role, uint8_t id[static 20],
	struct cur *ret)
{
	*ret = o->cert[role].serial;
	if (ret->left > 0)
		return true;
	*ret = cur_of(id, 20);
	return label_id(o->seed, o->cert[role].key, id);
}

static bool make_cert(const struct forge_pki_options *o, enum forge_role role, struct buf *ret)
{
	const struct forge_cert_options *c = &o->cert[role];
	struct intel_name issuer = intel_name(c->issuer_cn), subject = intel_name(c->cn);
	EVP_PKEY *key = forge_key(o->seed, c->key), *signer = forge_key(o->seed, c->signed_by);
	struct buf extensions = {0}, spki = {0};
	struct forge_certificate made = {.issuer = issuer.rdn, .subject = subject.rdn,
		.not_before = c->not_before, .not_after = c->not_after, .signer = signer};
	uint8_t id[20];
	bool ok = key != NULL && signer != NULL && forge_key_spki(key, &spki) &&
		cert_extensions(o, role, &extensions) && cert_serial(o, role, id, &made.serial);

	made.spki = cur_of(spki.p, spki.len);
	made.extensions = cur_of(extensions.p, extensions.len);
	ok = ok && forge_certificate_write(&made, ret);
	EVP_PKEY_free(key);
	EVP_PKEY_free(signer);
	buf_done(&extensions);
	buf_done(&spki);
	return ok;
}

static bool put_revoked(const struct forge_pki_options *o, const struct forge_crl_options *c, struct buf *b)
{
	for (unsigned role = 0; role < FORGE_ROLES; role++) {
		uint8_t id[20];
		struct cur serial;

		if ((c->revoked_roles & 1u << role) == 0)
			continue;
		if (!cert_serial(o, role, id, &serial))
			return false;
		forge_revoked_put(b, serial, c->this_update);
	}
	for (size_t i = 0; i < FORGE_REVOKED_MAX && c->revoked[i].left > 0; i++)
		forge_revoked_put(b, c->revoked[i], c->this_update);
	return !b->bad;
}

static bool crl_extensions(const struct forge_pki_options *o, const struct forge_crl_options *c, struct buf *b)
{
	struct buf number = {0};
	uint8_t authority[20];

	if (!label_id(o->seed, c->issuer_key, authority))
		return false;
	if ((c->omit & FORGE_CRL_NUMBER) == 0) {
		der_int(&number, 1);
		put_extension(b, OID_CRL_NUMBER, false, &number);
	}
	if ((c->omit & FORGE_AKI) == 0)
		put_aki(b, authority);
	if (c->partial) {
		struct buf nothing = {0};

		der_wrap(&nothing, 0, DER_SEQUENCE);
		put_extension(b, OID_CRL_SCOPE, true, &nothing);
	}
	return !b->bad;
}

static bool make_crl(const struct forge_pki_options *o, const struct forge_crl_options *c, struct buf *ret)
{
	struct intel_name issuer = intel_name(c->issuer_cn);
	EVP_PKEY *signer = forge_key(o->seed, c->signed_by);
	struct buf extensions = {0}, revoked = {0};
	struct forge_revocation_list made = {.issuer = issuer.rdn, .this_update = c->this_update,
		.next_update = c->next_update, .signer = signer};
	bool ok = signer != NULL && put_revoked(o, c, &revoked) && crl_extensions(o, c, &extensions);

	made.revoked = cur_of(revoked.p, revoked.len);
	made.extensions = cur_of(extensions.p, extensions.len);
	ok = ok && forge_revocation_list_write(&made, ret);
	EVP_PKEY_free(signer);
	buf_done(&extensions);
	buf_done(&revoked);
	return ok;
}

/* The PPID as nobody can read it: to whoever has no key of the PCE, ciphertext is as good as random bytes. */
static bool make_pck_name(const struct forge_pki_options *o, struct buf *ret)
{
	uint8_t part[HASH_SHA384_SIZE];

	for (size_t i = 0; i < PCK_NAME_RSA3072 / sizeof(part); i++) {
		uint8_t number = (uint8_t)i;
		struct cur parts[] = {cur_of(o->seed, sizeof(o->seed)), cur_of(o->sgx.ppid, sizeof(o->sgx.ppid)),
			cur_of(&number, 1)};

		if (!hash_parts(HASH_SHA384, parts, 3, part))
			return false;
		buf_bytes(ret, part, sizeof(part));
	}
	buf_bytes(ret, o->sgx.cpusvn, sizeof(o->sgx.cpusvn));
	buf_u16le(ret, o->sgx.pcesvn);
	buf_bytes(ret, o->sgx.pceid, sizeof(o->sgx.pceid));
	return !ret->bad;
}

int forge_pki_make(const struct forge_pki_options *o, struct forge_pki *ret, struct ratls_error *err)
{
	struct forge_pki pki = {0};
	bool ok = true;

	memcpy(pki.seed, o->seed, sizeof(pki.seed));
	for (size_t i = 0; ok && i < FORGE_ROLES; i++)
		ok = make_cert(o, (enum forge_role)i, &pki.cert[i]);
	for (size_t i = 0; ok && i < FORGE_CRLS; i++)
		ok = make_crl(o, &o->crl[i], &pki.crl[i]);
	if (!ok || !make_pck_name(o, &pki.pck_name)) {
		forge_pki_done(&pki);
		return err_set(err, RATLS_E_CRYPTO, "could not make the development PKI");
	}
	*ret = pki;
	return RATLS_OK;
}

void forge_pki_done(struct forge_pki *pki)
{
	for (size_t i = 0; i < FORGE_ROLES; i++)
		buf_done(&pki->cert[i]);
	for (size_t i = 0; i < FORGE_CRLS; i++)
		buf_done(&pki->crl[i]);
	buf_done(&pki->pck_name);
}

void forge_pki_pem(const struct forge_pki *pki, const enum forge_role *roles, size_t n, struct buf *ret)
{
	for (size_t i = 0; i < n; i++)
		forge_pem_put(ret, "CERTIFICATE", cur_of(pki->cert[roles[i]].p, pki->cert[roles[i]].len));
}

void forge_pki_pck_chain(const struct forge_pki *pki, struct buf *ret)
{
	forge_pki_pem(pki, (enum forge_role[]){FORGE_PCK, FORGE_PCK_CA, FORGE_ROOT}, 3, ret);
}

void forge_pki_pck_ca_chain(const struct forge_pki *pki, struct buf *ret)
{
	forge_pki_pem(pki, (enum forge_role[]){FORGE_PCK_CA, FORGE_ROOT}, 2, ret);
}
