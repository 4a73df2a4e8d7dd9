/* SPDX-License-Identifier: Apache-2.0
 *
 * The dstack guest agent, which gives a confidential VM its keys, certificates and quotes: HTTP with JSON
 * over a Unix socket or TCP. Blocking; for worker threads.
 */
#ifndef SOURCE_AGENT_H
#define SOURCE_AGENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "ratls.h"

#define AGENT_ANSWER_MAX ((size_t)4 << 20) /* Info carries the compose file, GetQuote the event log */
#define AGENT_CHAIN_MAX  16                /* certificates of an answer, and of an identity wherever it is from */
#define AGENT_PEM_MAX    ((size_t)1 << 20) /* likewise: the key, and all certificates together */
#define AGENT_TIMEOUT_MS 30000             /* GetTlsKey waits for a quote and a key service */

struct agent;

/* endpoint is a socket path or an http(s):// URL; NULL looks for the agent's socket in the SDKs' order (the
 * caller passes DSTACK_SIMULATOR_ENDPOINT itself: the library reads no environment). fetch NULL is the
 * built-in transport. RATLS_E_ARG if it can be no endpoint; nothing is contacted yet.
 *
 * An agent is immutable: threads may share it. All calls below fail with RATLS_E_UNAVAILABLE if the agent
 * did not answer (reason AGENT_UNREACHABLE), said no or answered nonsense (AGENT_REFUSED). */
int agent_new(const char *endpoint, ratls_fetch_fn fetch, void *fetch_self, struct agent **ret,
	struct ratls_error *err);
void agent_free(struct agent *a);
const char *agent_endpoint(const struct agent *a);

struct agent_tls_key_request {
	const char *subject;           /* common name */
	const char *const *alt_names;  /* NULL-terminated, or NULL */
	bool server_auth, client_auth; /* usage_ra_tls is always asked for */
	int64_t not_after;             /* 0: the agent's default */
};

/* The key as PKCS#8 PEM and the chain as concatenated PEM, leaf first. ret_key is a secret: free it with
 * secret_buf_done. */
int agent_tls_key(struct agent *a, const struct agent_tls_key_request *request, struct buf *ret_key,
	struct buf *ret_chain, struct ratls_error *err);

/* A quote over report_data (at most 64 bytes), raw. */
int agent_quote(struct agent *a, const uint8_t *report_data, size_t len, struct buf *ret_quote,
	struct ratls_error *err);

/* The 32-byte key of path; ret_key is a secret. */
int agent_key(struct agent *a, const char *path, uint8_t ret_key[static 32], struct ratls_error *err);

/* Info as the JSON text that came: an object. */
int agent_info(struct agent *a, struct buf *ret_json, struct ratls_error *err);

#endif
