/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/cert.h"

#include <string.h>

#include "appraisal/asn1.h"

/* At most 64 characters (RFC 5280 appendix A), which are printable: it decides the role and is shown to
 * people. */
static bool common_name(struct cur text, char ret[static 65])
{
	if (text.bad || text.left < 1 || text.left > 64)
		return false;
	memcpy(ret, text.p, text.left);
	ret[text.left] = '\0';
	return true;
}

static bool validity(struct cur times, struct cert *c)
{
	c->not_before = asn1_time(&times);
	c->not_after = asn1_time(&times);
	return cur_done(&times);
}

static bool decode(struct ecdsa_keys *keys, struct cert *c, struct outcome *o)
{
	const unsigned char *serial;
	enum ecdsa_answer answer;

	if (!cert_asn1_read(cur_of(c->der.p, c->der.len), &c->asn1))
		return outcome_fail(o, "a certificate could not be decoded");
	if (!common_name(c->asn1.common_name, c->name))
		return outcome_fail(o, "a certificate's common name is missing or malformed");
	if (!validity(c->asn1.validity, c))
		return outcome_fail(o, "the validity of \"%s\" is malformed", c->name);
	serial = c->asn1.serial.p;
	c->serial = d2i_ASN1_INTEGER(NULL, &serial, (long)c->asn1.serial.left);
	if (c->serial == NULL || ASN1_STRING_type(c->serial) == V_ASN1_NEG_INTEGER)
		return outcome_fail(o, "the serial number of \"%s\" is malformed", c->name);
	c->point = cert_asn1_point(&c->asn1);
	answer = ecdsa_is_point(keys, &c->point);
	if (answer == ECDSA_NO)
		return outcome_fail(o, "the key of \"%s\" is not a point on P-256", c->name);
	return answer == ECDSA_YES ? true : outcome_unknown(o, ECDSA_UNDECIDED_TEXT);
}

bool cert_parse(struct cur der, struct ecdsa_keys *keys, struct cert *ret, struct outcome *o)
{
	struct cert c = {0};

	if (der.left > CERT_DER_MAX)
		return outcome_fail(o, "a certificate of %zu bytes is larger than any", der.left);
	buf_bytes(&c.der, der.p, der.left);
	if (c.der.bad)
		return outcome_unknown(o, "out of memory");
	if (!decode(keys, &c, o)) {
		cert_done(&c);
		return false;
	}
	*ret = c;
	return true;
}

void cert_done(struct cert *c)
{
	ASN1_INTEGER_free(c->serial);
	buf_done(&c->der);
	*c = (struct cert){0};
}

/* RFC 5280 section 4.2.1.3 */
enum { USAGE_SIGN = 0, USAGE_CERT_SIGN = 5, USAGE_CRL_SIGN = 6 };

/* What each role must look like. Names are compared by their end, so that a development PKI may put a
 * word in front; nothing but the configured root decides whom to trust. */
static const struct role {
	const char *names[2];
	bool ca;
	uint32_t below; /* of a CA: how many CAs stand below it in our chains */
	int usage[2];   /* bits of the key usage; -1: none */
} roles[] = {
	[CERT_ROOT] = {{"SGX Root CA"}, true, 1, {USAGE_CERT_SIGN, USAGE_CRL_SIGN}},
	[CERT_PCK_CA] = {{"SGX PCK Platform CA", "SGX PCK Processor CA"}, true, 0,
		{USAGE_CERT_SIGN, USAGE_CRL_SIGN}},
	[CERT_PCK] = {{"SGX PCK Certificate"}, false, 0, {USAGE_SIGN, -1}},
	[CERT_TCB_SIGNING] = {{"SGX TCB Signing"}, false, 0, {USAGE_SIGN, -1}},
};

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = end != NULL ? strlen(end) : SIZE_MAX;

	return m <= n && strcmp(text + n - m, end) == 0;
}

