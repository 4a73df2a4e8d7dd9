/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "http_server.h"
#include "source/fetch.h"
#include "source/http.h"

/* What the server answers, by the path that is asked for. */
static void answer(void *self, const struct http_request *r, int fd)
{
	(void)self;
	if (strcmp(r->target, "/echo") == 0) {
		char text[8192];

		snprintf(text, sizeof(text), "%s|%s|%.1000s", r->method, r->headers, r->body);
		http_reply(fd, 200, "X-First:  one two \t\r\nX-FIRST: three\r\nX-Firstborn: no\r\n", text,
			strlen(text));
	} else if (strcmp(r->target, "/status") == 0) {
		http_reply_text(fd, 429, "slow down");
	} else if (strcmp(r->target, "/redirect") == 0) {
		http_reply(fd, 302, "Location: /echo\r\n", "", 0);
	} else if (strcmp(r->target, "/interim") == 0) {
		http_raw(fd, "HTTP/1.1 100 Continue\r\nX-Early: yes\r\n\r\n", 39);
		http_reply_text(fd, 200, "late");
	} else if (strcmp(r->target, "/exact") == 0) {
		http_reply_text(fd, 200, "12345678");
	} else if (strcmp(r->target, "/larger") == 0) {
		http_reply_text(fd, 200, "123456789");
	} else if (strcmp(r->target, "/endless") == 0) {
		/* No length: only the cap ends it. */
		http_raw(fd, "HTTP/1.1 200 OK\r\n\r\n", 19);
		for (int i = 0; i < 100000; i++)
			http_raw(fd, "0123456789", 10);
	} else if (strcmp(r->target, "/headers") == 0) {
		http_raw(fd, "HTTP/1.1 200 OK\r\n", 17);
		for (int i = 0; i < 5000; i++)
			http_raw(fd, "X-Header: 0123456789\r\n", 22);
		http_raw(fd, "\r\n", 2);
	} else if (strcmp(r->target, "/cut") == 0) {
		http_raw(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 42);
	} else if (strcmp(r->target, "/garbage") == 0) {
		http_raw(fd, "220 mail.example.org ESMTP\r\n", 28);
	} else if (strcmp(r->target, "/never") == 0) {
		http_wait_for_close(fd);
	}
}

static struct http_server *server;

static int start(void **state)
{
	(void)state;
	server = http_server_start(NULL, answer, NULL);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_server_stop(server);
	return 0;
}

/* GET path from the server, at most 8 KiB and 10 s. */
static int get(const char *path, struct ratls_http_response *ret, struct ratls_error *err)
{
	char url[256];
	struct ratls_http_request r = {.method = "GET", .url = url, .max_body = 8192, .timeout_ms = 10000};

	snprintf(url, sizeof(url), "%s%s", http_server_url(server), path);
	return fetch_curl(NULL, &r, ret, err);
}

static void a_post_carries_body_and_headers(void **state)
{
	char url[256];
	const char *const headers[] = {"Content-Type: application/json", NULL};
	struct ratls_http_request r = {.method = "POST",
		.url = url,
		.headers = headers,
		.body = "{}",
		.body_len = 2,
		.max_body = 8192,
		.timeout_ms = 10000};
	struct ratls_http_response got = {0};

	(void)state;
	snprintf(url, sizeof(url), "%s/echo", http_server_url(server));
	assert_int_equal(fetch_curl(NULL, &r, &got, NULL), RATLS_OK);
	assert_int_equal(got.status, 200);
	assert_ptr_equal(strstr((char *)got.body, "POST|"), got.body);
	assert_non_null(strstr((char *)got.body, "Content-Type: application/json\r\n"));
	assert_string_equal(strrchr((char *)got.body, '|'), "|{}");
	assert_int_equal(got.body[got.body_len], 0);
	http_response_done(&got);
}

static void headers_are_found_by_name(void **state)
{
	struct ratls_http_response got = {0}, none = {0};
	char *value;

	(void)state;
	assert_int_equal(get("/echo", &got, NULL), RATLS_OK);
	value = http_header(&got, "x-first");
	assert_string_equal(value, "one two");
	free(value);
	assert_null(http_header(&got, "x-firs"));
	assert_null(http_header(&got, "x-second"));
	assert_null(http_header(&none, "x-first"));
	http_response_done(&got);
}

static void every_status_is_an_answer(void **state)
{
	struct ratls_http_response got = {0};

	(void)state;
	assert_int_equal(get("/status", &got, NULL), RATLS_OK);
	assert_int_equal(got.status, 429);
	assert_string_equal(got.body, "slow down");
	http_response_done(&got);
	assert_int_equal(get("/redirect", &got, NULL), RATLS_OK);
	assert_int_equal(got.status, 302);
	assert_int_equal(got.body_len, 0);
	http_response_done(&got);
	assert_int_equal(get("/interim", &got, NULL), RATLS_OK);
	assert_int_equal(got.status, 200);
	assert_string_equal(got.body, "late");
	assert_null(http_header(&got, "X-Early"));
	http_response_done(&got);
}

static void the_body_is_capped(void **state)
{
	char url[256];
	struct ratls_http_request r = {.method = "GET", .url = url, .max_body = 8, .timeout_ms = 10000};
	struct ratls_http_response got = {0};
	struct ratls_error err;

	(void)state;
	snprintf(url, sizeof(url), "%s/exact", http_server_url(server));
	assert_int_equal(fetch_curl(NULL, &r, &got, NULL), RATLS_OK);
	assert_int_equal(got.body_len, 8);
	http_response_done(&got);
	snprintf(url, sizeof(url), "%s/larger", http_server_url(server));
	assert_int_equal(fetch_curl(NULL, &r, &got, &err), RATLS_E_UNAVAILABLE);
	assert_string_equal(err.message, "answer is larger than 8 bytes");
	snprintf(url, sizeof(url), "%s/endless", http_server_url(server));
	assert_int_equal(fetch_curl(NULL, &r, &got, &err), RATLS_E_UNAVAILABLE);
	assert_string_equal(err.message, "answer is larger than 8 bytes");
	assert_null(got.body);
}

