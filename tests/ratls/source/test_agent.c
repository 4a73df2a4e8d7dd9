/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/reason.h"
#include "base/secret.h"
#include "http_server.h"
#include "source/agent.h"

/* The next answer of the fake agent, and what it was asked. */
static struct {
	int status;
	const char *text;
	struct http_request asked;
} script;

static struct http_server *server;
static struct agent *agent;

static void answer(void *self, const struct http_request *r, int fd)
{
	(void)self;
	script.asked = *r;
	http_reply_text(fd, script.status, script.text);
}

static int start(void **state)
{
	(void)state;
	server = http_server_start(NULL, answer, NULL);
	return agent_new(http_server_url(server), NULL, NULL, &agent, NULL);
}

static int stop(void **state)
{
	(void)state;
	agent_free(agent);
	agent_free(NULL);
	http_server_stop(server);
	return 0;
}

static void will_answer(int status, const char *text)
{
	http_server_wait_idle(server);
	script.status = status;
	script.text = text;
}

static const struct http_request *asked(void)
{
	http_server_wait_idle(server);
	return &script.asked;
}

static void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void a_tls_key_comes_with_its_chain(void **state)
{
	const char *const names[] = {"db.example.org", "127.0.0.1", NULL};
	struct agent_tls_key_request request = {.subject = "teesql", .alt_names = names, .server_auth = true};
	struct buf key = {0}, chain = {0};

	(void)state;
	will_answer(200, "{\"key\":\"the key\\n\",\"certificate_chain\":[\"leaf\\n\",\"above\"],\"more\":1}");
	assert_int_equal(agent_tls_key(agent, &request, &key, &chain, NULL), RATLS_OK);
	assert_memory_equal(key.p, "the key\n", key.len);
	assert_int_equal(key.len, 8);
	assert_memory_equal(chain.p, "leaf\nabove\n", chain.len);
	assert_int_equal(chain.len, 11);
	assert_string_equal(asked()->method, "POST");
	assert_string_equal(asked()->target, "/GetTlsKey");
	assert_contains(asked()->headers, "Content-Type: application/json\r\n");
	assert_string_equal(asked()->body,
		"{\"subject\":\"teesql\",\"alt_names\":[\"db.example.org\",\"127.0.0.1\"],"
		"\"usage_ra_tls\":true,\"usage_server_auth\":true,\"usage_client_auth\":false}");
	secret_buf_done(&key);
	buf_done(&chain);
}

static void an_end_is_asked_for_only_if_wanted(void **state)
{
	struct agent_tls_key_request request = {.client_auth = true, .not_after = 1800000000};
	struct buf key = {0}, chain = {0};

	(void)state;
	will_answer(200, "{\"key\":\"k\",\"certificate_chain\":[\"c\"]}");
	assert_int_equal(agent_tls_key(agent, &request, &key, &chain, NULL), RATLS_OK);
	assert_string_equal(asked()->body,
		"{\"subject\":\"\",\"alt_names\":[],\"usage_ra_tls\":true,\"usage_server_auth\":false,"
		"\"usage_client_auth\":true,\"not_after\":1800000000}");
	secret_buf_done(&key);
	buf_done(&chain);
}

static void a_tls_key_of_another_shape_is_refused(void **state)
{
	static const char *const answers[] = {
		"",
		"[]",
		"null",
		"{}",
		"{\"key\":\"k\"}",
		"{\"key\":\"k\",\"certificate_chain\":[]}",
		"{\"key\":\"k\",\"certificate_chain\":\"c\"}",
		"{\"key\":\"k\",\"certificate_chain\":[1]}",
		"{\"key\":\"\",\"certificate_chain\":[\"c\"]}",
		"{\"key\":7,\"certificate_chain\":[\"c\"]}",
		"{\"certificate_chain\":[\"c\"]}",
		"{\"key\":\"k\",\"certificate_chain\":[\"c\"]} x",
		"{\"key\":\"k\",\"key\":\"k\",\"certificate_chain\":[\"c\"]}",
		("{\"key\":\"k\",\"certificate_chain\":[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\","
		 "\"\",\"\",\"\",\"\",\"\",\"\",\"\"]}"),
	};
	struct agent_tls_key_request request = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct buf key = {0}, chain = {0};
		struct ratls_error err = {0};

		will_answer(200, answers[i]);
		assert_int_equal(agent_tls_key(agent, &request, &key, &chain, &err), RATLS_E_UNAVAILABLE);
		assert_int_equal(err.reason, REASON_AGENT_REFUSED);
		assert_contains(err.message, "guest agent answered GetTlsKey with");
		assert_null(key.p);
		assert_null(chain.p);
	}
}

