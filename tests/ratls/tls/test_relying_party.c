/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../source/forged_service.h"
#include "tls/relying_party.h"

#define NOW 1790000000
#define DAY 86400

static const uint8_t seed[FORGE_SEED_SIZE] = {9};

/* A forged peer with its collateral service, and a relying party that trusts its root. */
struct world {
	struct forge_options options;
	struct forge_leaf leaf_options;
	struct forge_machine machine;
	struct forge_chain_made chain;
	struct forged_service service;
	struct ratls_source *source;
	struct relying_party_options relying_party_options;
	struct relying_party *relying_party;
};

static EVP_PKEY *key, *other_key;
static atomic_llong moment; /* which it is */

static int64_t test_clock(void)
{
	return atomic_load(&moment);
}

static int make_keys(void **state)
{
	(void)state;
	key = forge_key(seed, "leaf");
	other_key = forge_key(seed, "another leaf");
	return key != NULL && other_key != NULL ? 0 : -1;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return 0;
}

/* First world_init, then what is to be different, then world_make. */
static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->relying_party_options.clock = test_clock;
	forge_defaults(&w->options, seed, NOW);
	w->leaf_options = (struct forge_leaf){.key = key, .now = NOW, .server_auth = true};
}

static void world_begin(struct world *w)
{
	struct ratls_source_options o = {
		.size = sizeof(o), .fetch = forged_service_fetch, .fetch_self = &w->service};

	o.urls = (const char *const[]){"http://collateral.example.org", NULL};
	o.insecure_trust_root = w->machine.pki.cert[FORGE_ROOT].p;
	o.insecure_trust_root_len = w->machine.pki.cert[FORGE_ROOT].len;
	assert_int_equal(ratls_source_new(&o, &w->source, NULL), RATLS_OK);
	assert_int_equal(ratls_verifier_new(w->source, NULL, &w->relying_party_options.by, NULL), RATLS_OK);
	assert_int_equal(relying_party_new(&w->relying_party_options, NULL, &w->relying_party, NULL), RATLS_OK);
}

static void world_make(struct world *w)
{
	assert_int_equal(forge_machine_make(&w->options, &w->machine, NULL), RATLS_OK);
	assert_int_equal(forge_machine_certificate(&w->machine, &w->leaf_options, &w->chain, NULL), RATLS_OK);
	w->service.machine = &w->machine;
	world_begin(w);
}

/* The same peer and service, and nothing remembered: not even what has just failed. */
static void world_begin_again(struct world *w)
{
	relying_party_free(w->relying_party);
	ratls_verifier_free(w->relying_party_options.by);
	ratls_source_free(w->source);
	world_begin(w);
}

static void world_done(struct world *w)
{
	relying_party_free(w->relying_party);
	ratls_verifier_free(w->relying_party_options.by);
	ratls_source_free(w->source);
	forge_chain_done(&w->chain);
	forge_machine_done(&w->machine);
}

static struct cur world_leaf(const struct world *w)
{
	return cur_of(w->chain.cert[0].p, w->chain.cert[0].len);
}

static struct verdict decide(struct world *w, int64_t now)
{
	struct verdict v = {0};

	atomic_store(&moment, now);
	relying_party_decide(w->relying_party, world_leaf(w), &v);
	return v;
}

static bool cached(struct world *w, int64_t now)
{
	struct verdict v = {0};
	bool found = relying_party_cached(w->relying_party, world_leaf(w), now, &v);

	assert_int_equal(v.accepted, found);
	return found;
}

static void assert_accepted(const struct verdict *v)
{
	if (!v->accepted)
		fail_msg("refused: %s", v->message);
	assert_true(v->attested);
	assert_int_equal(v->class, CLASS_ACCEPTED);
	assert_int_equal(v->reason, 0);
}

static void assert_refused(const struct verdict *v, enum reason_class class)
{
	if (v->accepted || v->class != class)
		fail_msg("%s, class %s: %s", v->accepted ? "accepted" : "refused",
			reason_class_name(v->class), v->message);
	assert_int_equal(v->valid_until, 0);
	assert_true(v->reason != 0);
	assert_true(v->message[0] != '\0');
}

