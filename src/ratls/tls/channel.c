/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/channel.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/reason.h"
#include "tls/identity.h"

struct channel_context {
	atomic_uint references;
	SSL_CTX *ssl;
	BIO_METHOD *bio; /* the door between OpenSSL and the caller's buffers */
};

struct channel {
	struct channel_context *context;
	SSL *ssl;
	struct cur *in;          /* the caller's, during a call */
	struct channel_out *out; /* the caller's, during a call; may be NULL */
	struct buf pending;      /* ciphertext that had no room */
	bool close_sent;
};

/* ---- the door -------------------------------------------------------------------------------------- */

static int door_read(BIO *bio, char *to, size_t want, size_t *ret_len)
{
	struct channel *c = BIO_get_data(bio);
	struct cur got;

	BIO_clear_retry_flags(bio);
	if (c->in == NULL || c->in->left == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	got = cur_take(c->in, want < c->in->left ? want : c->in->left);
	memcpy(to, got.p, got.left);
	*ret_len = got.left;
	return 1;
}

static int door_write(BIO *bio, const char *from, size_t len, size_t *ret_len)
{
	struct channel *c = BIO_get_data(bio);
	struct channel_out *out = c->out;
	size_t fits = 0;

	BIO_clear_retry_flags(bio);
	if (out != NULL && c->pending.len == 0)
		fits = len < out->cap - out->len ? len : out->cap - out->len;
	if (fits > 0) {
		memcpy(out->p + out->len, from, fits);
		out->len += fits;
	}
	if (fits < len) {
		if (len - fits > CHANNEL_PENDING_MAX - c->pending.len)
			return 0;
		buf_bytes(&c->pending, from + fits, len - fits);
		if (c->pending.bad)
			return 0;
	}
	*ret_len = len;
	return 1;
}

static long door_ctrl(BIO *bio, int cmd, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_DUP;
}

static BIO_METHOD *door_new(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "channel");

	if (m == NULL || !BIO_meth_set_read_ex(m, door_read) || !BIO_meth_set_write_ex(m, door_write) ||
		!BIO_meth_set_ctrl(m, door_ctrl)) {
		BIO_meth_free(m);
		return NULL;
	}
	return m;
}

/* ---- the context ----------------------------------------------------------------------------------- */

