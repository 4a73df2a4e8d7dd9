/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may come in, and whose connection it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "relay/service_private.h"

static struct peer_key peer(uint8_t n)
{
	return (struct peer_key){.family = AF_INET, .address.s6_addr = {n}};
}

/* How many may come in one after another, and what the next is told. */
static unsigned enter_all(struct admissions *a, struct peer_key key, enum admission *ret_then)
{
	unsigned n = 0;

	while ((*ret_then = admission_enter(a, &key)) == ADMISSION_GRANTED)
		n++;
	return n;
}

/* Invariant bounded_by_configuration: one address never takes the last place of all others, nor do two. */
static void bounded_by_configuration_setups(void **state)
{
	const struct service_limits limits = {.setups = 12};
	struct admissions *a = admissions_new(&limits, true);
	struct peer_key greedy = peer(1);
	enum admission then;

	(void)state;
	assert_int_equal(enter_all(a, greedy, &then), 6);
	assert_int_equal(then, ADMISSION_FULL_OF_SETUPS);
	assert_int_equal(enter_all(a, peer(2), &then), 3);
	assert_int_equal(enter_all(a, peer(3), &then), 2);
	assert_int_equal(enter_all(a, peer(4), &then), 1);
	assert_int_equal(enter_all(a, peer(5), &then), 0);
	admission_settle(a, &greedy); /* it is a session now */
	assert_int_equal(enter_all(a, peer(5), &then), 1);
	admissions_free(a);
}

/* Drivers of a forwarder are all of one host: there is nobody to be fair to. */
static void one_address_may_have_all_where_all_are_one(void **state)
{
	const struct service_limits limits = {.setups = 12};
	struct admissions *a = admissions_new(&limits, false);
	enum admission then;

	(void)state;
	assert_int_equal(enter_all(a, peer(1), &then), 12);
	assert_int_equal(then, ADMISSION_FULL_OF_SETUPS);
	admissions_free(a);
}

static void sessions_take_no_place_of_setups(void **state)
{
	const struct service_limits limits = {.setups = 2, .connections = 50};
	struct admissions *a = admissions_new(&limits, true);
	struct peer_key key = peer(1);
	enum admission then;

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(admission_enter(a, &key), ADMISSION_GRANTED);
		admission_settle(a, &key);
	}
	assert_int_equal(enter_all(a, key, &then), 0);
	assert_int_equal(then, ADMISSION_FULL);
	admissions_free(a);
}

static void who_leaves_gives_his_place(void **state)
{
	const struct service_limits limits = {.per_peer = 1, .connections = 3, .setups = 100};
	struct admissions *a = admissions_new(&limits, true);
	struct peer_key one = peer(1), local = {0};
	enum admission then;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(enter_all(a, one, &then), 1);
		assert_int_equal(then, ADMISSION_FULL_OF_PEER);
		admission_leave(a, &one, then);
		assert_int_equal(enter_all(a, local, &then), 2); /* Unix sockets are nobody's in particular */
		assert_int_equal(then, ADMISSION_FULL);
		admission_leave(a, &local, then);
		for (int j = 0; j < 3; j++) {
			struct peer_key *key = j == 0 ? &one : &local;

			admission_settle(a, key);
			admission_leave(a, key, ADMISSION_GRANTED);
		}
	}
	admissions_free(a);
}

/* The telling has a bound too. */
static void not_all_are_told(void **state)
{
	const struct service_limits limits = {.connections = 1};
	struct admissions *a = admissions_new(&limits, true);
	struct peer_key key = peer(1);

	(void)state;
	assert_int_equal(admission_enter(a, &key), ADMISSION_GRANTED);
	for (int i = 0; i < ADMISSION_TOLD_MAX; i++)
		assert_int_equal(admission_enter(a, &key), ADMISSION_FULL);
	assert_int_equal(admission_enter(a, &key), ADMISSION_TURNED_AWAY);
	admission_leave(a, &key, ADMISSION_FULL);
	assert_int_equal(admission_enter(a, &key), ADMISSION_FULL);
	admissions_free(a);
}

/* A connection from this address, as the listener sees it. */
static struct peer_key seen_from(int listener, const char *source)
{
	struct sockaddr_in6 there;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
			   from = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), accepted;
	socklen_t len = sizeof(there);
	struct peer_key key;
	char text[80];

	assert_int_equal(getsockname(listener, (struct sockaddr *)&there, &len), 0);
	to.sin_port = there.sin6_port;
	inet_pton(AF_INET, source, &from.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	accepted = accept(listener, NULL, NULL);
	key = listen_peer(accepted, text, sizeof(text));
	close(accepted);
	close(fd);
	return key;
}

/* A socket of both families, as systemd hands it over, shows IPv4 addresses inside of IPv6 ones, all of one /64. */
static void addresses_within_addresses_are_told_apart(void **state)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};
	struct peer_key one, other, again;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), off = 0;

	(void)state;
	if (fd < 0)
		skip();
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		skip();
	assert_int_equal(listen(fd, 4), 0);
	one = seen_from(fd, "127.0.0.1");
	other = seen_from(fd, "127.0.0.2");
	again = seen_from(fd, "127.0.0.1");
	assert_memory_equal(&one, &again, sizeof(one));
	assert_memory_not_equal(&one, &other, sizeof(one));
	assert_int_equal(one.family, AF_INET);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounded_by_configuration_setups),
		cmocka_unit_test(one_address_may_have_all_where_all_are_one),
		cmocka_unit_test(sessions_take_no_place_of_setups),
		cmocka_unit_test(who_leaves_gives_his_place),
		cmocka_unit_test(not_all_are_told),
		cmocka_unit_test(addresses_within_addresses_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