/* The extensions that the profile demands of every certificate, each exactly once. */
static bool check_extensions(const struct cert *c, struct outcome *o)
{
	static const char *const names[] = {
		[CERT_AUTHORITY_KEY] = "X509v3 Authority Key Identifier",
		[CERT_DISTRIBUTION_POINTS] = "X509v3 CRL Distribution Points",
		[CERT_SUBJECT_KEY] = "X509v3 Subject Key Identifier",
		[CERT_KEY_USAGE] = "X509v3 Key Usage",
		[CERT_CONSTRAINTS] = "X509v3 Basic Constraints",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (c->asn1.extensions[i].times != 1)
			return outcome_fail(
				o, "\"%s\" does not carry the extension %s exactly once", c->name, names[i]);
	if (c->asn1.critical_unknown)
		return outcome_fail(o, "\"%s\" has a critical extension that is not known", c->name);
	return true;
}

static bool check_algorithms(const struct cert *c, struct outcome *o)
{
	if (!c->asn1.v3)
		return outcome_fail(o, "\"%s\" is not of X.509 version 3", c->name);
	if (!cert_asn1_is_ecdsa_sha256(&c->asn1))
		return outcome_fail(o, "\"%s\" is not signed with ECDSA and SHA-256", c->name);
	return true;
}

/* RFC 5280 section 4.2.1.9. A certificate that is no authority's has no path length. */
static bool check_constraints(const struct cert *c, const struct role *r, struct outcome *o)
{
	struct cur value, b;
	bool ca, limited, well_formed;
	uint32_t path_length = 0;

	cert_asn1_extension(&c->asn1, CERT_CONSTRAINTS, &value);
	b = asn1_take(&value, ASN1_TAG_SEQUENCE);
	ca = asn1_next_is(&b, ASN1_TAG_BOOLEAN);
	well_formed = !ca || asn1_boolean(&b); /* FALSE is what it is where it is absent */
	limited = ca && cur_ok(&b) && b.left > 0;
	if (limited)
		path_length = asn1_uint(&b, INT32_MAX);
	if (!well_formed || !cur_done(&b) || !cur_done(&value))
		return outcome_fail(o, "the basic constraints of \"%s\" are malformed", c->name);
	if (ca != r->ca)
		return outcome_fail(o, "\"%s\" %s a certificate authority", c->name, ca ? "is" : "is not");
	if (limited && path_length < r->below)
		return outcome_fail(o, "\"%s\" does not allow a chain of this length", c->name);
	return true;
}

/* Is this bit of a BIT STRING set? Bits that are not there are not set. */
static bool bit(struct cur bits, unsigned n)
{
	return n / 8 < bits.left && (bits.p[n / 8] & 0x80 >> n % 8) != 0;
}

static bool check_usage(const struct cert *c, const struct role *r, struct outcome *o)
{
	struct cur value, bits;
	bool ok;

	cert_asn1_extension(&c->asn1, CERT_KEY_USAGE, &value);
	bits = asn1_bits(&value);
	ok = cur_done(&value);
	for (size_t i = 0; i < 2 && r->usage[i] >= 0; i++)
		ok = ok && bit(bits, (unsigned)r->usage[i]);
	return ok ? true : outcome_fail(o, "the key of \"%s\" may not be used for this", c->name);
}

bool cert_check_role(const struct cert *c, enum cert_role role, struct outcome *o)
{
	const struct role *r = &roles[role];

	if (!ends_with(c->name, r->names[0]) && !ends_with(c->name, r->names[1]))
		return outcome_fail(o, "\"%s\" stands where \"Intel %s\" should", c->name, r->names[0]);
	return check_algorithms(c, o) && check_extensions(c, o) && check_constraints(c, r, o) &&
	       check_usage(c, r, o);
}

/* ---- the issuer -------------------------------------------------------------------------------------- */

struct cur cert_key_id(const struct cert *c)
{
	struct cur value, id;

	if (!cert_asn1_extension(&c->asn1, CERT_SUBJECT_KEY, &value))
		return (struct cur){.p = NULL};
	id = asn1_take(&value, ASN1_TAG_OCTET_STRING);
	id.bad = id.bad || !cur_done(&value);
	return id;
}

/* Likewise of its issuer's key: [0] of an authority key identifier, before [1] and [2], which name the
 * issuer. */
static struct cur issuer_key_id(const struct cert *c)
{
	struct cur value, all, id = {.p = NULL};

	if (!cert_asn1_extension(&c->asn1, CERT_AUTHORITY_KEY, &value))
		return id;
	all = asn1_take(&value, ASN1_TAG_SEQUENCE);
	if (asn1_next_is(&all, ASN1_TAG_CONTEXT + 0))
		id = asn1_take(&all, ASN1_TAG_CONTEXT + 0);
	if (asn1_next_is(&all, ASN1_TAG_CONTEXT_CONSTRUCTED + 1))
		asn1_take(&all, ASN1_TAG_CONTEXT_CONSTRUCTED + 1);
	if (asn1_next_is(&all, ASN1_TAG_CONTEXT + 2))
		asn1_take(&all, ASN1_TAG_CONTEXT + 2);
	if (!cur_done(&all) || !cur_done(&value))
		id = (struct cur){.bad = true};
	return id;
}

bool cert_check_issued(const struct cert *c, const struct cert *issuer, struct outcome *o)
{
	struct cur names = issuer_key_id(c), is = cert_key_id(issuer);
	/* That both are there is the role's business: a configured root may do without (RFC 5280
	 * section 4.2.1.1). */
	bool absent = (names.p == NULL && !names.bad) || (is.p == NULL && !is.bad);

	if (!cur_eq(&c->asn1.issuer, &issuer->asn1.subject))
		return outcome_fail(o, "\"%s\" was not issued by \"%s\"", c->name, issuer->name);
	if (names.bad || is.bad || (!absent && !cur_eq(&names, &is)))
		return outcome_fail(o, "\"%s\" names another key than that of \"%s\"", c->name, issuer->name);
	return true;
}

bool cert_check_signature(
	const struct cert *c, const struct cert *issuer, struct ecdsa_keys *keys, struct outcome *o)
{
	enum ecdsa_answer answer = ECDSA_NO;

	if (cert_asn1_is_ecdsa_sha256(&c->asn1))
		answer = ecdsa_verify_der(keys, &issuer->point, &c->asn1.signature, &c->asn1.tbs);
	if (answer == ECDSA_NO)
		return outcome_fail(o, "\"%s\" was not signed by \"%s\"", c->name, issuer->name);
	return answer == ECDSA_YES ? true : outcome_unknown(o, ECDSA_UNDECIDED_TEXT);
}

bool cert_same_ca(const struct cert *a, const struct cert *b)
{
	return cur_eq(&a->asn1.subject, &b->asn1.subject) && cur_eq(&a->asn1.key, &b->asn1.key);
}