static void a_good_peer_is_accepted_and_remembered(void **state)
{
	struct world w;
	struct verdict v, again = {0};

	(void)state;
	world_init(&w);
	memset(w.options.quote.td.mrtd, 0xab, sizeof(w.options.quote.td.mrtd));
	world_make(&w);
	assert_false(cached(&w, NOW));
	v = decide(&w, NOW);
	assert_accepted(&v);
	assert_string_equal(v.tcb, "UpToDate");
	assert_int_equal(strlen(v.mrtd), 96);
	assert_int_equal(strspn(v.mrtd, "ab"), 96);
	assert_int_equal(v.valid_until, NOW + RELYING_PARTY_CACHE_TTL);
	assert_int_equal(w.service.requests, 4);

	assert_true(relying_party_cached(w.relying_party, world_leaf(&w), NOW + 1, &again));
	assert_memory_equal(&again, &v, sizeof(v));
	assert_int_equal(w.service.requests, 4);
	world_done(&w);
}

static void a_refusal_is_not_remembered(void **state)
{
	struct world w;
	struct verdict v;

	(void)state;
	world_init(&w);
	w.options.quote.td.td_attributes[0] |= FORGE_TD_DEBUG;
	world_make(&w);
	v = decide(&w, NOW);
	assert_refused(&v, CLASS_POLICY);
	assert_false(cached(&w, NOW));
	world_done(&w);
}

/* ---- invariant: cache_dies_with_its_grounds ---- */

/* The entry is there one second before its end, and gone then and before it was formed. */
static void assert_cached_until(struct world *w, int64_t end)
{
	struct verdict v;

	world_make(w);
	v = decide(w, NOW);
	assert_accepted(&v);
	assert_int_equal(v.valid_until, end);
	assert_true(cached(w, NOW));
	assert_true(cached(w, end - 1));
	assert_false(cached(w, end));
	assert_false(cached(w, NOW - 1));
	world_done(w);
}

/* Decides while the policy changes: the transport changes it, as another thread might. */
struct changing {
	struct forged_service *service;
	struct relying_party *relying_party;
};

static int fetch_and_change_policy(void *self, const struct ratls_http_request *request,
	struct ratls_http_response *ret, struct ratls_error *err)
{
	struct changing *c = self;

	assert_int_equal(relying_party_set_policy(c->relying_party, NULL, NULL), RATLS_OK);
	return forged_service_fetch(c->service, request, ret, err);
}

static void a_policy_change_voids_what_is_cached(void)
{
	struct world w;
	struct verdict v;

	world_init(&w);
	world_make(&w);
	v = decide(&w, NOW);
	assert_accepted(&v);
	assert_int_equal(relying_party_set_policy(w.relying_party, NULL, NULL), RATLS_OK);
	assert_false(cached(&w, NOW));
	world_done(&w);
}

static void a_policy_change_voids_what_is_being_decided(void)
{
	struct world w;
	struct changing changing;
	struct ratls_source_options o = {
		.size = sizeof(o), .fetch = fetch_and_change_policy, .fetch_self = &changing};
	struct verdict v;

	world_init(&w);
	world_make(&w);
	relying_party_free(w.relying_party);
	ratls_verifier_free(w.relying_party_options.by);
	ratls_source_free(w.source);
	o.urls = (const char *const[]){"http://collateral.example.org", NULL};
	o.insecure_trust_root = w.machine.pki.cert[FORGE_ROOT].p;
	o.insecure_trust_root_len = w.machine.pki.cert[FORGE_ROOT].len;
	assert_int_equal(ratls_source_new(&o, &w.source, NULL), RATLS_OK);
	assert_int_equal(ratls_verifier_new(w.source, NULL, &w.relying_party_options.by, NULL), RATLS_OK);
	assert_int_equal(relying_party_new(&w.relying_party_options, NULL, &w.relying_party, NULL), RATLS_OK);
	changing = (struct changing){&w.service, w.relying_party};
	v = decide(&w, NOW);
	assert_accepted(&v);
	assert_false(cached(&w, NOW));
	world_done(&w);
}

