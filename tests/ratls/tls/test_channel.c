/* SPDX-License-Identifier: Apache-2.0
 *
 * Two channels against each other. What an independent peer sees is in test_channel_peer.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "side.h"

#define KIB ((size_t)1 << 10)

static struct identity *small_id, *large_id, *huge_id, *beyond_id;

static int make_identities(void **state)
{
	(void)state;
	small_id = side_identity(0);
	large_id = side_identity(70 * KIB);
	huge_id = side_identity(CHANNEL_PENDING_MAX - 8 * KIB);
	beyond_id = side_identity(CHANNEL_PENDING_MAX + KIB);
	return 0;
}

static int free_identities(void **state)
{
	(void)state;
	identity_free(small_id);
	identity_free(large_id);
	identity_free(huge_id);
	identity_free(beyond_id);
	return 0;
}

/* A client and a server that have shaken hands. */
struct pair {
	struct side client, server;
};

static void pair_make(struct pair *p, struct identity *client, struct identity *server)
{
	side_channel(&p->client, CHANNEL_CLIENT, client, NULL);
	side_channel(&p->server, CHANNEL_SERVER, server, NULL);
}

static void pair_shaken(struct pair *p)
{
	pair_make(p, small_id, small_id);
	side_shake(&p->client, &p->server);
	assert_int_equal(p->client.status, CHANNEL_OK);
	assert_int_equal(p->server.status, CHANNEL_OK);
}

static void pair_done(struct pair *p)
{
	side_done(&p->client);
	side_done(&p->server);
}

static void assert_peer_is(struct side *s, struct identity *id)
{
	struct buf expect = {0}, got = {0};

	side_leaf(id, &expect);
	assert_int_equal(channel_peer_certificate(s->channel, &got, NULL), RATLS_OK);
	assert_int_equal(got.len, expect.len);
	assert_memory_equal(got.p, expect.p, expect.len);
	buf_done(&expect);
	buf_done(&got);
}

static void assert_carries(struct side *from, struct side *to, const void *text, size_t len)
{
	struct buf got = {0};

	side_say(from, to, text, len);
	assert_int_equal(side_hear(to, from, &got), CHANNEL_WANT_READ);
	assert_int_equal(got.len, len);
	assert_memory_equal(got.p, text, len);
	buf_done(&got);
}

/* ---- the handshake ------------------------------------------------------------------------------- */

static void certificates_of_any_size_pass_through_any_room_in_any_fragmentation(void **state)
{
	const struct {
		struct identity *client, *server;
		size_t room, chunk;
	} rows[] = {
		{small_id, small_id, 64 * KIB, 64 * KIB},
		{small_id, small_id, 64 * KIB, 1},
		{small_id, small_id, 1, 64 * KIB},
		{small_id, small_id, 1, 1},
		{large_id, small_id, 100, 64 * KIB},
		{small_id, large_id, 100, 64 * KIB},
		{large_id, large_id, 64 * KIB, 1},
		{large_id, large_id, 100, 1000},
		{huge_id, huge_id, 64 * KIB, 64 * KIB},
		{huge_id, huge_id, 1000, 64 * KIB},
	};
	struct channel_info info;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair p;

		pair_make(&p, rows[i].client, rows[i].server);
		p.client.room = p.server.room = rows[i].room;
		p.client.chunk = p.server.chunk = rows[i].chunk;
		side_shake(&p.client, &p.server);
		if (p.client.status != CHANNEL_OK || p.server.status != CHANNEL_OK)
			fail_msg("row %zu: client \"%s\", server \"%s\"", i, p.client.err.message,
				p.server.err.message);
		assert_false(channel_has_pending(p.client.channel) || channel_has_pending(p.server.channel));
		assert_peer_is(&p.client, rows[i].server);
		assert_peer_is(&p.server, rows[i].client);
		channel_info(p.client.channel, &info);
		assert_string_equal(info.version, "TLSv1.3");
		assert_string_equal(info.alpn, "");
		assert_carries(&p.client, &p.server, "from the client", 15);
		assert_carries(&p.server, &p.client, "from the server", 15);
		pair_done(&p);
	}
}

static void a_certificate_beyond_the_maximum_is_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_make(&p, beyond_id, small_id);
	side_shake(&p.client, &p.server);
	assert_int_equal(p.server.status, CHANNEL_FAILED);
	assert_int_equal(p.server.err.reason, REASON_TLS_HANDSHAKE);
	pair_done(&p);

	pair_make(&p, small_id, beyond_id);
	side_shake(&p.client, &p.server);
	assert_int_equal(p.client.status, CHANNEL_FAILED);
	pair_done(&p);
}

