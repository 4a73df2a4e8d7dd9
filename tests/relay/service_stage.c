/* SPDX-License-Identifier: Apache-2.0 */
#include "service_stage.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

const uint8_t seed[FORGE_SEED_SIZE] = {3};

const uint8_t startup[27] = {0, 0, 0, 27, 0, 3, 0, 0, 'u', 's', 'e', 'r', 0, 'u', 0, 'd', 'a', 't', 'a', 'b', 'a',
	's', 'e', 0, 'd', 0, 0};

/* ---- a back end that echoes ------------------------------------------------------------------------------- */

struct backend backend;

static void *echo_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		if (write(fd, bytes, (size_t)n) != n)
			break;
	close(fd);
	return NULL;
}

static void *echo_all(void *arg)
{
	int fd;

	(void)arg;
	while ((fd = accept(backend.fd, NULL, NULL)) >= 0) {
		pthread_t t;

		atomic_fetch_add(&backend.accepted, 1);
		pthread_create(&t, NULL, echo_one, (void *)(intptr_t)fd);
		pthread_detach(t);
	}
	return NULL;
}

int backend_start(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	backend.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(backend.fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(backend.fd, 64) < 0 ||
		getsockname(backend.fd, (struct sockaddr *)&a, &len) < 0)
		return -1;
	backend.port = ntohs(a.sin_port);
	return pthread_create(&backend.thread, NULL, echo_all, NULL);
}

int backend_stop(void **state)
{
	(void)state;
	shutdown(backend.fd, SHUT_RDWR);
	pthread_join(backend.thread, NULL);
	close(backend.fd);
	return 0;
}

/* ---- a machine: its identity, and a relying party that believes in its root --------------------------------- */

static void append_pem(struct buf *out, const struct forge_chain_made *chain)
{
	for (size_t i = 0; i < chain->n; i++) {
		const unsigned char *p = chain->cert[i].p;
		X509 *x = d2i_X509(NULL, &p, (long)chain->cert[i].len);
		BIO *b = BIO_new(BIO_s_mem());
		char *text;
		long len;

		PEM_write_bio_X509(b, x);
		len = BIO_get_mem_data(b, &text);
		buf_bytes(out, text, (size_t)len);
		BIO_free(b);
		X509_free(x);
	}
}

struct identity *make_identity(const struct forge_machine *m, const char *name, bool without_evidence)
{
	EVP_PKEY *key = forge_key(seed, name);
	struct forge_leaf leaf = {.key = key, .now = clock_now(), .without_evidence = without_evidence};
	struct forge_chain_made chain = {0};
	struct buf pem = {0};
	struct identity *id = NULL;
	BIO *b = BIO_new(BIO_s_mem());
	char *text;
	long len;

	assert_int_equal(forge_machine_certificate(m, &leaf, &chain, NULL), RATLS_OK);
	append_pem(&pem, &chain);
	PEM_write_bio_PKCS8PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(b, &text);
	assert_int_equal(identity_from_pem(cur_of(text, (size_t)len), cur_of(pem.p, pem.len), &id, NULL), RATLS_OK);
	BIO_free(b);
	buf_done(&pem);
	forge_chain_done(&chain);
	EVP_PKEY_free(key);
	return id;
}

static int gated_fetch(void *self, const struct ratls_http_request *request, struct ratls_http_response *ret,
	struct ratls_error *err)
{
	struct party *p = self;

	sem_post(&p->asked);
	if (p->gate != NULL)
		sem_wait(p->gate);
	return forged_service_fetch(&p->collateral, request, ret, err);
}