static void cache_dies_with_its_grounds(void **state)
{
	struct world w;

	(void)state;
	world_init(&w); /* its time to live */
	w.relying_party_options.cache_ttl = 100;
	assert_cached_until(&w, NOW + 100);
	world_init(&w); /* the certificate */
	w.leaf_options.not_after = NOW + 50;
	assert_cached_until(&w, NOW + 50);
	world_init(&w); /* each item of the collateral */
	w.options.collateral.tcb_info.document.next_update = NOW + 60;
	assert_cached_until(&w, NOW + 60);
	world_init(&w);
	w.options.collateral.qe_identity.document.next_update = NOW + 60;
	assert_cached_until(&w, NOW + 60);
	world_init(&w);
	w.options.pki.crl[FORGE_PCK_CRL].next_update = NOW + 60;
	assert_cached_until(&w, NOW + 60);
	world_init(&w);
	w.options.pki.crl[FORGE_ROOT_CRL].next_update = NOW + 60;
	assert_cached_until(&w, NOW + 60);
	world_init(&w); /* the PCK certificate */
	w.options.pki.cert[FORGE_PCK].not_after = NOW + 60;
	assert_cached_until(&w, NOW + 60);
	a_policy_change_voids_what_is_cached();
	a_policy_change_voids_what_is_being_decided();
}

/* ---- invariant: unknown_is_no ---- */

static void unknown_tcb_status(struct world *w)
{
	w->options.collateral.tcb_info.levels[0].status = "Sparkling";
}

static void unknown_qe_status(struct world *w)
{
	w->options.collateral.qe_identity.levels[0].status = "UpToDateEnough";
}

static void unknown_tcb_info_version(struct world *w)
{
	w->options.collateral.tcb_info.version = 4;
}

static void unknown_tcb_info_id(struct world *w)
{
	w->options.collateral.tcb_info.id = "TDY";
}

static void unknown_qe_identity_version(struct world *w)
{
	w->options.collateral.qe_identity.version = 3;
}

static void unknown_quote_version(struct world *w)
{
	w->options.quote.version = 6;
}

static void unknown_key_type(struct world *w)
{
	w->options.quote.key_type = 3;
}

static void unknown_tee(struct world *w)
{
	w->options.quote.tee = 0x82;
}

static void unknown_td_attribute(struct world *w)
{
	w->options.quote.td.td_attributes[1] |= 0x80;
}

static void unknown_module(struct world *w)
{
	w->options.quote.td.tee_tcb_svn[1] = 9;
}

static void unknown_is_no(void **state)
{
	static void (*const rows[])(struct world *) = {unknown_tcb_status, unknown_qe_status,
		unknown_tcb_info_version, unknown_tcb_info_id, unknown_qe_identity_version,
		unknown_quote_version, unknown_key_type, unknown_tee, unknown_td_attribute, unknown_module};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;
		struct verdict v;

		world_init(&w);
		w.relying_party_options.insecure_allow_simulator = true; /* which is about absence alone */
		rows[i](&w);
		world_make(&w);
		v = decide(&w, NOW);
		if (v.accepted)
			fail_msg("row %zu was accepted", i);
		assert_true(v.class != CLASS_ACCEPTED);
		assert_false(cached(&w, NOW));
		world_done(&w);
	}
}

/* ---- what could not be decided ---- */

static void a_zeroed_verdict_refuses(void **state)
{
	struct verdict v = {0};

	(void)state;
	assert_false(v.accepted);
	assert_false(ratls_report_accepted(NULL));
}

/* What can be said at once is; what would have to be waited for decides nothing, and leaves no trace. */
static void who_does_not_wait_decides_what_is_at_hand(void **state)
{
	struct verdict v = {.reason = 4711}, now = {0};
	struct world w;

	(void)state;
	world_init(&w);
	world_make(&w);
	assert_false(relying_party_decide_now(w.relying_party, world_leaf(&w), NOW, &v));
	assert_int_equal(v.reason, 4711);
	assert_false(cached(&w, NOW));
	now = decide(&w, NOW);
	assert_accepted(&now);
	assert_int_equal(relying_party_set_policy(w.relying_party, NULL, NULL), RATLS_OK); /* forget it */
	assert_false(cached(&w, NOW));
	assert_true(relying_party_decide_now(w.relying_party, world_leaf(&w), NOW, &v));
	assert_accepted(&v);
	assert_true(cached(&w, NOW));
	/* Nonsense is nonsense whoever is asked. */
	assert_true(relying_party_decide_now(w.relying_party, cur_of("nonsense", 8), NOW, &v));
	assert_refused(&v, CLASS_EVIDENCE);
	world_done(&w);
}