static void a_client_without_certificate_is_let_in_and_told_apart(void **state)
{
	struct ratls_error err = {0};
	struct buf got = {0};
	struct pair p;

	(void)state;
	pair_make(&p, NULL, small_id);
	side_shake(&p.client, &p.server);
	assert_int_equal(p.server.status, CHANNEL_OK);
	assert_int_equal(channel_peer_certificate(p.server.channel, &got, &err), RATLS_E_NO_EVIDENCE);
	assert_int_equal(err.reason, REASON_CLIENT_CERTIFICATE);
	assert_int_equal(got.len, 0);
	pair_done(&p);
}

static void the_presented_chain_is_shown_as_pem(void **state)
{
	static const char head[] = "-----BEGIN CERTIFICATE-----\n";
	struct buf got = {0};
	struct pair p;

	(void)state;
	pair_shaken(&p);
	assert_int_equal(channel_peer_chain_pem(p.client.channel, &got, NULL), RATLS_OK);
	assert_true(got.len > sizeof(head));
	assert_memory_equal(got.p, head, sizeof(head) - 1);
	buf_done(&got);
	pair_done(&p);
}

static void a_session_goes_on_when_the_peers_certificate_is_forgotten(void **state)
{
	struct pair p;

	(void)state;
	pair_shaken(&p);
	channel_forget_peer(p.client.channel);
	channel_forget_peer(p.server.channel);
	channel_forget_peer(p.server.channel);
	assert_carries(&p.client, &p.server, "still", 5);
	assert_carries(&p.server, &p.client, "here", 4);
	pair_done(&p);
}

static void a_server_name_that_does_not_fit_is_refused(void **state)
{
	struct channel_context_options o = {.role = CHANNEL_CLIENT};
	struct channel_context *context;
	struct channel *c = NULL;
	char name[300];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(channel_context_new(&o, &context, NULL), RATLS_OK);
	assert_int_equal(channel_new(context, name, &c, NULL), RATLS_E_ARG);
	assert_null(c);
	channel_context_free(context);
}

/* ---- records ------------------------------------------------------------------------------------- */

static void every_size_is_carried_within_the_promised_room(void **state)
{
	static const size_t sizes[] = {1, 2, 1000, 16383, 16384, 16385, 3 * 16384, 65536, 200000};
	uint8_t *text = malloc(200000);
	struct pair p;

	(void)state;
	for (size_t i = 0; i < 200000; i++)
		text[i] = (uint8_t)(i * 7 + i / 251);
	pair_shaken(&p);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_carries(&p.client, &p.server, text, sizes[i]); /* gives out CHANNEL_SEALED_MAX */
		assert_false(channel_has_pending(p.client.channel));
		assert_carries(&p.server, &p.client, text, sizes[i]);
		assert_false(channel_has_pending(p.server.channel));
	}
	pair_done(&p);
	free(text);
}

static void what_has_no_room_is_kept_in_order_up_to_a_maximum(void **state)
{
	struct channel_out none = {NULL, 0, 0}, out;
	struct buf got = {0};
	uint8_t text[1000], room[333] = {0};
	struct pair p;

	(void)state;
	pair_shaken(&p);
	memset(text, 'a', sizeof(text));
	assert_int_equal(channel_write(p.client.channel, text, sizeof(text), &none, NULL), CHANNEL_OK);
	memset(text, 'b', sizeof(text));
	assert_int_equal(channel_write(p.client.channel, text, sizeof(text), &none, NULL), CHANNEL_OK);
	while (channel_has_pending(p.client.channel)) {
		out = (struct channel_out){room, 0, sizeof(room)};
		channel_flush(p.client.channel, &out);
		buf_bytes(&p.server.in, out.p, out.len);
	}
	assert_int_equal(side_hear(&p.server, &p.client, &got), CHANNEL_WANT_READ);
	assert_int_equal(got.len, 2000);
	assert_int_equal(got.p[999], 'a');
	assert_int_equal(got.p[1000], 'b');
	buf_done(&got);
	for (size_t kept = 0; kept <= CHANNEL_PENDING_MAX; kept += sizeof(text))
		if (channel_write(p.client.channel, text, sizeof(text), &none, NULL) != CHANNEL_OK)
			goto refused;
	fail_msg("more than the maximum was kept");
refused:
	pair_done(&p);
}