void party_make(struct party *p, enum channel_role role, bool without_evidence)
{
	static const char *const urls[] = {"http://collateral.example.org", NULL};
	struct ratls_source_options o = {.size = sizeof(o), .urls = urls, .fetch = gated_fetch, .fetch_self = p};
	struct channel_context_options c = {.role = role, .request_certificate = role == CHANNEL_SERVER};
	struct relying_party_options r = {0};
	struct forge_options f;

	forge_defaults(&f, seed, clock_now());
	assert_int_equal(forge_machine_make(&f, &p->machine, NULL), RATLS_OK);
	sem_init(&p->asked, 0, 0);
	p->collateral.machine = &p->machine;
	o.insecure_trust_root = p->machine.pki.cert[FORGE_ROOT].p;
	o.insecure_trust_root_len = p->machine.pki.cert[FORGE_ROOT].len;
	assert_int_equal(ratls_source_new(&o, &p->source, NULL), RATLS_OK);
	assert_int_equal(ratls_verifier_new(p->source, NULL, &p->by, NULL), RATLS_OK);
	r.by = p->by;
	assert_int_equal(relying_party_new(&r, NULL, &p->relying_party, NULL), RATLS_OK);
	p->identity = make_identity(&p->machine, "leaf", without_evidence);
	c.identity = p->identity;
	assert_int_equal(channel_context_new(&c, &p->context, NULL), RATLS_OK);
}

void party_done(struct party *p)
{
	channel_context_free(p->context);
	identity_free(p->identity);
	relying_party_free(p->relying_party);
	ratls_verifier_free(p->by);
	ratls_source_free(p->source);
	forge_machine_done(&p->machine);
	sem_destroy(&p->asked);
}

/* ---- the pair -------------------------------------------------------------------------------------------------- */

static const char *const any_port[] = {"127.0.0.1:0", NULL};

uint16_t port_of(const struct service *s)
{
	return (uint16_t)atoi(service_port(s));
}

int64_t forwarder_patience = 20000;
unsigned service_threads = 2;

struct service *start(enum loop_io io, enum service_role role, struct party *p, struct service_target *target)
{
	struct service_options o = {
		.role = role,
		.listen = any_port,
		.targets = target,
		.n_targets = 1,
		.relying_party = p->relying_party,
		.require_attestation = true,
		.io = io,
		.threads = service_threads,
		.timeouts = {20000, 20000, role == SERVICE_FORWARDER ? forwarder_patience : 20000, 20000, 20000, 2000,
			0, 0},
		.limits = {.connections = 400, .appraisals = 256},
	};
	char choice[160];
	struct ratls_error err;
	struct service *s = NULL;

	if (service_start(&o, p->context, &s, choice, &err) != RATLS_OK)
		print_message("skipped: %s\n", err.message);
	return s;
}

bool pair_start(struct pair *p, void **state, bool client_without_evidence)
{
	enum loop_io io = *(enum loop_io *)*state;

	memset(p, 0, sizeof(*p));
	party_make(&p->server, CHANNEL_SERVER, false);
	party_make(&p->client, CHANNEL_CLIENT, client_without_evidence);
	p->to_backend = (struct service_target){.host = "127.0.0.1", .port = backend.port};
	p->sidecar = start(io, SERVICE_SIDECAR, &p->server, &p->to_backend);
	if (p->sidecar != NULL) {
		p->to_sidecar = (struct service_target){.host = "127.0.0.1", .port = port_of(p->sidecar)};
		p->forwarder = start(io, SERVICE_FORWARDER, &p->client, &p->to_sidecar);
		return true;
	}
	party_done(&p->server);
	party_done(&p->client);
	skip();
	return false;
}

void pair_end(struct pair *p)
{
	service_free(p->forwarder);
	service_free(p->sidecar);
	party_done(&p->server);
	party_done(&p->client);
}

int dial(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

void say(int fd, const void *p, size_t len)
{
	assert_int_equal(write(fd, p, len), len);
}

void hear(int fd, const void *p, size_t len)
{
	uint8_t got[4096];

	assert_true(len <= sizeof(got));
	for (size_t have = 0; have < len;) {
		ssize_t n = read(fd, got + have, len - have);

		if (n <= 0)
			fail_msg("the connection ended after %zu of %zu bytes", have, len);
		have += (size_t)n;
	}
	assert_memory_equal(got, p, len);
}

void await_counter(const atomic_uint_fast64_t *counter, uint64_t value)
{
	while (atomic_load(counter) != value)
		usleep(1000);
}
