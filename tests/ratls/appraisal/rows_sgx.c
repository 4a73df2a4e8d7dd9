/* SPDX-License-Identifier: Apache-2.0
 *
 * The SGX extension of PCK certificates. Numbers are those of the list of known bad cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "simulator/forge_der.h"

static void sgx_absent(struct sample *s)
{
	s->pki.cert[FORGE_PCK].omit = FORGE_SGX;
}

static void sgx_twice(struct sample *s)
{
	s->pki.sgx.twice = true;
}

static void five_entries_of_platform(struct sample *s)
{
	s->pki.sgx.processor = true;
}

static void seven_entries_of_processor(struct sample *s)
{
	s->pki.cert[FORGE_PCK_CA].cn = s->pki.cert[FORGE_PCK].issuer_cn = "Intel SGX PCK Processor CA";
	s->pki.crl[FORGE_PCK_CRL].issuer_cn = "Intel SGX PCK Processor CA";
}

static void processor(struct sample *s)
{
	seven_entries_of_processor(s);
	s->pki.sgx.processor = true;
}

static void cpusvn_differs(struct sample *s)
{
	s->pki.sgx.cpusvn[3]++;
}

static struct buf sgx_bytes; /* what s->pki.sgx.bytes points to until the next row */

/* Replace bytes (hex) within the extension, which must occur; lengths are the row's business. */
static void edit_sgx(struct sample *s, const char *from_hex, const char *to_hex)
{
	uint8_t from[64], to[64];
	size_t n_from = strlen(from_hex) / 2, n_to = strlen(to_hex) / 2;
	struct buf whole = {0};
	uint8_t *at;

	assert_true(hex_decode(from_hex, 2 * n_from, from, n_from) && hex_decode(to_hex, 2 * n_to, to, n_to));
	forge_sgx_write(&s->pki.sgx, &whole);
	at = memmem(whole.p, whole.len, from, n_from);
	assert_non_null(at);
	sgx_bytes.len = 0;
	buf_bytes(&sgx_bytes, whole.p, (size_t)(at - whole.p));
	buf_bytes(&sgx_bytes, to, n_to);
	buf_bytes(&sgx_bytes, at + n_from, whole.len - (size_t)(at - whole.p) - n_from);
	s->pki.sgx.bytes = cur_of(sgx_bytes.p, sgx_bytes.len);
	buf_done(&whole);
}

#define SGX_OID "2a864886f84d010d01"

static void sgx_garbage(struct sample *s)
{
	s->pki.sgx.bytes = cur_of("\x30\x03\x02\x01\x01", 5);
}

static void sgx_trailing_byte(struct sample *s)
{
	sgx_bytes.len = 0;
	forge_sgx_write(&s->pki.sgx, &sgx_bytes);
	buf_u8(&sgx_bytes, 0);
	s->pki.sgx.bytes = cur_of(sgx_bytes.p, sgx_bytes.len);
}

static void sgx_name_is_no_oid(struct sample *s)
{
	edit_sgx(s, "060a" SGX_OID "04", "040a" SGX_OID "04");
}

static void sgx_name_is_unknown(struct sample *s)
{
	edit_sgx(s, "060a" SGX_OID "04", "060a" SGX_OID "09");
}

static void sgx_name_twice(struct sample *s)
{
	edit_sgx(s, "060a" SGX_OID "04", "060a" SGX_OID "03");
}

static void sgx_fmspc_type(struct sample *s)
{
	edit_sgx(s, "060a" SGX_OID "040406", "060a" SGX_OID "040c06");
}

static void sgx_type_is_integer(struct sample *s)
{
	edit_sgx(s, "060a" SGX_OID "050a01", "060a" SGX_OID "050201");
}

static void sgx_component_is_octets(struct sample *s)
{
	edit_sgx(s, "060b" SGX_OID "02010201", "060b" SGX_OID "02010401");
}