/* That there is no collateral is known for a while. */
static void who_does_not_wait_hears_of_a_failure(void **state)
{
	struct verdict v = {0};
	struct world w;

	(void)state;
	world_init(&w);
	world_make(&w);
	w.service.silent = true;
	v = decide(&w, NOW);
	assert_refused(&v, CLASS_UNDETERMINED);
	v = (struct verdict){0};
	assert_true(relying_party_decide_now(w.relying_party, world_leaf(&w), NOW, &v));
	assert_refused(&v, CLASS_UNDETERMINED);
	world_done(&w);
}

static void without_collateral_nothing_is_accepted(void **state)
{
	struct world w;
	struct verdict v;

	(void)state;
	world_init(&w);
	world_make(&w);
	w.service.silent = true;
	v = decide(&w, NOW);
	assert_refused(&v, CLASS_UNDETERMINED);
	assert_int_equal(v.reason, REASON_COLLATERAL_UNAVAILABLE);
	assert_non_null(strstr(v.message, "nobody answers"));
	w.service.silent = false;
	w.service.status = 404;
	world_begin_again(&w);
	v = decide(&w, NOW);
	assert_refused(&v, CLASS_UNDETERMINED);
	assert_int_equal(v.reason, REASON_PLATFORM_UNKNOWN);
	w.service.status = 500;
	world_begin_again(&w);
	v = decide(&w, NOW);
	assert_refused(&v, CLASS_UNDETERMINED);
	w.service.status = 0;
	w.service.bad_path = "/";
	world_begin_again(&w);
	v = decide(&w, NOW);
	assert_refused(&v, CLASS_UNDETERMINED);
	/* And it was none of the peer's fault. */
	w.service.bad_path = NULL;
	world_begin_again(&w);
	v = decide(&w, NOW);
	assert_accepted(&v);
	world_done(&w);
}

static void a_relayed_quote_is_named_as_such_even_without_collateral(void **state)
{
	struct world w;
	struct verdict v;

	(void)state;
	world_init(&w);
	w.leaf_options.quoted_key = other_key;
	world_make(&w);
	w.service.silent = true;
	v = decide(&w, NOW);
	assert_refused(&v, CLASS_AUTHENTICITY);
	w.service.silent = false;
	world_begin_again(&w);
	v = decide(&w, NOW);
	assert_refused(&v, CLASS_AUTHENTICITY);
	world_done(&w);
}

static void collateral_out_of_its_time_is_undetermined(void **state)
{
	struct world w;
	struct verdict v;

	(void)state;
	world_init(&w);
	world_make(&w);
	v = decide(&w, NOW + 40 * DAY);
	assert_refused(&v, CLASS_UNDETERMINED);
	assert_false(cached(&w, NOW + 40 * DAY));
	world_done(&w);
}

/* ---- evidence that is none ---- */

static void absence_of_evidence_is_refused_in_known_words(void **state)
{
	struct world w;
	struct verdict v;

	(void)state;
	world_init(&w);
	w.leaf_options.without_evidence = true;
	world_make(&w);
	v = decide(&w, NOW);
	assert_refused(&v, CLASS_EVIDENCE);
	assert_int_equal(v.reason, REASON_NO_EVIDENCE);
	assert_string_equal(v.message, "cert has no TDX attestation extension"); /* whose, the program knows */
	assert_false(v.attested);
	relying_party_no_certificate(w.relying_party, &v);
	assert_refused(&v, CLASS_AUTHENTICITY);
	assert_int_equal(v.reason, REASON_CLIENT_CERTIFICATE);
	world_done(&w);
}

