/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "pg/first.h"
#include "pg/message.h"

/* ---- StartupMessage ------------------------------------------------------------------------------ */

struct startup_row {
	const char *what;
	const char *params; /* behind length and version; the literal's own NUL is the terminator */
	size_t n;
	const char *user, *database, *replication; /* user NULL: refused */
};

#define PARAMS(text) (text), sizeof(text)
#define BARE(text)   (text), sizeof(text) - 1

static const struct startup_row startups[] = {
	{"user alone", PARAMS("user\0alice\0"), "alice", "alice", ""},
	{"user and database", PARAMS("user\0alice\0database\0shop\0"), "alice", "shop", ""},
	{"any order, others between",
		PARAMS("database\0shop\0options\0-c x=y\0user\0bob\0application_name\0\0"), "bob", "shop",
		""},
	{"empty database", PARAMS("user\0alice\0database\0\0"), "alice", "alice", ""},
	{"replication", PARAMS("user\0rep\0replication\0database\0"), "rep", "rep", "database"},
	{"others twice are the server's business", PARAMS("user\0a\0options\0x\0options\0y\0"), "a", "a", ""},
	{"names are case sensitive", PARAMS("user\0a\0USER\0b\0"), "a", "a", ""},
	{"bytes above 127", PARAMS("user\0\xc3\xa9\xff\0"), "\xc3\xa9\xff", "\xc3\xa9\xff", ""},

	{"nothing", BARE(""), NULL, NULL, NULL},
	{"no parameter", PARAMS(""), NULL, NULL, NULL},
	{"no user", PARAMS("database\0shop\0"), NULL, NULL, NULL},
	{"empty user", PARAMS("user\0\0"), NULL, NULL, NULL},
	{"no terminator", BARE("user\0alice\0"), NULL, NULL, NULL},
	{"value without end", BARE("user\0alice"), NULL, NULL, NULL},
	{"name without value", BARE("user\0alice\0database\0"), NULL, NULL, NULL},
	{"name without value before the terminator", PARAMS("user\0alice\0database"), NULL, NULL, NULL},
	{"bytes behind the terminator", PARAMS("user\0alice\0\0user\0bob\0"), NULL, NULL, NULL},
	{"user twice", PARAMS("user\0alice\0user\0bob\0"), NULL, NULL, NULL},
	{"the same user twice", PARAMS("user\0alice\0user\0alice\0"), NULL, NULL, NULL},
	{"user twice, first empty", PARAMS("user\0\0user\0bob\0"), NULL, NULL, NULL},
	{"database twice", PARAMS("user\0a\0database\0x\0database\0y\0"), NULL, NULL, NULL},
	{"database twice, first empty", PARAMS("user\0a\0database\0\0database\0y\0"), NULL, NULL, NULL},
	{"replication twice", PARAMS("user\0a\0replication\0true\0replication\0\0"), NULL, NULL, NULL},
};

/* A whole packet in memory of its very size. */
static uint8_t *packet_of(const struct startup_row *r, size_t *ret_len)
{
	size_t len = 8 + r->n;
	uint8_t *p = malloc(len);
	const uint8_t head[] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, 3, 0, 0};

	assert_non_null(p);
	memcpy(p, head, sizeof(head));
	memcpy(p + 8, r->params, r->n);
	*ret_len = len;
	return p;
}

static void startup_packets_are_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(startups) / sizeof(startups[0]); i++) {
		const struct startup_row *r = &startups[i];
		struct pg_startup got = {.user = cur_of("untouched", 9)};
		size_t len;
		uint8_t *packet = packet_of(r, &len);
		bool fine = pg_startup_parse(cur_of(packet, len), &got);

		if (fine != (r->user != NULL))
			fail_msg("%s: %s", r->what, fine ? "was accepted" : "was refused");
		else if (r->user == NULL)
			assert_true(cur_is_str(&got.user, "untouched"));
		else if (!cur_is_str(&got.user, r->user) || !cur_is_str(&got.database, r->database) ||
			 !cur_is_str(&got.replication, r->replication))
			fail_msg("%s: other values", r->what);
		free(packet);
	}
}