static void the_agents_own_words_are_passed_on(void **state)
{
	struct ratls_error err = {0};
	uint8_t key[32];

	(void)state;
	will_answer(400, "{\n  \"error\": \"Failed to\\nget key: \\u001b[31m no such path\"\n}");
	assert_int_equal(agent_key(agent, "p", key, &err), RATLS_E_UNAVAILABLE);
	assert_string_equal(err.message, "guest agent refused GetKey: Failed to get key:  [31m no such path");
	will_answer(500, "<html>");
	assert_int_equal(agent_key(agent, "p", key, &err), RATLS_E_UNAVAILABLE);
	assert_string_equal(err.message, "guest agent answered GetKey with HTTP status 500");
	/* A status that is no success never yields a value, whatever the body says. */
	will_answer(400, "{\"key\":\"d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d\"}");
	assert_int_equal(agent_key(agent, "p", key, &err), RATLS_E_UNAVAILABLE);
}

static void a_key_has_32_bytes(void **state)
{
	static const char *const wrong[] = {"{}", "{\"key\":\"\"}", "{\"key\":\"00\"}", "{\"key\":null}",
		"{\"key\":\"x0e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d\"}",
		"{\"key\":\"d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d00\"}"};
	uint8_t key[32] = {0}, zero[32] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		will_answer(200, wrong[i]);
		assert_int_equal(agent_key(agent, "p", key, NULL), RATLS_E_UNAVAILABLE);
		assert_memory_equal(key, zero, 32);
	}
	will_answer(200, "{\"key\":\"d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d\","
			 "\"signature_chain\":[]}");
	assert_int_equal(agent_key(agent, "teesql/\"read\"", key, NULL), RATLS_OK);
	assert_int_equal(key[0], 0xd6);
	assert_int_equal(key[31], 0x5d);
	assert_string_equal(
		asked()->body, "{\"path\":\"teesql/\\\"read\\\"\",\"purpose\":\"\",\"algorithm\":\"\"}");
}

static void a_quote_is_hexadecimal(void **state)
{
	static const char *const wrong[] = {
		"{}", "{\"quote\":\"\"}", "{\"quote\":\"0\"}", "{\"quote\":\"0x00\"}", "{\"quote\":\"0g\"}"};
	uint8_t data[65] = {0xab, 0xcd};
	struct buf quote = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		will_answer(200, wrong[i]);
		assert_int_equal(agent_quote(agent, data, 2, &quote, NULL), RATLS_E_UNAVAILABLE);
		assert_null(quote.p);
	}
	will_answer(200, "{\"quote\":\"040002ff\",\"event_log\":\"[]\"}");
	assert_int_equal(agent_quote(agent, data, sizeof(data), &quote, NULL), RATLS_E_ARG);
	assert_int_equal(agent_quote(agent, data, 2, &quote, NULL), RATLS_OK);
	assert_int_equal(quote.len, 4);
	assert_memory_equal(quote.p, "\x04\x00\x02\xff", 4);
	assert_string_equal(asked()->body, "{\"report_data\":\"abcd\"}");
	buf_done(&quote);
}

static void info_is_the_text_that_came(void **state)
{
	struct buf text = {0};

	(void)state;
	will_answer(200, "{ \"app_id\" : \"00\" }");
	assert_int_equal(agent_info(agent, &text, NULL), RATLS_OK);
	assert_int_equal(text.len, strlen(script.text));
	assert_memory_equal(text.p, script.text, text.len);
	buf_done(&text);
	will_answer(200, "\"text\"");
	assert_int_equal(agent_info(agent, &text, NULL), RATLS_E_UNAVAILABLE);
	assert_null(text.p);
}

