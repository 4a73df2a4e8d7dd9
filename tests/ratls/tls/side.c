/* SPDX-License-Identifier: Apache-2.0 */
#include "side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

/* ---- identities ---------------------------------------------------------------------------------- */

static void add_extension(X509 *x, size_t size)
{
	uint8_t *bytes = calloc(1, size + 1);
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.62397.1.8", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;

	assert_int_equal(ASN1_OCTET_STRING_set(value, bytes, (int)size), 1);
	assert_non_null(X509_EXTENSION_create_by_OBJ(&extension, oid, 0, value));
	assert_int_equal(X509_add_ext(x, extension, -1), 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
	free(bytes);
}

static X509 *make_certificate(EVP_PKEY *key, size_t extension)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	X509_set_version(x, X509_VERSION_3);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)"side", -1, -1, 0);
	X509_set_issuer_name(x, name);
	ASN1_TIME_set(X509_getm_notBefore(x), 157766400);
	ASN1_TIME_set(X509_getm_notAfter(x), 4000000000);
	X509_set_pubkey(x, key);
	if (extension > 0)
		add_extension(x, extension);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

struct identity *side_identity(size_t extension)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = make_certificate(key, extension);
	BIO *key_pem = BIO_new(BIO_s_mem()), *chain_pem = BIO_new(BIO_s_mem());
	struct identity *id = NULL;
	char *k, *c;
	long k_len, c_len;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(PEM_write_bio_X509(chain_pem, x), 1);
	k_len = BIO_get_mem_data(key_pem, &k);
	c_len = BIO_get_mem_data(chain_pem, &c);
	assert_int_equal(
		identity_from_pem(cur_of(k, (size_t)k_len), cur_of(c, (size_t)c_len), &id, NULL), RATLS_OK);
	BIO_free(key_pem);
	BIO_free(chain_pem);
	X509_free(x);
	EVP_PKEY_free(key);
	return id;
}

void side_leaf(struct identity *id, struct buf *ret)
{
	unsigned char *der = NULL;
	int len = i2d_X509(identity_leaf(id), &der);

	assert_true(len > 0);
	buf_bytes(ret, der, (size_t)len);
	OPENSSL_free(der);
}

/* ---- sides --------------------------------------------------------------------------------------- */

void side_channel(struct side *s, enum channel_role role, struct identity *id, const char *server_name)
{
	struct channel_context_options o = {.role = role, .identity = id, .request_certificate = true};
	struct channel_context *context;

	*s = (struct side){.room = (size_t)64 << 10, .chunk = (size_t)64 << 10, .status = CHANNEL_WANT_READ};
	assert_int_equal(channel_context_new(&o, &context, NULL), RATLS_OK);
	assert_int_equal(channel_new(context, server_name, &s->channel, NULL), RATLS_OK);
	channel_context_free(context); /* the channel has its own reference */
}

SSL_CTX *side_ssl_context(enum channel_role role, struct identity *id, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(role == CHANNEL_SERVER ? TLS_server_method() : TLS_client_method());

	assert_non_null(ctx);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_max_cert_list(ctx, 1 << 20);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	if (id != NULL) {
		assert_int_equal(SSL_CTX_use_certificate(ctx, identity_leaf(id)), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx, identity_key(id)), 1);
	}
	return ctx;
}