static void every_truncation_of_a_startup_packet_is_refused(void **state)
{
	static const struct startup_row row = {"", PARAMS("user\0alice\0database\0shop\0"), NULL, NULL, NULL};
	struct pg_startup got;
	size_t len;
	uint8_t *packet = packet_of(&row, &len);

	(void)state;
	assert_true(pg_startup_parse(cur_of(packet, len), &got));
	for (size_t n = 0; n < len; n++) {
		uint8_t *piece = malloc(n + 1);

		memcpy(piece + 1, packet, n);
		assert_false(pg_startup_parse(cur_of(piece + 1, n), &got));
		free(piece);
	}
	free(packet);
}

static void the_longest_startup_packet_is_read(void **state)
{
	static uint8_t packet[PG_STARTUP_MAX] = "\0\0\x27\x10\0\x03\0\0user\0";
	struct pg_startup got;
	size_t len;

	(void)state;
	memset(packet + 13, 'u', sizeof(packet) - 15);
	assert_int_equal(pg_first_look(cur_of(packet, sizeof(packet)), &len), PG_FIRST_STARTUP);
	assert_true(pg_startup_parse(cur_of(packet, len), &got));
	assert_int_equal(got.user.left, PG_STARTUP_MAX - 15);
}

/* ---- ErrorResponse ------------------------------------------------------------------------------- */

static void assert_error_bytes(const struct pg_error *e, const char *expect, size_t len)
{
	struct buf b = {0};

	pg_error_append(&b, e);
	assert_false(b.bad);
	assert_int_equal(b.len, len);
	assert_memory_equal(b.p, expect, len);
	buf_done(&b);
}

static void an_error_response_is_fatal_and_exact(void **state)
{
	static const char least[] = "E\0\0\0\x22SFATAL\0VFATAL\0C28000\0Mno TLS\0";
	static const char most[] = "E\0\0\0\x31SFATAL\0VFATAL\0C08004\0Mrefused\0Dmrtd\0Hpin it\0";

	(void)state;
	assert_error_bytes(
		&(struct pg_error){PG_SQLSTATE_AUTHORIZATION, "no TLS", NULL, NULL}, least, sizeof(least));
	assert_error_bytes(&(struct pg_error){PG_SQLSTATE_REFUSED_BY_POLICY, "refused", "mrtd", "pin it"},
		most, sizeof(most));
}

static void an_error_response_is_appended_and_its_length_counts_itself(void **state)
{
	struct buf b = {0};
	struct cur in, before;
	char *message = malloc(5000);
	uint32_t length;

	(void)state;
	memset(message, 'x', 4999);
	message[4999] = '\0';
	buf_str(&b, "before");
	pg_error_append(&b, &(struct pg_error){PG_SQLSTATE_PROTOCOL, message, NULL, NULL});
	in = cur_of(b.p, b.len);
	before = cur_take(&in, 6);
	assert_true(cur_is_str(&before, "before"));
	assert_int_equal(cur_u8(&in), 'E');
	length = cur_u32be(&in);
	assert_int_equal(in.left + 4, length);
	free(message);
	buf_done(&b);
}

static void a_bad_buffer_stays_bad(void **state)
{
	struct buf b = {.bad = true};

	(void)state;
	pg_error_append(&b, &(struct pg_error){PG_SQLSTATE_PROTOCOL, "x", NULL, NULL});
	assert_true(b.bad);
	assert_int_equal(b.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(startup_packets_are_read_or_refused),
		cmocka_unit_test(every_truncation_of_a_startup_packet_is_refused),
		cmocka_unit_test(the_longest_startup_packet_is_read),
		cmocka_unit_test(an_error_response_is_fatal_and_exact),
		cmocka_unit_test(an_error_response_is_appended_and_its_length_counts_itself),
		cmocka_unit_test(a_bad_buffer_stays_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
