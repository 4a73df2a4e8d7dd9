/* SPDX-License-Identifier: Apache-2.0
 *
 * A channel against OpenSSL used directly, which may do what a channel never would: TLS 1.2, other
 * protocols, tickets, key updates and renegotiation, a few or a flood of them.
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

#include "side.h"

#define FLOOD      12000 /* small answers to so many requests are more than CHANNEL_PENDING_MAX */
#define FLOOD_ROOM ((size_t)512 << 10) /* CHANNEL_PENDING_MAX and a growing buffer's slack */

static struct identity *id;

/* ---- what OpenSSL holds -------------------------------------------------------------------------- */

static size_t held;

static void *count_malloc(size_t n, const char *file, int line)
{
	void *p = malloc(n);

	(void)file, (void)line;
	held += malloc_usable_size(p);
	return p;
}

static void count_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	held -= malloc_usable_size(p);
	free(p);
}

static void *count_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	held -= malloc_usable_size(p);
	p = realloc(p, n);
	held += malloc_usable_size(p);
	return p;
}

static int make_identity(void **state)
{
	(void)state;
	id = side_identity(5000);
	return 0;
}

static int free_identity(void **state)
{
	(void)state;
	identity_free(id);
	return 0;
}

/* ---- pairs --------------------------------------------------------------------------------------- */

struct pair {
	struct side ours, theirs;
	SSL_CTX *ctx;
};

static enum channel_role other(enum channel_role role)
{
	return role == CHANNEL_SERVER ? CHANNEL_CLIENT : CHANNEL_SERVER;
}

/* ours is the role of the channel. */
static void pair_make(struct pair *p, enum channel_role ours, int version)
{
	side_channel(&p->ours, ours, id, "db.example.org");
	p->ctx = side_ssl_context(other(ours), id, version);
	side_ssl(&p->theirs, p->ctx, other(ours));
}

static void pair_shaken(struct pair *p, enum channel_role ours, int version)
{
	pair_make(p, ours, version);
	side_shake(&p->theirs, &p->ours);
	assert_int_equal(p->ours.status, CHANNEL_OK);
	assert_int_equal(p->theirs.status, CHANNEL_OK);
}

static void pair_done(struct pair *p)
{
	side_done(&p->ours);
	side_done(&p->theirs);
	SSL_CTX_free(p->ctx);
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

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
static const enum channel_role roles[] = {CHANNEL_SERVER, CHANNEL_CLIENT};

/* ---- agreement ----------------------------------------------------------------------------------- */

static void tls_12_and_13_are_spoken_in_both_roles(void **state)
{
	static uint8_t text[70000];
	struct channel_info info;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct buf leaf = {0};
		struct pair p;

		pair_shaken(&p, roles[i / 2], versions[i % 2]);
		channel_info(p.ours.channel, &info);
		assert_string_equal(info.version, i % 2 ? "TLSv1.3" : "TLSv1.2");
		assert_string_equal(info.cipher, SSL_get_cipher_name(p.theirs.ssl));
		assert_int_equal(channel_peer_certificate(p.ours.channel, &leaf, NULL), RATLS_OK);
		assert_carries(&p.theirs, &p.ours, "hello", 5);
		assert_carries(&p.ours, &p.theirs, text, sizeof(text));
		assert_false(channel_has_pending(p.ours.channel));
		buf_done(&leaf);
		pair_done(&p);
	}
}

static void older_versions_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct pair p;

		pair_make(&p, roles[i], TLS1_2_VERSION);
		SSL_set_security_level(p.theirs.ssl, 0);
		SSL_set_min_proto_version(p.theirs.ssl, TLS1_VERSION);
		SSL_set_max_proto_version(p.theirs.ssl, TLS1_1_VERSION);
		side_shake(&p.theirs, &p.ours);
		assert_int_equal(p.ours.status, CHANNEL_FAILED);
		assert_int_not_equal(p.theirs.status, CHANNEL_OK);
		pair_done(&p);
	}
}

static void only_postgresql_is_spoken(void **state)
{
	static const struct {
		const char *offer; /* as on the wire */
		unsigned n;
		const char *agreed; /* NULL: refused */
	} rows[] = {
		{"", 0, ""},
		{"\x0apostgresql", 11, "postgresql"},
		{"\x02h2\x0apostgresql", 14, "postgresql"},
		{"\x02h2", 3, NULL},
		{"\x08http/1.1\x02h2", 12, NULL},
		{"\x09postgresq", 10, NULL},
		{"\x0bpostgresqlx", 12, NULL},
	};
	struct channel_info info;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) * 2; i++) {
		struct pair p;
		unsigned row = (unsigned)i / 2;

		pair_make(&p, CHANNEL_SERVER, versions[i % 2]);
		if (rows[row].n > 0)
			SSL_set_alpn_protos(p.theirs.ssl, (const uint8_t *)rows[row].offer, rows[row].n);
		side_shake(&p.theirs, &p.ours);
		assert_int_equal(p.ours.status, rows[row].agreed != NULL ? CHANNEL_OK : CHANNEL_FAILED);
		assert_int_equal(p.theirs.status, p.ours.status);
		channel_info(p.ours.channel, &info);
		assert_string_equal(info.alpn, rows[row].agreed != NULL ? rows[row].agreed : "");
		if (rows[row].agreed == NULL) /* the alert went out although the handshake failed */
			assert_non_null(strstr(p.theirs.err.message, "no application protocol"));
		pair_done(&p);
	}
}