static void an_answer_past_the_maximum_is_refused(void **state)
{
	char *huge = malloc(AGENT_ANSWER_MAX + 2);
	struct buf text = {0};
	struct ratls_error err = {0};

	(void)state;
	memset(huge, ' ', AGENT_ANSWER_MAX + 1);
	memcpy(huge, "{}", 2);
	huge[AGENT_ANSWER_MAX + 1] = '\0';
	will_answer(200, huge);
	assert_int_equal(agent_info(agent, &text, &err), RATLS_E_UNAVAILABLE);
	assert_contains(err.message, "larger than");
	http_server_wait_idle(server);
	huge[AGENT_ANSWER_MAX] = '\0';
	assert_int_equal(agent_info(agent, &text, NULL), RATLS_OK);
	buf_done(&text);
	http_server_wait_idle(server);
	free(huge);
}

static void an_endpoint_is_a_path_or_a_url(void **state)
{
	char dir[] = "/tmp/agent.XXXXXX", path[64], url[80];
	struct http_server *s;
	struct agent *a = NULL;
	struct ratls_error err = {0};
	struct buf text = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	s = http_server_start(path, answer, NULL);
	will_answer(200, "{}");
	assert_int_equal(agent_new(path, NULL, NULL, &a, NULL), RATLS_OK);
	assert_string_equal(agent_endpoint(a), path);
	assert_int_equal(agent_info(a, &text, NULL), RATLS_OK);
	buf_done(&text);
	http_server_stop(s);
	assert_int_equal(agent_info(a, &text, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_AGENT_UNREACHABLE);
	assert_contains(err.message, path);
	agent_free(a);
	rmdir(dir);

	snprintf(url, sizeof(url), "%s//", http_server_url(server));
	assert_int_equal(agent_new(url, NULL, NULL, &a, NULL), RATLS_OK);
	assert_int_equal(agent_info(a, &text, NULL), RATLS_OK);
	assert_string_equal(asked()->target, "/Info");
	buf_done(&text);
	agent_free(a);
}

static void what_can_be_no_endpoint_is_refused(void **state)
{
	char path[200];
	struct agent *a = NULL;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(agent_new(path, NULL, NULL, &a, NULL), RATLS_E_ARG);
	assert_int_equal(agent_new("", NULL, NULL, &a, NULL), RATLS_E_ARG);
	assert_null(a);
}

/* The order of dstack's SDKs; the first path also where none exists. */
static void without_an_endpoint_the_socket_is_looked_for(void **state)
{
	static const char *const order[] = {"/var/run/dstack.sock", "/run/dstack.sock",
		"/var/run/dstack/dstack.sock", "/run/dstack/dstack.sock"};
	const char *expected = order[0];
	struct agent *a = NULL;

	(void)state;
	for (size_t i = 4; i-- > 0;)
		if (access(order[i], F_OK) == 0)
			expected = order[i];
	assert_int_equal(agent_new(NULL, NULL, NULL, &a, NULL), RATLS_OK);
	assert_string_equal(agent_endpoint(a), expected);
	agent_free(a);
}

/* The answer of a real agent, where it is at hand. */
static void a_real_answer_to_getquote_is_understood(void **state)
{
	static char text[65536];
	char path[512];
	const char *vectors = getenv("RATLS_VECTORS");
	struct buf quote = {0};
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/dstack_getquote.json", vectors != NULL ? vectors : "");
	if ((f = fopen(path, "r")) == NULL)
		skip();
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	will_answer(200, text);
	assert_int_equal(agent_quote(agent, (const uint8_t *)"\x12\x34", 2, &quote, NULL), RATLS_OK);
	assert_true(quote.len > 4000);
	assert_int_equal(quote.p[0], 4);
	assert_int_equal(quote.p[4], 0x81);
	buf_done(&quote);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tls_key_comes_with_its_chain),
		cmocka_unit_test(an_end_is_asked_for_only_if_wanted),
		cmocka_unit_test(a_tls_key_of_another_shape_is_refused),
		cmocka_unit_test(the_agents_own_words_are_passed_on),
		cmocka_unit_test(a_key_has_32_bytes),
		cmocka_unit_test(a_quote_is_hexadecimal),
		cmocka_unit_test(info_is_the_text_that_came),
		cmocka_unit_test(an_answer_past_the_maximum_is_refused),
		cmocka_unit_test(an_endpoint_is_a_path_or_a_url),
		cmocka_unit_test(what_can_be_no_endpoint_is_refused),
		cmocka_unit_test(without_an_endpoint_the_socket_is_looked_for),
		cmocka_unit_test(a_real_answer_to_getquote_is_understood),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
