/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms of revocation lists that no honest issuer writes: a list is read in one way or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <openssl/ec.h>

#include "appraisal/crl.h"
#include "base/hex.h"
#include "simulator/forge_der.h"
#include "simulator/forge_x509.h"

#define NOW INT64_C(1751600000)

/* What is in an entry: the serial number, the date, and extensions. */
#define SERIAL "020105"
#define DATE   "170d3235303630313132303030305a"
#define REASON "300c300a0603551d1504030a0101"
#define REMOVED "300c300a0603551d1504030a0108"

static const struct {
	const char *what, *entry;
	bool read;
} rows[] = {
	{"an entry", SERIAL DATE, true},
	{"the reason", SERIAL DATE REASON, true},
	{"removed from the list", SERIAL DATE REMOVED, true},
	{"a serial number of which the first bit is set", "02020085" DATE, true},
	{"a negative serial number", "020185" DATE, false},
	{"a date that does not exist", SERIAL "170d3235313330313132303030305a", false},
	{"a date that is none", SERIAL "170d3235303630313132303078305a", false},
	{"another issuer, critical", SERIAL DATE "301330110603551d1d0101ff04073005a403300131", false},
	{"an unknown extension, critical", SERIAL DATE "300e300c06032a03040101ff04020500", false},
};

static void write_list(struct cur entries, struct buf *ret)
{
	static const struct forge_rdn name[] = {{FORGE_OID_CN, DER_UTF8_STRING, "CA"}, {0}};
	struct forge_revocation_list list = {.issuer = name,
		.this_update = NOW,
		.next_update = NOW + 1,
		.revoked = entries,
		.signer = EVP_EC_gen("P-256")};

	assert_true(forge_revocation_list_write(&list, ret));
	EVP_PKEY_free(list.signer);
}

static void write_entry(const char *hex, struct buf *ret)
{
	size_t n = strlen(hex) / 2;
	struct buf entry = {0};
	uint8_t *room = buf_reserve(&entry, n);

	assert_true(room != NULL && hex_decode(hex, 2 * n, room, n));
	buf_added(&entry, n);
	der_wrap(&entry, 0, DER_SEQUENCE);
	write_list(cur_of(entry.p, entry.len), ret);
	buf_done(&entry);
}

static bool reads(const struct buf *der)
{
	struct outcome o = {0};
	struct crl c = {0};
	bool read = crl_parse(cur_of(der->p, der->len), &c, &o);

	assert_int_equal(o.status, read ? CHECK_UNKNOWN : CHECK_FAIL);
	crl_done(&c);
	return read;
}

static void entries_have_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf der = {0};

		write_entry(rows[i].entry, &der);
		if (reads(&der) != rows[i].read)
			fail_msg("%s: %s", rows[i].what, rows[i].read ? "refused" : "read");
		buf_done(&der);
	}
}

static bool lists(const char *entry, long serial)
{
	struct buf der = {0};
	struct outcome o = {0};
	struct crl list = {0};
	struct cert c = {.serial = ASN1_INTEGER_new()};
	bool listed;

	write_entry(entry, &der);
	assert_true(crl_parse(cur_of(der.p, der.len), &list, &o));
	assert_int_equal(ASN1_INTEGER_set(c.serial, serial), 1);
	listed = crl_lists(&list, &c);
	crl_done(&list);
	cert_done(&c);
	buf_done(&der);
	return listed;
}

/* removeFromCRL is for deltas: in a complete list it takes nothing back. */
static void what_is_listed_is_revoked(void **state)
{
	(void)state;
	assert_true(lists(SERIAL DATE, 5));
	assert_true(lists(SERIAL DATE REASON, 5));
	assert_true(lists(SERIAL DATE REMOVED, 5));
	assert_false(lists(SERIAL DATE, 6));
}

/* The algorithm stands in it twice, once where it is signed: both must say the same. */
static void a_list_counts_only_for_its_algorithm(void **state)
{
	static const uint8_t sha256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
	struct buf der = {0};
	uint8_t *inner, *outer;

	(void)state;
	write_entry(SERIAL DATE, &der);
	inner = memmem(der.p, der.len, sha256, sizeof(sha256));
	assert_non_null(inner);
	outer = memmem(inner + 1, der.len - (size_t)(inner + 1 - der.p), sha256, sizeof(sha256));
	assert_non_null(outer);
	assert_true(reads(&der));
	inner[sizeof(sha256) - 1] = 0x03; /* SHA-384 */
	assert_false(reads(&der));
	outer[sizeof(sha256) - 1] = 0x03;
	assert_false(reads(&der));
	inner[sizeof(sha256) - 1] = 0x02;
	assert_false(reads(&der));
	buf_done(&der);
}

static void a_list_may_be_longer_than_64_kib(void **state)
{
	struct buf entries = {0}, der = {0};
	uint8_t serial[20] = {1};

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		memcpy(serial + 1, &i, sizeof(i));
		forge_revoked_put(&entries, cur_of(serial, sizeof(serial)), NOW);
	}
	write_list(cur_of(entries.p, entries.len), &der);
	assert_true(der.len > 0xffff);
	assert_true(reads(&der));
	buf_done(&entries);
	buf_done(&der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_have_one_form),
		cmocka_unit_test(what_is_listed_is_revoked),
		cmocka_unit_test(a_list_counts_only_for_its_algorithm),
		cmocka_unit_test(a_list_may_be_longer_than_64_kib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