/* Certificates are appraised after the handshake (relying_party.h), where a refusal can be explained. */
static int accept_unseen(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

/* Drivers that do direct TLS offer "postgresql"; forwarders offer nothing. Anything else is another
 * protocol's client led astray (ALPACA). */
static int select_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len, const unsigned char *offered,
	unsigned len, void *arg)
{
	struct cur in = cur_of(offered, len);

	(void)ssl;
	(void)arg;
	while (in.left > 0 && cur_ok(&in)) {
		struct cur name = cur_take(&in, cur_u8(&in));

		if (cur_is_str(&name, "postgresql")) {
			*ret = name.p;
			*ret_len = (unsigned char)name.left;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool configure(SSL_CTX *ssl)
{
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	/* No resumption: a ticket would carry the peer's whole certificate, and a session must be appraised. */
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_max_cert_list(ssl, (long)CHANNEL_PENDING_MAX);
	SSL_CTX_set_cert_verify_callback(ssl, accept_unseen, NULL);
	return SSL_CTX_set_num_tickets(ssl, 0) == 1 &&
	       SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
	       SSL_CTX_set1_groups_list(ssl, "X25519:P-256:P-384") == 1;
}

/* A client leaves out the root, as RFC 8446 §4.4.2 allows: who trusts it has it, and to decode it costs the server
 * as much as a signature. A server's is shown by `teesql root`. */
static bool use_chain(SSL_CTX *ssl, STACK_OF(X509) *chain, bool server)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *cert = sk_X509_value(chain, i);
		bool root = X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0;

		if ((server || !root) && SSL_CTX_add1_chain_cert(ssl, cert) != 1)
			return false;
	}
	return true;
}

static bool use_identity(SSL_CTX *ssl, struct identity *id, bool server)
{
	return SSL_CTX_use_certificate(ssl, identity_leaf(id)) == 1 &&
	       SSL_CTX_use_PrivateKey(ssl, identity_key(id)) == 1 && use_chain(ssl, identity_chain(id), server);
}

int channel_context_new(const struct channel_context_options *options, struct channel_context **ret,
	struct ratls_error *err)
{
	bool server = options->role == CHANNEL_SERVER;
	struct channel_context *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	atomic_init(&c->references, 1);
	c->bio = door_new();
	c->ssl = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	if (c->bio == NULL || c->ssl == NULL || !configure(c->ssl) ||
		(options->identity != NULL && !use_identity(c->ssl, options->identity, server))) {
		channel_context_free(c);
		ERR_clear_error();
		return err_set(err, RATLS_E_CRYPTO, "could not set up TLS with this certificate and key");
	}
	if (server)
		SSL_CTX_set_alpn_select_cb(c->ssl, select_alpn, NULL);
	if (!server || options->request_certificate)
		SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
	*ret = c;
	return RATLS_OK;
}

struct channel_context *channel_context_ref(struct channel_context *c)
{
	atomic_fetch_add(&c->references, 1);
	return c;
}

void channel_context_free(struct channel_context *c)
{
	if (c == NULL || atomic_fetch_sub(&c->references, 1) > 1)
		return;
	SSL_CTX_free(c->ssl);
	BIO_meth_free(c->bio);
	free(c);
}

/* ---- the channel ----------------------------------------------------------------------------------- */

static bool is_address(const char *name)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

int channel_new(struct channel_context *context, const char *server_name, struct channel **ret,
	struct ratls_error *err)
{
	struct channel *c = calloc(1, sizeof(*c));
	BIO *bio;

	if (c == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	c->context = channel_context_ref(context);
	c->ssl = SSL_new(context->ssl);
	bio = BIO_new(context->bio);
	if (c->ssl == NULL || bio == NULL) {
		BIO_free(bio);
		channel_free(c);
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	}
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	SSL_set_bio(c->ssl, bio, bio);
	if (SSL_is_server(c->ssl))
		SSL_set_accept_state(c->ssl);
	else
		SSL_set_connect_state(c->ssl);
	if (server_name != NULL && !is_address(server_name) && SSL_set_tlsext_host_name(c->ssl, server_name) != 1) {
		channel_free(c);
		ERR_clear_error();
		return err_set(err, RATLS_E_ARG, "host name \"%.100s\" does not fit into TLS", server_name);
	}
	*ret = c;
	return RATLS_OK;
}

void channel_free(struct channel *c)
{
	if (c == NULL)
		return;
	SSL_free(c->ssl);
	channel_context_free(c->context);
	buf_done(&c->pending);
	free(c);
}

/* "RH": it is a record's header that is read next. OpenSSL before 3.0.14 frees the buffer below the rest of a record
 * whose header it has read (CVE-2024-4741); what is there but was not taken it keeps by itself. */
void channel_rest(struct channel *c)
{
	if (strcmp(SSL_rstate_string(c->ssl), "RH") == 0 && !SSL_has_pending(c->ssl))
		(void)SSL_free_buffers(c->ssl);
}

void channel_flush(struct channel *c, struct channel_out *out)
{
	size_t n = out->cap - out->len < c->pending.len ? out->cap - out->len : c->pending.len;

	if (n == 0)
		return;
	memcpy(out->p + out->len, c->pending.p, n);
	out->len += n;
	if (n == c->pending.len) {
		buf_done(&c->pending);
		return;
	}
	memmove(c->pending.p, c->pending.p + n, c->pending.len - n);
	c->pending.len -= n;
}

bool channel_has_pending(const struct channel *c)
{
	return c->pending.len > 0;
}

static void begin(struct channel *c, struct cur *in, struct channel_out *out)
{
	if (ERR_peek_error() != 0) /* costs a tenth of clearing what is clear */
		ERR_clear_error(); /* SSL_get_error looks at the thread's queue */
	c->in = in;
	c->out = out;
	if (out != NULL)
		channel_flush(c, out);
}

static enum channel_status end(struct channel *c, int result, const char *what, struct ratls_error *err)
{
	const char *reason;

	c->in = NULL;
	c->out = NULL;
	if (result > 0)
		return CHANNEL_OK;
	switch (SSL_get_error(c->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return CHANNEL_WANT_READ;
	case SSL_ERROR_ZERO_RETURN:
		return CHANNEL_CLOSED;
	default:
		reason = ERR_reason_error_string(ERR_peek_error());
		err_reason(err, RATLS_E_TLS, REASON_TLS_HANDSHAKE, "%s: %s", what,
			reason != NULL ? reason : "the TLS library gave no reason");
		ERR_clear_error();
		return CHANNEL_FAILED;
	}
}

enum channel_status channel_handshake(struct channel *c, struct cur *in, struct channel_out *out,
	struct ratls_error *err)
{
	begin(c, in, out);
	return end(c, SSL_do_handshake(c->ssl), "TLS handshake failed", err);
}

enum channel_status channel_read(struct channel *c, struct cur *in, struct channel_out *out, uint8_t *plain,
	size_t cap, size_t *ret_len, struct ratls_error *err)
{
	begin(c, in, out);
	*ret_len = 0;
	return end(c, SSL_read_ex(c->ssl, plain, cap, ret_len), "could not read from TLS", err);
}

enum channel_status channel_write(struct channel *c, const uint8_t *plain, size_t len,
	struct channel_out *out, struct ratls_error *err)
{
	size_t written = 0;

	begin(c, NULL, out);
	return end(c, SSL_write_ex(c->ssl, plain, len, &written), "could not write to TLS", err);
}

void channel_close(struct channel *c, struct channel_out *out)
{
	if (c->close_sent || !SSL_is_init_finished(c->ssl))
		return;
	c->close_sent = true;
	begin(c, NULL, out);
	(void)SSL_shutdown(c->ssl); /* the peer's own close_notify is read, if it comes, by channel_read */
	ERR_clear_error();
	c->out = NULL;
}

int channel_peer_certificate(struct channel *c, struct buf *ret, struct ratls_error *err)
{
	X509 *leaf = SSL_get0_peer_certificate(c->ssl);
	unsigned char *to;
	int len;

	if (leaf == NULL)
		return err_reason(err, RATLS_E_NO_EVIDENCE, REASON_CLIENT_CERTIFICATE,
			"the peer presented no certificate");
	len = i2d_X509(leaf, NULL);
	to = len > 0 ? buf_reserve(ret, (size_t)len) : NULL;
	if (to == NULL || i2d_X509(leaf, &to) != len)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	buf_added(ret, (size_t)len);
	return RATLS_OK;
}

int channel_peer_chain_pem(struct channel *c, struct buf *ret, struct ratls_error *err)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(c->ssl);
	BIO *text = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len;
	int rc = RATLS_OK;

	for (int i = 0; text != NULL && i < sk_X509_num(chain); i++)
		if (PEM_write_bio_X509(text, sk_X509_value(chain, i)) != 1)
			rc = err_set(err, RATLS_E_CRYPTO, "could not write a certificate as PEM");
	len = text != NULL ? BIO_get_mem_data(text, &p) : 0;
	if (rc == RATLS_OK && len <= 0)
		rc = err_set(err, RATLS_E_NO_EVIDENCE, "the peer presented no certificate");
	if (rc == RATLS_OK)
		buf_bytes(ret, p, (size_t)len);
	BIO_free(text);
	return rc;
}

/* OpenSSL keeps the peer's chain as long as the session, and there is no call to let go of it. The leaf itself
 * must stay, but not its extensions, of which one is a quote: they are half of it. */
void channel_forget_peer(struct channel *c)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(c->ssl);
	X509 *leaf = SSL_get0_peer_certificate(c->ssl);

	while (sk_X509_num(chain) > 0)
		X509_free(sk_X509_pop(chain));
	while (leaf != NULL && X509_get_ext_count(leaf) > 0)
		X509_EXTENSION_free(X509_delete_ext(leaf, X509_get_ext_count(leaf) - 1));
}

void channel_info(const struct channel *c, struct channel_info *ret)
{
	const unsigned char *alpn;
	unsigned len;

	*ret = (struct channel_info){.version = SSL_get_version(c->ssl), .cipher = SSL_get_cipher_name(c->ssl)};
	SSL_get0_alpn_selected(c->ssl, &alpn, &len);
	if (len > 0 && len < sizeof(ret->alpn))
		memcpy(ret->alpn, alpn, len);
}