static void what_is_no_whole_answer_is_unavailable(void **state)
{
	static const char *const paths[] = {"/headers", "/cut", "/garbage", "/unknown"};
	struct ratls_http_response got = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct ratls_error err = {0};

		assert_int_equal(get(paths[i], &got, &err), RATLS_E_UNAVAILABLE);
		assert_true(err.message[0] != '\0');
		assert_null(got.body);
	}
}

static void a_silent_server_ends_with_the_timeout(void **state)
{
	char url[256];
	struct ratls_http_request r = {.method = "GET", .url = url, .max_body = 8, .timeout_ms = 50};
	struct ratls_http_response got = {0};

	(void)state;
	snprintf(url, sizeof(url), "%s/never", http_server_url(server));
	assert_int_equal(fetch_curl(NULL, &r, &got, NULL), RATLS_E_UNAVAILABLE);
}

static void only_http_is_spoken(void **state)
{
	static const char *const urls[] = {
		"file:///etc/hostname", "ftp://127.0.0.1/", "gopher://127.0.0.1/", ""};
	struct ratls_http_response got = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct ratls_http_request r = {.method = "GET", .url = urls[i], .max_body = 8192};

		assert_int_equal(fetch_curl(NULL, &r, &got, NULL), RATLS_E_ARG);
	}
	assert_null(got.body);
}

static void a_unix_socket_takes_the_place_of_the_host(void **state)
{
	char dir[] = "/tmp/fetch.XXXXXX", path[64];
	struct http_server *s;
	struct ratls_http_request r = {
		.method = "GET", .url = "http://localhost/exact", .unix_socket = path, .max_body = 64};
	struct ratls_http_response got = {0};
	struct ratls_error err = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	s = http_server_start(path, answer, NULL);
	assert_int_equal(fetch_curl(NULL, &r, &got, NULL), RATLS_OK);
	assert_string_equal(got.body, "12345678");
	http_response_done(&got);
	http_server_stop(s);
	assert_int_equal(fetch_curl(NULL, &r, &got, &err), RATLS_E_UNAVAILABLE);
	assert_string_equal(err.message, "could not connect: No such file or directory");
	rmdir(dir);
}

static void the_environment_sets_no_proxy(void **state)
{
	struct ratls_http_response got = {0};

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(get("/exact", &got, NULL), RATLS_OK);
	unsetenv("http_proxy");
	http_response_done(&got);
}

/* One TLS handshake with a certificate that nobody vouches for; the client must end it. */
static void *shake_hands(void *arg)
{
	int fd = accept(*(int *)arg, NULL, NULL);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	SSL *ssl;
	intptr_t finished;

	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const uint8_t *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	SSL_CTX_use_certificate(ctx, x);
	SSL_CTX_use_PrivateKey(ctx, key);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	finished = SSL_accept(ssl);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	X509_free(x);
	EVP_PKEY_free(key);
	close(fd);
	return (void *)finished;
}

static void an_unknown_certificate_is_not_trusted(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char url[64];
	struct ratls_http_request r = {.method = "GET", .url = url, .max_body = 64, .timeout_ms = 10000};
	struct ratls_http_response got = {0};
	struct ratls_error err = {0};
	pthread_t thread;
	void *finished;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(url, sizeof(url), "https://localhost:%u/", ntohs(at.sin_port));
	assert_int_equal(pthread_create(&thread, NULL, shake_hands, &fd), 0);
	assert_int_equal(fetch_curl(NULL, &r, &got, &err), RATLS_E_UNAVAILABLE);
	pthread_join(thread, &finished);
	close(fd);
	assert_non_null(strstr(err.message, "certificate"));
	assert_true((intptr_t)finished != 1);
}

static bool stop_now(const void *asked)
{
	++*(int *)(uintptr_t)asked;
	return true;
}

/* Else it would wait for ten minutes. */
static void who_waits_no_more_can_say_so(void **state)
{
	char url[64];
	int asked = 0;
	struct ratls_http_request request = {.method = "GET",
		.url = url,
		.max_body = 100,
		.timeout_ms = 600000,
		.stop = stop_now,
		.stop_self = &asked};
	struct ratls_http_response answer = {0};

	(void)state;
	snprintf(url, sizeof(url), "%s/never", http_server_url(server));
	assert_int_equal(fetch_curl(NULL, &request, &answer, NULL), RATLS_E_UNAVAILABLE);
	assert_int_equal(asked, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_post_carries_body_and_headers),
		cmocka_unit_test(headers_are_found_by_name),
		cmocka_unit_test(every_status_is_an_answer),
		cmocka_unit_test(the_body_is_capped),
		cmocka_unit_test(what_is_no_whole_answer_is_unavailable),
		cmocka_unit_test(a_silent_server_ends_with_the_timeout),
		cmocka_unit_test(only_http_is_spoken),
		cmocka_unit_test(a_unix_socket_takes_the_place_of_the_host),
		cmocka_unit_test(the_environment_sets_no_proxy),
		cmocka_unit_test(an_unknown_certificate_is_not_trusted),
		cmocka_unit_test(who_waits_no_more_can_say_so),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
