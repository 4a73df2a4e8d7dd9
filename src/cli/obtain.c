/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/obtain.h"

#include <stdlib.h>

#include "appraisal/json_bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "evidence/evidence.h"
#include "tls/identity.h"

const struct opt obtain_rows[] = {
	{"starttls", OPT_BOOL, offsetof(struct obtain_options, starttls), NULL, NULL,
		"ask for TLS as PostgreSQL does, for a server that does not begin with TLS"},
	{"timeout", OPT_TIME, offsetof(struct obtain_options, timeout_ms), "15s", "TIME",
		"how long to wait for a connection, and for the handshake; 0 is no limit"},
	{.name = NULL},
};

/* Looking at a server needs no certificate of ours: without one it still shows its own. */
static struct identity *who_we_are(const struct appraisal_options *self)
{
	struct identity *identity = NULL;
	struct ratls_error err;

	if (appraisal_identity(self, &identity, &err) != RATLS_OK)
		cli_warn("no certificate is presented to the server: %s", err.message);
	return identity;
}

static int obtain_from_server(const struct target *t, const struct obtain_options *o,
	const struct appraisal_options *self, struct obtained *ret, struct ratls_error *err)
{
	struct identity *identity = who_we_are(self);
	struct dial_options options = {.hosts = t->hosts,
		.n_hosts = t->n_hosts,
		.identity = identity,
		.starttls = o->starttls,
		.timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : INT32_MAX};
	int rc;

	rc = dial(&options, &ret->peer, err);
	identity_free(identity);
	if (rc != RATLS_OK)
		return rc;
	ret->has_peer = true;
	ret->material = (struct material){
		.kind = MATERIAL_CERTIFICATE, .bytes = ret->peer.leaf, .chain_pem = ret->peer.chain_pem};
	ret->peer.leaf = ret->peer.chain_pem = (struct buf){0};
	return RATLS_OK;
}

int obtain(const char *target, const struct obtain_options *o, const struct appraisal_options *self,
	const struct cli *cli, struct obtained *ret, struct ratls_error *err)
{
	struct target t;
	struct buf name = {0};
	int rc = target_parse(target, &t, err);

	if (rc != RATLS_OK)
		return rc;
	target_format(&t, &name);
	ret->requested = buf_take_str(&name);
	if (ret->requested != NULL)
		utf8_clean(ret->requested); /* it is shown, and a file name may be anything */
	if (ret->requested == NULL)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	else if (t.kind == TARGET_FILE)
		rc = material_load(t.path, &ret->material, err);
	else {
		if (!cli->json)
			cli_note(cli, "connecting to %s", ret->requested);
		rc = obtain_from_server(&t, o, self, ret, err);
	}
	target_done(&t);
	return rc;
}

void obtained_done(struct obtained *o)
{
	free(o->requested);
	peer_done(&o->peer);
	material_done(&o->material);
	*o = (struct obtained){0};
}

static json_t *spki_digest(const struct ratls_evidence *evidence)
{
	uint8_t digest[HASH_SHA256_SIZE];

	if (evidence == NULL || evidence->spki.left == 0 ||
		!hash_bytes(HASH_SHA256, evidence->spki.p, evidence->spki.left, digest))
		return json_null();
	return json_of_hex(cur_of(digest, sizeof(digest)));
}

json_t *obtained_endpoint(const struct obtained *o, const struct ratls_evidence *evidence)
{
	const struct peer *p = o->has_peer ? &o->peer : NULL;
	bool certificate = evidence != NULL && evidence->leaf.left > 0;

	return json_pack("{s:s?, s:s?, s:{s:s?, s:s?, s:s?}, s:o, s:o, s:o}", "requested", o->requested,
		"address", p != NULL ? p->address : NULL, "tls", "version", p != NULL ? p->tls_version : NULL,
		"cipher", p != NULL ? p->cipher : NULL, "alpn",
		p != NULL && p->alpn[0] != '\0' ? p->alpn : NULL, "spki_sha256", spki_digest(evidence),
		"not_before", certificate ? json_of_time(evidence->not_before) : json_null(), "not_after",
		certificate ? json_of_time(evidence->not_after) : json_null());
}