static void the_simulator_switch_passes_absence_alone(void **state)
{
	struct world w;
	struct verdict v;
	uint8_t *leaf;

	(void)state;
	world_init(&w);
	w.leaf_options.without_evidence = true;
	w.relying_party_options.insecure_allow_simulator = true;
	world_make(&w);
	v = decide(&w, NOW);
	assert_true(v.accepted);
	assert_false(v.attested);
	assert_int_equal(v.valid_until, 0);
	assert_false(cached(&w, NOW));
	relying_party_no_certificate(w.relying_party, &v);
	assert_true(v.accepted);
	assert_false(v.attested);
	world_done(&w);

	/* Evidence that is there must hold. */
	world_init(&w);
	w.relying_party_options.insecure_allow_simulator = true;
	w.leaf_options.quoted_key = other_key;
	world_make(&w);
	v = decide(&w, NOW);
	assert_refused(&v, CLASS_AUTHENTICITY);
	/* What is no certificate is no absence of evidence. */
	leaf = malloc(w.chain.cert[0].len);
	for (size_t n = 0; n < w.chain.cert[0].len; n += 101) {
		memcpy(leaf, w.chain.cert[0].p, n);
		relying_party_decide(w.relying_party, cur_of(leaf, n), &v);
		assert_refused(&v, CLASS_EVIDENCE);
	}
	free(leaf);
	world_done(&w);
}

/* ---- policy ---- */

static struct ratls_policy *policy_of(const char *name, const char *value)
{
	struct ratls_policy *p = NULL;

	assert_int_equal(ratls_policy_new(&p, NULL), RATLS_OK);
	assert_int_equal(ratls_policy_add(p, name, value, NULL), RATLS_OK);
	return p;
}

static void the_policy_in_force_decides(void **state)
{
	char zeros[97];
	struct world w;
	struct verdict v;

	(void)state;
	memset(zeros, '0', 96);
	zeros[96] = '\0';
	world_init(&w);
	memset(w.options.quote.td.mrtd, 0xab, sizeof(w.options.quote.td.mrtd));
	world_make(&w);
	v = decide(&w, NOW);
	assert_accepted(&v);
	assert_int_equal(relying_party_set_policy(w.relying_party, policy_of("mrtd", zeros), NULL), RATLS_OK);
	v = decide(&w, NOW);
	assert_refused(&v, CLASS_POLICY);
	assert_int_equal(relying_party_set_policy(w.relying_party, policy_of("mrtd", v.mrtd), NULL), RATLS_OK);
	v = decide(&w, NOW);
	assert_accepted(&v);
	world_done(&w);
}

/* ---- between threads ---- */

struct crowd {
	struct world *w;
	int accepted;
	pthread_mutex_t lock;
};

static void *decide_often(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < 4; i++) {
		struct verdict v = {0};

		if (!relying_party_cached(c->w->relying_party, world_leaf(c->w), NOW, &v))
			v = decide(c->w, NOW);
		pthread_mutex_lock(&c->lock);
		c->accepted += v.accepted ? 1 : 0;
		pthread_mutex_unlock(&c->lock);
	}
	return NULL;
}

static void threads_share_a_relying_party(void **state)
{
	struct world w;
	struct crowd crowd = {.w = &w, .lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t threads[8];

	(void)state;
	world_init(&w);
	world_make(&w);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, decide_often, &crowd), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(relying_party_set_policy(w.relying_party, NULL, NULL), RATLS_OK);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowd.accepted, 32);
	assert_int_equal(w.service.requests, 4);
	world_done(&w);
}

/* ---- a crowd of one peer ---- */

#define CROWD 16

/* A verifier of the host program's: it counts, and begins when the whole crowd is on its way. */
struct counted {
	struct world world;
	struct ratls_verifier *own;
	atomic_int set_out, asked;
	int64_t takes; /* so many seconds */
};

static int count(void *self, const struct ratls_evidence *evidence, const struct ratls_policy *policy,
	const struct ratls_binding *binding, int64_t at, struct ratls_report **ret, struct ratls_error *err)
{
	struct counted *c = self;
	int rc;

	atomic_fetch_add(&c->asked, 1);
	while (atomic_load(&c->set_out) < CROWD)
		sched_yield();
	rc = ratls_verifier_verify(c->own, evidence, policy, binding, at, ret, err);
	atomic_fetch_add(&moment, c->takes);
	return rc;
}