static void a_name_is_sent_and_an_address_is_not(void **state)
{
	static const struct {
		const char *target, *sent;
	} rows[] = {{"db.example.org", "db.example.org"}, {"127.0.0.1", NULL}, {"::1", NULL}, {NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair p;
		const char *got;

		p.ctx = side_ssl_context(CHANNEL_SERVER, id, TLS1_3_VERSION);
		side_ssl(&p.theirs, p.ctx, CHANNEL_SERVER);
		side_channel(&p.ours, CHANNEL_CLIENT, id, rows[i].target);
		side_shake(&p.ours, &p.theirs);
		assert_int_equal(p.theirs.status, CHANNEL_OK);
		got = SSL_get_servername(p.theirs.ssl, TLSEXT_NAMETYPE_host_name);
		if (rows[i].sent == NULL)
			assert_null(got);
		else
			assert_string_equal(got, rows[i].sent);
		pair_done(&p);
	}
}

/* ---- no resumption ------------------------------------------------------------------------------- */

static unsigned n_tickets;

static int count_ticket(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl, (void)session;
	n_tickets++;
	return 0;
}

static void no_ticket_is_ever_sent(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct buf got = {0};
		struct pair p;

		n_tickets = 0;
		pair_make(&p, CHANNEL_SERVER, versions[i]);
		SSL_CTX_set_session_cache_mode(p.ctx, SSL_SESS_CACHE_CLIENT);
		SSL_CTX_sess_set_new_cb(p.ctx, count_ticket);
		SSL_set_verify(p.theirs.ssl, SSL_VERIFY_NONE, NULL);
		side_shake(&p.theirs, &p.ours);
		assert_int_equal(p.theirs.status, CHANNEL_OK);
		assert_int_equal(side_unread(&p.theirs).left, 0);
		assert_carries(&p.theirs, &p.ours, "query", 5);
		/* Nothing but what was asked to be written. */
		assert_int_equal(side_unread(&p.theirs).left, 0);
		assert_carries(&p.ours, &p.theirs, "row", 3);
		assert_int_equal(n_tickets, 0);
		assert_false(SSL_SESSION_has_ticket(SSL_get_session(p.theirs.ssl)));
		buf_done(&got);
		pair_done(&p);
	}
}

static void a_session_is_not_resumed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		SSL_SESSION *session;
		struct pair p, again;

		pair_shaken(&p, CHANNEL_SERVER, versions[i]);
		session = SSL_get1_session(p.theirs.ssl);
		pair_make(&again, CHANNEL_SERVER, versions[i]);
		SSL_set_session(again.theirs.ssl, session); /* fails where it cannot be resumed: as good */
		side_shake(&again.theirs, &again.ours);
		assert_int_equal(again.ours.status, CHANNEL_OK);
		assert_false(SSL_session_reused(again.theirs.ssl));
		SSL_SESSION_free(session);
		pair_done(&p);
		pair_done(&again);
	}
}

/* ---- after the handshake ------------------------------------------------------------------------- */

static unsigned n_key_updates;

static void count_key_updates(
	int sending, int version, int type, const void *p, size_t len, SSL *ssl, void *arg)
{
	(void)version, (void)ssl, (void)arg;
	if (!sending && type == SSL3_RT_HANDSHAKE && len > 0 && *(const uint8_t *)p == SSL3_MT_KEY_UPDATE)
		n_key_updates++;
}

static void update_keys(struct pair *p)
{
	assert_int_equal(SSL_key_update(p->theirs.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	p->theirs.status = CHANNEL_WANT_READ;
	side_turn(&p->theirs, &p->ours);
	assert_int_equal(p->theirs.status, CHANNEL_OK);
}

static void a_key_update_is_answered_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct pair p;

		n_key_updates = 0;
		pair_shaken(&p, roles[i], TLS1_3_VERSION);
		SSL_set_msg_callback(p.theirs.ssl, count_key_updates);
		update_keys(&p);
		assert_carries(&p.theirs, &p.ours, "under the new key", 17);
		assert_carries(&p.ours, &p.theirs, "so am I", 7);
		assert_int_equal(n_key_updates, 1);
		assert_carries(&p.ours, &p.theirs, "once", 4);
		assert_int_equal(n_key_updates, 1);
		pair_done(&p);
	}
}

static void ask_for_key_update(struct pair *p)
{
	update_keys(p);
}

static void send_ticket(struct pair *p)
{
	assert_int_equal(SSL_new_session_ticket(p->theirs.ssl), 1);
	p->theirs.status = CHANNEL_WANT_READ;
	side_turn(&p->theirs, &p->ours);
}

