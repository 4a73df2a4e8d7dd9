/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "cli/dsn.h"

/* What is expected of a connection string: hosts as "host:port,...", and some keywords. */
static const struct {
	const char *text, *hosts, *user, *password, *dbname, *sslmode;
} good[] = {
	{"postgresql://db.example.org", "db.example.org:5433", NULL, NULL, NULL, NULL},
	{"postgres://u:p@db:6000/app?sslmode=disable", "db:6000", "u", "p", "app", "disable"},
	{"postgresql://u%40x:p%2Fq%3A@[::1]:6000/a%20b", "[::1]:6000", "u@x", "p/q:", "a b", NULL},
	{"postgresql://u@a:1,b,[fe80::2]:3/app", "a:1,b:5433,[fe80::2]:3", "u", NULL, "app", NULL},
	{"postgresql:///app?host=db&port=7000", "db:7000", NULL, NULL, "app", NULL},
	{"postgresql://u:p@x@db/", "db:5433", "u", "p@x", NULL, NULL},
	{"host=db user=u", "db:5433", "u", NULL, NULL, NULL},
	{"host=a,b port=1 dbname='my db' password='it\\'s' ", "a:1,b:1", NULL, "it's", "my db", NULL},
	{" host = a , port\n", NULL, NULL, NULL, NULL, NULL},
	{"host=a,b,c port=1,,3 sslmode=require", "a:1,b:5433,c:3", NULL, NULL, NULL, "require"},
	{"hostaddr=127.0.0.1 port=1", "127.0.0.1:1", NULL, NULL, NULL, NULL},
	{"host=a password=one\\ word", "a:5433", NULL, "one word", NULL, NULL},
};

static void assert_text(const char *actual, const char *expected)
{
	if (expected == NULL)
		assert_null(actual);
	else
		assert_string_equal(actual, expected);
}

static char *hosts_of(const struct dsn *d)
{
	struct dsn_host hosts[DSN_HOSTS_MAX];
	struct buf out = {0};
	size_t n;

	assert_int_equal(dsn_hosts(d, 5433, hosts, &n, NULL), RATLS_OK);
	for (size_t i = 0; i < n; i++) {
		buf_str(&out, i > 0 ? "," : "");
		dsn_host_format(&hosts[i], &out);
	}
	return buf_take_str(&out);
}

static void connection_strings_are_read_as_libpq_reads_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct dsn *d = NULL;
		char *hosts;

		if (good[i].hosts == NULL) {
			assert_int_equal(dsn_parse(good[i].text, &d, NULL), RATLS_E_ARG);
			continue;
		}
		assert_int_equal(dsn_parse(good[i].text, &d, NULL), RATLS_OK);
		hosts = hosts_of(d);
		assert_string_equal(hosts, good[i].hosts);
		assert_text(dsn_get(d, "user"), good[i].user);
		assert_text(dsn_get(d, "password"), good[i].password);
		assert_text(dsn_get(d, "dbname"), good[i].dbname);
		assert_text(dsn_get(d, "sslmode"), good[i].sslmode);
		free(hosts);
		dsn_free(d);
	}
}

static void bad_ones_are_refused_without_being_quoted(void **state)
{
	static const char *const bad[] = {
		"postgresql://u:secret@[::1/app",
		"postgresql://u:secret@[::1]x/app",
		"postgresql://u:secret%zz@db",
		"postgresql://u:secret%00@db",
		"postgresql://u:secret@db?novalue",
		"postgresql://u:secret@db?=x",
		"host=db password='secret",
		"host=db password = secret =x",
		"=secret",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ratls_error err = {0};
		struct dsn *d = NULL;

		assert_int_equal(dsn_parse(bad[i], &d, &err), RATLS_E_ARG);
		assert_int_equal(err.reason, REASON_TARGET);
		assert_null(strstr(err.message, "secret"));
		assert_null(d);
	}
}

static void hosts_and_ports_must_fit(void **state)
{
	static const char *const bad[] = {"user=u", "host=a,b port=1,2,3", "host=a port=0",
		"host=a port=65536", "host=a port=x", "host=a,,b",
		"host=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dsn_host hosts[DSN_HOSTS_MAX];
		struct dsn *d;
		size_t n = 99;

		assert_int_equal(dsn_parse(bad[i], &d, NULL), RATLS_OK);
		assert_int_equal(dsn_hosts(d, 5433, hosts, &n, NULL), RATLS_E_ARG);
		assert_int_equal(n, 99);
		dsn_free(d);
	}
}

static void a_uri_of_it_reads_back_the_same(void **state)
{
	static const char *const texts[] = {
		"host=db port=1 user='u@x' password='S3/:%' dbname='a b' sslmode=disable",
		"host=a,b port=1,2 user=u", "host=/tmp/x port=15432 dbname=d", "host=::1", "dbname=d"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		static const char *const keywords[] = {
			"host", "port", "user", "password", "dbname", "sslmode"};
		struct dsn *d, *again;
		struct buf uri = {0};
		char *text;

		assert_int_equal(dsn_parse(texts[i], &d, NULL), RATLS_OK);
		dsn_append_uri(d, true, &uri);
		text = buf_take_str(&uri);
		assert_int_equal(dsn_parse(text, &again, NULL), RATLS_OK);
		for (size_t k = 0; k < sizeof(keywords) / sizeof(keywords[0]); k++)
			assert_text(dsn_get(again, keywords[k]), dsn_get(d, keywords[k]));
		free(text);
		dsn_append_uri(d, false, &uri);
		text = buf_take_str(&uri);
		assert_null(strstr(text, "S3%2F"));
		free(text);
		dsn_free(again);
		dsn_free(d);
	}
}

static void a_host_may_have_a_port(void **state)
{
	static const struct {
		const char *text, *shown;
	} hosts[] = {
		{"db", "db:5433"},
		{"db:1", "db:1"},
		{"127.0.0.1:65535", "127.0.0.1:65535"},
		{"[::1]", "[::1]:5433"},
		{"[::1]:1", "[::1]:1"},
		{"fe80::1", "[fe80::1]:5433"},
		{"db:", NULL},
		{":1", NULL},
		{"", NULL},
		{"[::1", NULL},
		{"[::1]1", NULL},
		{"db:65536", NULL},
		{"db:99999999999999999999", NULL},
		{"db:1x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct dsn_host h;
		struct buf out = {0};
		char *text;

		if (hosts[i].shown == NULL) {
			assert_int_equal(dsn_host_parse(hosts[i].text, 5433, &h, NULL), RATLS_E_ARG);
			continue;
		}
		assert_int_equal(dsn_host_parse(hosts[i].text, 5433, &h, NULL), RATLS_OK);
		dsn_host_format(&h, &out);
		text = buf_take_str(&out);
		assert_string_equal(text, hosts[i].shown);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_strings_are_read_as_libpq_reads_them),
		cmocka_unit_test(bad_ones_are_refused_without_being_quoted),
		cmocka_unit_test(hosts_and_ports_must_fit),
		cmocka_unit_test(a_uri_of_it_reads_back_the_same),
		cmocka_unit_test(a_host_may_have_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