static void a_record_cut_anywhere_yields_nothing_until_it_is_whole(void **state)
{
	const char text[] = "select secret from vault";
	struct buf got = {0};
	struct pair p;
	size_t len;

	(void)state;
	pair_shaken(&p);
	side_say(&p.client, &p.server, text, sizeof(text));
	len = side_unread(&p.server).left;
	for (size_t cut = 0; cut < len; cut++) {
		struct buf record = {0};

		buf_bytes(&record, p.server.in.p, p.server.in.len);
		side_drop_unread(&p.server);
		buf_bytes(&p.server.in, record.p, cut);
		assert_int_equal(side_hear(&p.server, &p.client, &got), CHANNEL_WANT_READ);
		assert_int_equal(got.len, 0);
		buf_bytes(&p.server.in, record.p + cut, record.len - cut);
		assert_int_equal(side_hear(&p.server, &p.client, &got), CHANNEL_WANT_READ);
		assert_int_equal(got.len, sizeof(text));
		assert_memory_equal(got.p, text, sizeof(text));
		buf_done(&got);
		buf_done(&record);
		side_say(&p.client, &p.server, text, sizeof(text));
	}
	pair_done(&p);
}

/* ---- resting ------------------------------------------------------------------------------------- */

static size_t held; /* of OpenSSL, in bytes */

static void *count_malloc(size_t size, const char *file, int line)
{
	void *p = malloc(size);

	(void)file;
	(void)line;
	held += malloc_usable_size(p);
	return p;
}

static void count_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	held -= malloc_usable_size(p);
	free(p);
}

static void *count_realloc(void *p, size_t size, const char *file, int line)
{
	void *new;

	(void)file;
	(void)line;
	held -= malloc_usable_size(p);
	new = realloc(p, size);
	held += malloc_usable_size(new);
	return new;
}

static void who_rests_holds_no_record_buffer_and_goes_on(void **state)
{
	size_t before;
	struct pair p;

	(void)state;
	pair_shaken(&p);
	for (int i = 0; i < 3; i++) {
		assert_carries(&p.client, &p.server, "ping", 4);
		assert_carries(&p.server, &p.client, "pong", 4);
		before = held;
		channel_rest(p.client.channel);
		channel_rest(p.server.channel);
		assert_true(before - held > 4 * 16 * KIB);
		channel_rest(p.server.channel);
	}
	pair_done(&p);
}

/* Wherever the record is cut: what has come of it must not go with a buffer. */
static void who_rests_in_a_record_loses_nothing_of_it(void **state)
{
	const char text[] = "select secret from vault";
	struct pair p;
	size_t len = 1;

	(void)state;
	pair_shaken(&p);
	for (size_t cut = 0; cut < len; cut++) {
		struct buf record = {0}, got = {0};

		side_say(&p.client, &p.server, text, sizeof(text));
		len = p.server.in.len;
		buf_bytes(&record, p.server.in.p, len);
		side_drop_unread(&p.server);
		buf_bytes(&p.server.in, record.p, cut);
		assert_int_equal(side_hear(&p.server, &p.client, &got), CHANNEL_WANT_READ);
		channel_rest(p.server.channel);
		buf_bytes(&p.server.in, record.p + cut, len - cut);
		assert_int_equal(side_hear(&p.server, &p.client, &got), CHANNEL_WANT_READ);
		assert_int_equal(got.len, sizeof(text));
		assert_memory_equal(got.p, text, sizeof(text));
		buf_done(&got);
		buf_done(&record);
	}
	assert_true(len > sizeof(text));
	pair_done(&p);
}

static void a_record_altered_anywhere_yields_nothing_ever_again(void **state)
{
	const char text[] = "select 1";
	size_t len = 1;

	(void)state;
	for (size_t at = 0; at < len; at++) {
		struct buf got = {0}, whole = {0};
		struct pair p;

		pair_shaken(&p);
		side_say(&p.client, &p.server, text, sizeof(text));
		len = side_unread(&p.server).left;
		buf_bytes(&whole, p.server.in.p, len);
		p.server.in.p[at] ^= 0x40;
		side_say(&p.client, &p.server, text, sizeof(text)); /* a good one behind it */
		/* A length that was altered upwards waits for bytes that do not come. */
		assert_int_not_equal(side_hear(&p.server, &p.client, &got), CHANNEL_CLOSED);
		assert_int_equal(got.len, 0);
		side_drop_unread(&p.server);
		buf_bytes(&p.server.in, whole.p, whole.len);
		assert_int_not_equal(side_hear(&p.server, &p.client, &got), CHANNEL_OK);
		assert_int_equal(got.len, 0);
		buf_done(&whole);
		pair_done(&p);
	}
}

