/* SPDX-License-Identifier: Apache-2.0
 *
 * A server of another make behind the forwarder: its session tickets hold the client's certificate and come in many
 * records, and between two of them TLS takes nothing that the driver says.
 */
#include "service_stage.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

/* It echoes one session, and keeps back all of the tickets but the first record until it is let go. */
struct ticketer {
	int fd;
	uint16_t port;
	SSL_CTX *tls;
	sem_t started, go; /* the StartupMessage has come; the rest of the tickets may */
	pthread_t thread;
};

struct wire {
	int fd;
	SSL *ssl;
	BIO *in, *out;
};

static void flush(const struct wire *w, size_t most)
{
	uint8_t bytes[65536];

	while (most > 0 && BIO_pending(w->out) > 0) {
		int n = BIO_read(w->out, bytes, most < sizeof(bytes) ? (int)most : (int)sizeof(bytes));

		say(w->fd, bytes, (size_t)n);
		most -= (size_t)n;
	}
}

/* Plaintext, when there is some; 0 at the end. */
static size_t receive(const struct wire *w, char text[static 256])
{
	uint8_t bytes[65536];
	int n;

	while ((n = SSL_read(w->ssl, text, 256)) <= 0) {
		ssize_t got = SSL_get_error(w->ssl, n) == SSL_ERROR_WANT_READ ? read(w->fd, bytes, sizeof(bytes)) : 0;

		if (got <= 0)
			return 0;
		BIO_write(w->in, bytes, (int)got);
	}
	return (size_t)n;
}

static void shake_hands(const struct wire *w)
{
	uint8_t bytes[65536];

	while (SSL_accept(w->ssl) != 1) {
		ssize_t n;

		flush(w, SIZE_MAX);
		n = read(w->fd, bytes, sizeof(bytes));
		assert_true(n > 0);
		BIO_write(w->in, bytes, (int)n);
	}
}

static size_t first_record(const struct wire *w)
{
	uint8_t *p;

	assert_true(BIO_get_mem_data(w->out, &p) > 5);
	return 5 + ((size_t)p[3] << 8) + p[4]; /* RFC 8446 section 5.1 */
}

static void *serve(void *arg)
{
	struct ticketer *t = arg;
	struct wire w = {.fd = accept(t->fd, NULL, NULL), .ssl = SSL_new(t->tls)};
	char text[256];
	size_t n;

	w.in = BIO_new(BIO_s_mem());
	w.out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(w.in, -1);
	SSL_set_bio(w.ssl, w.in, w.out);
	shake_hands(&w);
	assert_true((size_t)BIO_pending(w.out) > 2 * first_record(&w));
	flush(&w, first_record(&w));
	n = receive(&w, text);
	sem_post(&t->started);
	sem_wait(&t->go);
	for (; n > 0; n = receive(&w, text)) {
		SSL_write(w.ssl, text, (int)n);
		flush(&w, SIZE_MAX);
	}
	SSL_free(w.ssl);
	close(w.fd);
	return NULL;
}

static int accept_all(int preverified, X509_STORE_CTX *store)
{
	(void)preverified;
	(void)store;
	return 1;
}

static void ticketer_start(struct ticketer *t, struct identity *id)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	t->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(t->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(t->fd, 1), 0);
	assert_int_equal(getsockname(t->fd, (struct sockaddr *)&a, &len), 0);
	t->port = ntohs(a.sin_port);
	t->tls = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(t->tls, identity_leaf(id)), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(t->tls, identity_key(id)), 1);
	SSL_CTX_set_verify(t->tls, SSL_VERIFY_PEER, accept_all);
	SSL_CTX_set_session_id_context(t->tls, (const uint8_t *)"t", 1);
	SSL_CTX_set_max_send_fragment(t->tls, 512);
	sem_init(&t->started, 0, 0);
	sem_init(&t->go, 0, 0);
	assert_int_equal(pthread_create(&t->thread, NULL, serve, t), 0);
}

static void ticketer_end(struct ticketer *t)
{
	pthread_join(t->thread, NULL);
	SSL_CTX_free(t->tls);
	sem_destroy(&t->started);
	sem_destroy(&t->go);
	close(t->fd);
}

/* The forwarder's one loop answers this after all that came to it before. */
static void catch_up(const struct service *forwarder)
{
	static const uint8_t ssl_request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
	int fd = dial(port_of(forwarder));

	say(fd, ssl_request, sizeof(ssl_request));
	hear(fd, "N", 1);
	close(fd);
}

static void what_tls_cannot_take_now_is_not_lost(void **state)
{
	struct ticketer t;
	struct pair p;
	int fd;

	service_threads = 1;
	if (!pair_start(&p, state, false))
		return;
	ticketer_start(&t, p.server.identity);
	service_free(p.forwarder);
	p.to_sidecar.port = t.port;
	p.forwarder = start(*(enum loop_io *)*state, SERVICE_FORWARDER, &p.client, &p.to_sidecar);
	fd = dial(port_of(p.forwarder));
	say(fd, startup, sizeof(startup));
	sem_wait(&t.started);
	catch_up(p.forwarder);
	say(fd, "one", 3);
	catch_up(p.forwarder);
	sem_post(&t.go);
	hear(fd, startup, sizeof(startup));
	say(fd, "two", 3);
	shutdown(fd, SHUT_WR);
	hear(fd, "onetwo", 6);
	close(fd);
	ticketer_end(&t);
	pair_end(&p);
}

int main(void)
{
	static enum loop_io uring = LOOP_IO_URING, epoll = LOOP_IO_EPOLL;
	const struct CMUnitTest tests[] = {
		{"what_tls_cannot_take_now_is_not_lost (io_uring)", what_tls_cannot_take_now_is_not_lost, NULL, NULL, &uring},
		{"what_tls_cannot_take_now_is_not_lost (epoll)", what_tls_cannot_take_now_is_not_lost, NULL, NULL, &epoll},
	};

	return cmocka_run_group_tests(tests, backend_start, backend_stop);
}