static void ask_for_renegotiation(struct pair *p)
{
	assert_int_equal(SSL_renegotiate(p->theirs.ssl), 1);
	p->theirs.status = CHANNEL_WANT_READ;
	side_turn(&p->theirs, &p->ours);
	/* Its own question is forgotten, so that it can be asked anew. */
	side_drop_unread(&p->theirs);
}

/* Keeps asking while what the channel answers, and writes, finds no room at all. */
static void flood(enum channel_role ours, int version, void (*ask)(struct pair *))
{
	struct channel_out none = {NULL, 0, 0};
	enum channel_status status = CHANNEL_WANT_READ;
	struct pair p;
	size_t before, most = 0;

	pair_shaken(&p, ours, version);
	before = held;
	for (unsigned i = 0; i < FLOOD && status == CHANNEL_WANT_READ; i++) {
		struct cur in;
		uint8_t plain[64];
		size_t n;

		ask(&p);
		in = side_unread(&p.ours);
		status = channel_read(p.ours.channel, &in, NULL, plain, sizeof(plain), &n, NULL);
		side_drop_unread(&p.ours);
		if (status == CHANNEL_WANT_READ &&
			channel_write(p.ours.channel, plain, 1, &none, NULL) != CHANNEL_OK)
			status = CHANNEL_FAILED;
		most = held > before && held - before > most ? held - before : most;
	}
	/* Each answer was kept, there being no room: a bound must have been met. */
	assert_int_equal(status, CHANNEL_FAILED);
	assert_true(most < FLOOD_ROOM);
	pair_done(&p);
}

static void a_flood_of_requests_meets_a_bound(void **state)
{
	(void)state;
	flood(CHANNEL_SERVER, TLS1_3_VERSION, ask_for_key_update);
	flood(CHANNEL_CLIENT, TLS1_3_VERSION, ask_for_key_update);
	flood(CHANNEL_CLIENT, TLS1_3_VERSION, send_ticket);
	flood(CHANNEL_CLIENT, TLS1_2_VERSION, ask_for_renegotiation);
}

/* A channel whose answers are taken from it is asked over and over: it neither grows nor fails. */
static void reading_a_flood_costs_no_memory(void **state)
{
	static const struct {
		enum channel_role ours;
		void (*ask)(struct pair *);
	} rows[] = {{CHANNEL_SERVER, ask_for_key_update}, {CHANNEL_CLIENT, ask_for_key_update},
		{CHANNEL_CLIENT, send_ticket}};

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		struct buf got = {0};
		struct pair p;
		size_t after_first = 0;

		pair_shaken(&p, rows[row].ours, TLS1_3_VERSION);
		for (unsigned i = 0; i < FLOOD / 4; i++) {
			rows[row].ask(&p);
			assert_int_equal(side_hear(&p.ours, &p.theirs, &got), CHANNEL_WANT_READ);
			side_drop_unread(&p.theirs); /* it does not read the answers */
			if (i == 100)
				after_first = held;
		}
		assert_true(held < after_first + 16384);
		assert_carries(&p.theirs, &p.ours, "and a query", 11);
		assert_int_equal(got.len, 0);
		pair_done(&p);
	}
}

static void renegotiation_is_declined(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct buf got = {0};
		struct pair p;

		pair_shaken(&p, roles[i], TLS1_2_VERSION);
		assert_int_equal(SSL_renegotiate(p.theirs.ssl), 1);
		p.theirs.status = CHANNEL_WANT_READ;
		side_turn(&p.theirs, &p.ours);
		(void)side_hear(&p.ours, &p.theirs, &got);
		assert_int_not_equal(side_hear(&p.theirs, &p.ours, &got), CHANNEL_OK);
		assert_non_null(strstr(p.theirs.err.message, "no renegotiation"));
		assert_int_equal(got.len, 0);
		pair_done(&p);
	}
}

/* ---- memory -------------------------------------------------------------------------------------- */

static void a_forgotten_certificate_is_freed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct pair p;
		size_t before;

		pair_shaken(&p, roles[i / 2], versions[i % 2]);
		before = held;
		channel_forget_peer(p.ours.channel);
		if (before - held < 5000 || held > before)
			fail_msg("role %d, version %x: %zd bytes were freed", roles[i / 2], versions[i % 2],
				(ssize_t)(before - held));
		pair_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_12_and_13_are_spoken_in_both_roles),
		cmocka_unit_test(older_versions_are_refused),
		cmocka_unit_test(only_postgresql_is_spoken),
		cmocka_unit_test(a_name_is_sent_and_an_address_is_not),
		cmocka_unit_test(no_ticket_is_ever_sent),
		cmocka_unit_test(a_session_is_not_resumed),
		cmocka_unit_test(a_key_update_is_answered_once),
		cmocka_unit_test(a_flood_of_requests_meets_a_bound),
		cmocka_unit_test(reading_a_flood_costs_no_memory),
		cmocka_unit_test(renegotiation_is_declined),
		cmocka_unit_test(a_forgotten_certificate_is_freed),
	};

	if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, make_identity, free_identity);
}