static void a_handshake_altered_anywhere_never_succeeds(void **state)
{
	size_t len = 1;

	(void)state;
	for (size_t at = 0; at < len; at += 3) {
		struct pair p;

		pair_make(&p, small_id, small_id);
		side_turn(&p.client, &p.server);
		len = side_unread(&p.server).left;
		p.server.in.p[at] ^= 0x10;
		side_shake(&p.client, &p.server);
		assert_false(p.client.status == CHANNEL_OK && p.server.status == CHANNEL_OK);
		pair_done(&p);
	}
}

static void garbage_fails_with_a_reason(void **state)
{
	static const struct {
		uint8_t bytes[16];
	} rows[] = {{"GET / HTTP/1.1\r"}, {"\x16\x03\x01\x00\x0bzyxwvutsrqp"},
		{"\x17\x03\x03\x00\x0bzyxwvutsrqp"}, {"\xff\xff\xff\xff\xff\xff\xff\xff"}, {{0}}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int role = CHANNEL_SERVER; role <= CHANNEL_CLIENT; role++) {
			uint8_t room[1024];
			struct channel_out out = {room, 0, sizeof(room)};
			struct cur in = cur_of(rows[i].bytes, sizeof(rows[i].bytes));
			struct ratls_error err = {0};
			struct side s;

			side_channel(&s, (enum channel_role)role, small_id, NULL);
			assert_int_equal(channel_handshake(s.channel, &in, &out, &err), CHANNEL_FAILED);
			assert_int_equal(err.reason, REASON_TLS_HANDSHAKE);
			side_done(&s);
		}
	}
}

/* ---- the end ------------------------------------------------------------------------------------- */

static void close_notify_is_said_once_and_leaves_the_other_direction_open(void **state)
{
	uint8_t room[256];
	struct channel_out out = {room, 0, sizeof(room)};
	struct buf got = {0};
	struct pair p;
	size_t len;

	(void)state;
	pair_shaken(&p);
	side_say(&p.client, &p.server, "last words", 10);
	channel_close(p.client.channel, &out);
	len = out.len;
	assert_true(len > 0);
	channel_close(p.client.channel, &out);
	assert_int_equal(out.len, len);
	buf_bytes(&p.server.in, room, len);
	assert_int_equal(side_hear(&p.server, &p.client, &got), CHANNEL_CLOSED);
	assert_int_equal(got.len, 10);
	assert_carries(&p.server, &p.client, "an answer", 9);
	buf_done(&got);
	pair_done(&p);
}

static void nothing_is_said_about_the_end_of_what_has_not_begun(void **state)
{
	uint8_t room[256];
	struct channel_out out = {room, 0, sizeof(room)};
	struct side s;

	(void)state;
	side_channel(&s, CHANNEL_SERVER, small_id, NULL);
	channel_close(s.channel, &out);
	assert_int_equal(out.len, 0);
	side_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_of_any_size_pass_through_any_room_in_any_fragmentation),
		cmocka_unit_test(a_certificate_beyond_the_maximum_is_refused),
		cmocka_unit_test(a_client_without_certificate_is_let_in_and_told_apart),
		cmocka_unit_test(the_presented_chain_is_shown_as_pem),
		cmocka_unit_test(a_session_goes_on_when_the_peers_certificate_is_forgotten),
		cmocka_unit_test(a_server_name_that_does_not_fit_is_refused),
		cmocka_unit_test(every_size_is_carried_within_the_promised_room),
		cmocka_unit_test(what_has_no_room_is_kept_in_order_up_to_a_maximum),
		cmocka_unit_test(a_record_cut_anywhere_yields_nothing_until_it_is_whole),
		cmocka_unit_test(who_rests_holds_no_record_buffer_and_goes_on),
		cmocka_unit_test(who_rests_in_a_record_loses_nothing_of_it),
		cmocka_unit_test(a_record_altered_anywhere_yields_nothing_ever_again),
		cmocka_unit_test(a_handshake_altered_anywhere_never_succeeds),
		cmocka_unit_test(garbage_fails_with_a_reason),
		cmocka_unit_test(close_notify_is_said_once_and_leaves_the_other_direction_open),
		cmocka_unit_test(nothing_is_said_about_the_end_of_what_has_not_begun),
	};

	if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, make_identities, free_identities);
}