void side_ssl(struct side *s, SSL_CTX *ctx, enum channel_role role)
{
	*s = (struct side){.status = CHANNEL_WANT_READ, .ssl = SSL_new(ctx)};
	assert_non_null(s->ssl);
	SSL_set_bio(s->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (role == CHANNEL_SERVER)
		SSL_set_accept_state(s->ssl);
	else
		SSL_set_connect_state(s->ssl);
}

void side_done(struct side *s)
{
	channel_free(s->channel);
	SSL_free(s->ssl);
	buf_done(&s->in);
	*s = (struct side){0};
}

struct cur side_unread(const struct side *s)
{
	return s->in.p == NULL ? cur_of(NULL, 0) : cur_of(s->in.p + s->taken, s->in.len - s->taken);
}

void side_drop_unread(struct side *s)
{
	buf_done(&s->in);
	s->taken = 0;
}

/* ---- moving bytes -------------------------------------------------------------------------------- */

static void deliver(struct side *to, const uint8_t *p, size_t len)
{
	if (len == 0)
		return;
	if (to->taken == to->in.len)
		side_drop_unread(to);
	buf_bytes(&to->in, p, len);
}

/* What OpenSSL's peer has to send. */
static bool collect(struct side *s, struct side *other)
{
	char *p;
	long len = BIO_get_mem_data(SSL_get_wbio(s->ssl), &p);

	if (len <= 0)
		return false;
	deliver(other, (uint8_t *)p, (size_t)len);
	BIO_reset(SSL_get_wbio(s->ssl));
	return true;
}

static void feed(struct side *s)
{
	struct cur in = side_unread(s);

	if (in.left > 0)
		assert_int_equal(BIO_write(SSL_get_rbio(s->ssl), in.p, (int)in.left), in.left);
	s->taken = s->in.len;
}

static enum channel_status ssl_status(struct side *s, int result)
{
	int error = result > 0 ? SSL_ERROR_NONE : SSL_get_error(s->ssl, result);

	if (error == SSL_ERROR_SSL)
		snprintf(s->err.message, sizeof(s->err.message), "%s",
			ERR_reason_error_string(ERR_peek_error()));
	ERR_clear_error();
	return error == SSL_ERROR_NONE          ? CHANNEL_OK
	       : error == SSL_ERROR_WANT_READ   ? CHANNEL_WANT_READ
	       : error == SSL_ERROR_ZERO_RETURN ? CHANNEL_CLOSED
						: CHANNEL_FAILED;
}

static bool ssl_turn(struct side *s, struct side *other)
{
	bool came = side_unread(s).left > 0;

	if (s->status == CHANNEL_WANT_READ) {
		feed(s);
		s->status = ssl_status(s, SSL_do_handshake(s->ssl));
	} else {
		came = false;
	}
	return collect(s, other) || came;
}

static bool channel_turn(struct side *s, struct side *other)
{
	struct cur unread = side_unread(s),
		   in = cur_of(unread.p, unread.left < s->chunk ? unread.left : s->chunk);
	size_t n = in.left;
	uint8_t *room = malloc(s->room);
	struct channel_out out = {room, 0, s->room};

	if (s->status == CHANNEL_WANT_READ)
		s->status = channel_handshake(s->channel, &in, &out, &s->err);
	else
		channel_flush(s->channel, &out);
	if (s->status == CHANNEL_WANT_READ)
		assert_int_equal(in.left, 0); /* it wants more only when it has taken all */
	assert_true(out.len <= out.cap);
	s->taken += n - in.left;
	deliver(other, room, out.len);
	n -= in.left;
	free(room);
	return n > 0 || out.len > 0;
}

bool side_turn(struct side *s, struct side *other)
{
	return s->ssl != NULL ? ssl_turn(s, other) : channel_turn(s, other);
}

void side_shake(struct side *a, struct side *b)
{
	bool moved = true;

	while (moved) {
		moved = side_turn(a, b);
		moved = side_turn(b, a) || moved;
	}
}

void side_say(struct side *s, struct side *other, const void *text, size_t len)
{
	struct channel_out out = {NULL, 0, CHANNEL_SEALED_MAX(len)};

	if (s->ssl != NULL) {
		assert_int_equal(SSL_write(s->ssl, text, (int)len), len);
		collect(s, other);
		return;
	}
	out.p = malloc(out.cap);
	assert_int_equal(channel_write(s->channel, text, len, &out, &s->err), CHANNEL_OK);
	deliver(other, out.p, out.len);
	free(out.p);
}

enum channel_status side_hear(struct side *s, struct side *other, struct buf *ret)
{
	enum channel_status status = CHANNEL_OK;
	uint8_t plain[16384], room[1024];
	size_t n;

	if (s->ssl != NULL)
		feed(s);
	while (status == CHANNEL_OK) {
		struct channel_out out = {room, 0, sizeof(room)};
		struct cur in = side_unread(s);

		n = 0;
		if (s->ssl != NULL)
			status = ssl_status(s, SSL_read_ex(s->ssl, plain, sizeof(plain), &n));
		else
			status = channel_read(s->channel, &in, &out, plain, sizeof(plain), &n, &s->err);
		assert_true(status == CHANNEL_OK ? n > 0 : n == 0);
		if (s->ssl == NULL)
			s->taken = s->in.len - in.left;
		if (n > 0)
			buf_bytes(ret, plain, n);
		deliver(other, room, out.len);
	}
	if (s->ssl != NULL)
		collect(s, other);
	return status;
}
