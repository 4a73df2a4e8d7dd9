/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/err.h"
#include "side.h"
#include "tls/keeper.h"

#define DAY ((int64_t)86400)

static void an_identity_is_renewed_before_two_thirds_of_its_life(void **state)
{
	static const struct {
		int64_t left, delay;
	} rows[] = {{9000, 6000}, {3, 2}, {1, 1}, {0, 1}, {-9000, 1}, {18 * 3600, 12 * 3600},
		{3650 * DAY, KEEPER_RENEW_MAX}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(keeper_delay(2000000000, 2000000000 + rows[i].left), rows[i].delay);
}

/* ---- a guest agent and what the keeper says ------------------------------------------------------ */

struct world {
	struct identity *next; /* what the agent gives out */
	atomic_bool broken;    /* it gives out nothing */
	pthread_mutex_t lock;
	pthread_cond_t heard;
	unsigned renewed, failed;
	bool same_key; /* the last renewal brought `next` */
};

static json_t *pem_of(BIO *b)
{
	char *p;
	long len = BIO_get_mem_data(b, &p);
	json_t *text = json_stringn(p, (size_t)len);

	BIO_free(b);
	return text;
}

static int agent_answers(void *self, const struct ratls_http_request *request,
	struct ratls_http_response *ret, struct ratls_error *err)
{
	struct world *w = self;
	BIO *key, *leaf;
	json_t *answer;

	(void)request;
	if (atomic_load(&w->broken))
		return err_set(err, RATLS_E_UNAVAILABLE, "the agent is away");
	key = BIO_new(BIO_s_mem());
	leaf = BIO_new(BIO_s_mem());
	PEM_write_bio_PKCS8PrivateKey(key, identity_key(w->next), NULL, NULL, 0, NULL, NULL);
	PEM_write_bio_X509(leaf, identity_leaf(w->next));
	answer = json_pack("{s:o, s:[o]}", "key", pem_of(key), "certificate_chain", pem_of(leaf));
	*ret = (struct ratls_http_response){.status = 200};
	ret->headers = strdup("");
	ret->body = (uint8_t *)json_dumps(answer, 0);
	ret->body_len = strlen((char *)ret->body);
	json_decref(answer);
	return RATLS_OK;
}

static void renewed(void *self, struct identity *id)
{
	struct world *w = self;

	pthread_mutex_lock(&w->lock);
	w->renewed++;
	w->same_key = EVP_PKEY_eq(identity_key(id), identity_key(w->next)) == 1;
	pthread_cond_signal(&w->heard);
	pthread_mutex_unlock(&w->lock);
}

static void failed(void *self, const struct ratls_error *err)
{
	struct world *w = self;

	pthread_mutex_lock(&w->lock);
	w->failed += strstr(err->message, "away") != NULL;
	pthread_cond_signal(&w->heard);
	pthread_mutex_unlock(&w->lock);
}

static void wait_until(struct world *w, const unsigned *counter, unsigned n)
{
	pthread_mutex_lock(&w->lock);
	while (*counter < n)
		pthread_cond_wait(&w->heard, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

static void a_failed_renewal_is_told_and_tried_again(void **state)
{
	struct world w = {.lock = PTHREAD_MUTEX_INITIALIZER, .heard = PTHREAD_COND_INITIALIZER};
	struct keeper_options o = {
		.request = {.subject = "x"}, .renewed = renewed, .failed = failed, .self = &w};
	struct identity *current = side_identity(0);
	struct keeper *k = NULL;

	(void)state;
	w.next = side_identity(0);
	assert_int_equal(agent_new("http://agent.invalid", agent_answers, &w, &o.agent, NULL), RATLS_OK);
	assert_int_equal(keeper_start(&o, current, &k, NULL), RATLS_OK);
	identity_free(current); /* only its dates were of interest */
	atomic_store(&w.broken, true);
	keeper_kick(k);
	wait_until(&w, &w.failed, 1);
	assert_int_equal(w.renewed, 0);
	atomic_store(&w.broken, false);
	keeper_kick(k);
	wait_until(&w, &w.renewed, 1);
	assert_true(w.same_key);
	keeper_stop(k);
	assert_int_equal(w.failed, 1);
	agent_free(o.agent);
	identity_free(w.next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_identity_is_renewed_before_two_thirds_of_its_life),
		cmocka_unit_test(a_failed_renewal_is_told_and_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
