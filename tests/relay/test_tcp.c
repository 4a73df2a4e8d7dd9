/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "relay/tcp.h"

struct address {
	struct sockaddr_storage a;
	socklen_t len;
};

static struct address address_of(const char *host)
{
	struct address r = {.len = sizeof(struct sockaddr_in6)};
	struct sockaddr_in6 *v6 = (void *)&r.a;
	struct sockaddr_in *v4 = (void *)&r.a;

	r.a.ss_family = AF_INET6;
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1)
		return r;
	r.a.ss_family = AF_INET;
	r.len = sizeof(*v4);
	assert_int_equal(inet_pton(AF_INET, host, &v4->sin_addr), 1);
	return r;
}

static bool has(int fd, int level, int option)
{
	int on = 0;
	socklen_t len = sizeof(on);

	assert_int_equal(getsockopt(fd, level, option, &on, &len), 0);
	return on != 0;
}

static void congestion_of(int fd, char ret[static 16])
{
	socklen_t len = 16;

	memset(ret, 0, 16);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, ret, &len), 0);
}

/* Away from this machine the operator's choice stands. */
static void only_what_stays_here_is_not_paced(void **state)
{
	static const struct {
		const char *host;
		bool here;
	} rows[] = {{"127.0.0.1", true}, {"127.255.3.4", true}, {"::1", true}, {"::ffff:127.0.0.1", true}, {"0.0.0.0", false},
		{"192.0.2.1", false}, {"128.0.0.1", false}, {"::", false}, {"2001:db8::1", false},
		{"::ffff:192.0.2.127", false}};
	char before[16], after[16];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address a = address_of(rows[i].host);
		int fd = socket(a.a.ss_family, SOCK_STREAM, 0);

		assert_true(fd >= 0);
		congestion_of(fd, before);
		tcp_tune(fd, (struct sockaddr *)&a.a);
		congestion_of(fd, after);
		assert_string_equal(after, rows[i].here ? "reno" : before);
		assert_true(has(fd, IPPROTO_TCP, TCP_NODELAY));
		assert_true(has(fd, SOL_SOCKET, SO_KEEPALIVE));
		close(fd);
	}
}

static void what_is_accepted_inherits_all(void **state)
{
	struct address a = address_of("127.0.0.1");
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), accepted;
	char name[16];

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&a.a, a.len), 0);
	assert_int_equal(listen(listener, 1), 0);
	tcp_tune(listener, (struct sockaddr *)&a.a);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a.a, &a.len), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&a.a, a.len), 0);
	accepted = accept(listener, NULL, NULL);
	assert_true(accepted >= 0);
	congestion_of(accepted, name);
	assert_string_equal(name, "reno");
	assert_true(has(accepted, IPPROTO_TCP, TCP_NODELAY));
	assert_true(has(accepted, SOL_SOCKET, SO_KEEPALIVE));
	close(accepted);
	close(client);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_stays_here_is_not_paced),
		cmocka_unit_test(what_is_accepted_inherits_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
