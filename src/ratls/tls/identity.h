/* SPDX-License-Identifier: Apache-2.0
 *
 * Our own key and attested certificate. Immutable. Renewal makes a new one and a channel_context of it, which
 * has its own references to both (invariant rotation_drops_nothing): sessions keep the one they began with.
 */
#ifndef TLS_IDENTITY_H
#define TLS_IDENTITY_H

#include <openssl/types.h>
#include <stdint.h>

#include "base/cur.h"
#include "ratls.h"

struct identity;
struct agent;
struct agent_tls_key_request;

/* From PEM: a PKCS#8 key and a chain, leaf first, whose leaf has that key (RATLS_E_ARG otherwise). */
int identity_from_pem(struct cur key, struct cur chain, struct identity **ret, struct ratls_error *err);

/* A new one from the guest agent (blocking). */
int identity_from_agent(struct agent *a, const struct agent_tls_key_request *request, struct identity **ret,
	struct ratls_error *err);

void identity_free(struct identity *id); /* wipes the key, unless a channel_context still uses it */

int64_t identity_not_after(const struct identity *id);
EVP_PKEY *identity_key(const struct identity *id);         /* borrowed */
X509 *identity_leaf(const struct identity *id);            /* borrowed */
struct stack_st_X509 *identity_chain(const struct identity *id); /* borrowed; without the leaf */

#endif