static void sgx_component_negative(struct sample *s)
{
	edit_sgx(s, "060b" SGX_OID "0201020103", "060b" SGX_OID "02010201ff");
}

static void sgx_component_missing(struct sample *s)
{
	edit_sgx(s, "060b" SGX_OID "0210", "060b" SGX_OID "0213");
}

/* An extension whose values have these sizes. */
struct sgx_sizes {
	size_t ppid, pceid, fmspc, cpusvn, pcesvn, instance;
	size_t elements; /* of the PPID's pair */
};

static const struct sgx_sizes good_sizes = {16, 2, 6, 16, 1, 16, 2};

static void put_value(struct buf *b, const char *suffix, uint8_t tag, size_t len)
{
	static const uint8_t ones[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	size_t start = b->len;
	char oid[40];

	snprintf(oid, sizeof(oid), "1.2.840.113741.1.13.1.%s", suffix);
	der_oid(b, oid);
	der_bytes(b, tag, ones, len);
	der_wrap(b, start, DER_SEQUENCE);
}

static void put_tcb(struct buf *b, const struct sgx_sizes *sizes)
{
	size_t start = b->len, list;
	char suffix[8];

	der_oid(b, "1.2.840.113741.1.13.1.2");
	list = b->len;
	for (unsigned i = 1; i <= 16; i++) {
		snprintf(suffix, sizeof(suffix), "2.%u", i);
		put_value(b, suffix, DER_INTEGER, 1);
	}
	put_value(b, "2.17", DER_INTEGER, sizes->pcesvn);
	put_value(b, "2.18", DER_OCTET_STRING, sizes->cpusvn);
	der_wrap(b, list, DER_SEQUENCE);
	der_wrap(b, start, DER_SEQUENCE);
}

static void write_sgx(struct sample *s, const struct sgx_sizes *sizes)
{
	size_t start;

	sgx_bytes.len = 0;
	der_oid(&sgx_bytes, "1.2.840.113741.1.13.1.1");
	der_bytes(&sgx_bytes, DER_OCTET_STRING, s->pki.sgx.ppid, sizes->ppid);
	for (size_t i = 2; i < sizes->elements; i++)
		der_bytes(&sgx_bytes, DER_OCTET_STRING, NULL, 0);
	der_wrap(&sgx_bytes, 0, DER_SEQUENCE);
	put_tcb(&sgx_bytes, sizes);
	put_value(&sgx_bytes, "3", DER_OCTET_STRING, sizes->pceid);
	put_value(&sgx_bytes, "4", DER_OCTET_STRING, sizes->fmspc);
	put_value(&sgx_bytes, "5", DER_ENUMERATED, 1);
	put_value(&sgx_bytes, "6", DER_OCTET_STRING, sizes->instance);
	start = sgx_bytes.len;
	der_oid(&sgx_bytes, "1.2.840.113741.1.13.1.7");
	der_wrap(&sgx_bytes, sgx_bytes.len, DER_SEQUENCE);
	der_wrap(&sgx_bytes, start, DER_SEQUENCE);
	der_wrap(&sgx_bytes, 0, DER_SEQUENCE);
	s->pki.sgx.bytes = cur_of(sgx_bytes.p, sgx_bytes.len);
}

/* What is written this way is read: TCB info is then of another platform. */
static void sgx_sizes_good(struct sample *s)
{
	write_sgx(s, &good_sizes);
}

#define SIZE(name, member, size)                                                                             \
	static void name(struct sample *s)                                                                   \
	{                                                                                                    \
		struct sgx_sizes sizes = good_sizes;                                                         \
                                                                                                             \
		sizes.member = (size);                                                                       \
		write_sgx(s, &sizes);                                                                        \
	}

SIZE(sgx_ppid_short, ppid, 15)
SIZE(sgx_pceid_long, pceid, 3)
SIZE(sgx_fmspc_short, fmspc, 5)
SIZE(sgx_cpusvn_long, cpusvn, 17)
SIZE(sgx_pcesvn_long, pcesvn, 3)
SIZE(sgx_instance_short, instance, 15)
SIZE(sgx_pair_of_three, elements, 3)

/* All that Platform CA has but its last. */
static void six_entries_of_processor(struct sample *s)
{
	static const uint8_t configuration[] = {0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, 0x07};
	struct buf whole = {0};
	uint8_t *at;

	seven_entries_of_processor(s);
	forge_sgx_write(&s->pki.sgx, &whole);
	at = memmem(whole.p, whole.len, configuration, sizeof(configuration));
	assert_non_null(at);
	at -= 2; /* the header of the pair */
	sgx_bytes.len = 0;
	buf_bytes(&sgx_bytes, whole.p + 4, (size_t)(at - whole.p) - 4);
	der_wrap(&sgx_bytes, 0, DER_SEQUENCE);
	s->pki.sgx.bytes = cur_of(sgx_bytes.p, sgx_bytes.len);
	buf_done(&whole);
}

static void sgx_deep(struct sample *s)
{
	sgx_bytes.len = 0;
	for (size_t i = 0; i < 1000; i++)
		der_wrap(&sgx_bytes, 0, DER_SEQUENCE);
	s->pki.sgx.bytes = cur_of(sgx_bytes.p, sgx_bytes.len);
}

const struct row rows_sgx[] = {
	MADE("81 SGX extension absent", sgx_absent, PCK_EXTENSION),
	MADE("82 SGX extension twice", sgx_twice, PCK_EXTENSION),
	MADE("83 SGX extension is something else", sgx_garbage, PCK_EXTENSION),
	MADE("83 a byte follows the SGX extension", sgx_trailing_byte, PCK_EXTENSION),
	MADE("83 6 entries under Processor CA", six_entries_of_processor, PCK_EXTENSION),
	MADE("84 5 entries under Platform CA", five_entries_of_platform, PCK_EXTENSION),
	MADE("84 7 entries under Processor CA", seven_entries_of_processor, PCK_EXTENSION),
	MADE("5 entries under Processor CA", processor, NONE),
	MADE("85 a name is no OID", sgx_name_is_no_oid, PCK_EXTENSION),
	MADE("87 FMSPC missing", sgx_name_is_unknown, PCK_EXTENSION),
	MADE("87 PCEID in place of FMSPC", sgx_name_twice, PCK_EXTENSION),
	MADE("87 SGX type is no enumeration", sgx_type_is_integer, PCK_EXTENSION),
	MADE("88 a component is missing", sgx_component_missing, PCK_EXTENSION),
	MADE("89 FMSPC is no octet string", sgx_fmspc_type, PCK_EXTENSION),
	MADE("92 a component is no integer", sgx_component_is_octets, PCK_EXTENSION),
	MADE("92 a component is negative", sgx_component_negative, PCK_EXTENSION),
	MADE("an extension written by hand", sgx_sizes_good, TCBINFO_PLATFORM),
	MADE("86 a pair of three", sgx_pair_of_three, PCK_EXTENSION),
	MADE("87 PPID of 15 bytes", sgx_ppid_short, PCK_EXTENSION),
	MADE("87 PCEID of 3 bytes", sgx_pceid_long, PCK_EXTENSION),
	MADE("89 FMSPC of 5 bytes", sgx_fmspc_short, PCK_EXTENSION),
	MADE("90 CPUSVN of 17 bytes", sgx_cpusvn_long, PCK_EXTENSION),
	MADE("91 PCESVN of 3 bytes", sgx_pcesvn_long, PCK_EXTENSION),
	MADE("instance id of 15 bytes", sgx_instance_short, PCK_EXTENSION),
	MADE("94 a thousand levels deep", sgx_deep, PCK_EXTENSION),
	MADE("93 CPUSVN differs from components", cpusvn_differs, PCK_EXTENSION),
};

const size_t n_rows_sgx = sizeof(rows_sgx) / sizeof(rows_sgx[0]);