static void counted_begin(struct counted *c)
{
	static const struct ratls_verifier_ops ops = {.verify = count};
	struct world *w = &c->world;

	memset(c, 0, sizeof(*c));
	world_init(w);
	world_make(w);
	relying_party_free(w->relying_party);
	c->own = w->relying_party_options.by;
	assert_int_equal(ratls_verifier_custom(&ops, c, &w->relying_party_options.by, NULL), RATLS_OK);
	assert_int_equal(relying_party_new(&w->relying_party_options, NULL, &w->relying_party, NULL), RATLS_OK);
}

static void counted_done(struct counted *c)
{
	world_done(&c->world);
	ratls_verifier_free(c->own);
}

static void *one_of_the_crowd(void *arg)
{
	struct counted *c = arg;
	struct verdict v;

	atomic_fetch_add(&c->set_out, 1);
	relying_party_decide(c->world.relying_party, world_leaf(&c->world), &v);
	return v.accepted ? c : NULL;
}

static void a_crowd_of_one_peer_is_decided_once(void **state)
{
	pthread_t crowd[CROWD];
	struct counted c;
	void *ok;

	(void)state;
	counted_begin(&c);
	atomic_store(&moment, NOW);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&crowd[i], NULL, one_of_the_crowd, &c), 0);
	for (int i = 0; i < CROWD; i++) {
		pthread_join(crowd[i], &ok);
		assert_non_null(ok);
	}
	assert_int_equal(c.asked, 1);
	/* A new policy voids it, and a refusal is not kept. */
	assert_int_equal(relying_party_set_policy(c.world.relying_party, NULL, NULL), RATLS_OK);
	assert_true(decide(&c.world, NOW).accepted);
	assert_int_equal(c.asked, 2);
	for (int i = 3; i < 5; i++) {
		assert_false(decide(&c.world, INT64_C(4000000000)).accepted);
		assert_int_equal(c.asked, i);
	}
	counted_done(&c);
}

/* They wait for a verdict that has ended when it comes: it is none of theirs. Its very end is the cache's end, too. */
static void a_crowd_takes_no_verdict_that_has_ended(void **state)
{
	pthread_t crowd[CROWD];
	struct counted c;
	void *ok;

	(void)state;
	counted_begin(&c);
	c.world.relying_party_options.cache_ttl = c.takes = 100;
	relying_party_free(c.world.relying_party);
	assert_int_equal(relying_party_new(&c.world.relying_party_options, NULL, &c.world.relying_party, NULL), RATLS_OK);
	atomic_store(&moment, NOW);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&crowd[i], NULL, one_of_the_crowd, &c), 0);
	for (int i = 0; i < CROWD; i++) {
		pthread_join(crowd[i], &ok);
		assert_non_null(ok);
	}
	assert_int_equal(c.asked, CROWD); /* each for itself, whether it waited or came after */
	counted_done(&c);

	counted_begin(&c);
	c.takes = INT64_C(2000000000);
	atomic_store(&moment, NOW);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&crowd[i], NULL, one_of_the_crowd, &c), 0);
	for (int i = 0, n = 0; i < CROWD; i++) {
		pthread_join(crowd[i], &ok);
		n += ok != NULL;
		assert_true(n <= 1); /* who decided it */
	}
	counted_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_peer_is_accepted_and_remembered),
		cmocka_unit_test(a_refusal_is_not_remembered),
		cmocka_unit_test(cache_dies_with_its_grounds),
		cmocka_unit_test(unknown_is_no),
		cmocka_unit_test(a_zeroed_verdict_refuses),
		cmocka_unit_test(who_does_not_wait_decides_what_is_at_hand),
		cmocka_unit_test(who_does_not_wait_hears_of_a_failure),
		cmocka_unit_test(without_collateral_nothing_is_accepted),
		cmocka_unit_test(a_relayed_quote_is_named_as_such_even_without_collateral),
		cmocka_unit_test(collateral_out_of_its_time_is_undetermined),
		cmocka_unit_test(absence_of_evidence_is_refused_in_known_words),
		cmocka_unit_test(the_simulator_switch_passes_absence_alone),
		cmocka_unit_test(the_policy_in_force_decides),
		cmocka_unit_test(threads_share_a_relying_party),
		cmocka_unit_test(a_crowd_of_one_peer_is_decided_once),
		cmocka_unit_test(a_crowd_takes_no_verdict_that_has_ended),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
