/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps our identity fresh: a thread that asks the guest agent for a new certificate before the old one is
 * two thirds through its life, and hands it over. A failed renewal changes nothing and is tried again.
 */
#ifndef TLS_KEEPER_H
#define TLS_KEEPER_H

#include "ratls.h"
#include "source/agent.h"
#include "tls/identity.h"

/* Evidence should be young however long the certificate lives (dstack's lives ten years). */
#define KEEPER_RENEW_MAX (12 * 3600) /* seconds */
#define KEEPER_RETRY     30          /* seconds after a failure */

struct keeper;

struct keeper_options {
	struct agent *agent;                  /* borrowed */
	struct agent_tls_key_request request; /* its strings must stay */
	/* Called in the keeper's thread. renewed borrows id. */
	void (*renewed)(void *self, struct identity *id);
	void (*failed)(void *self, const struct ratls_error *err);
	void *self;
};

/* current is the identity in use (borrowed: only its dates are read). */
int keeper_start(const struct keeper_options *options, const struct identity *current, struct keeper **ret,
	struct ratls_error *err);

/* Waits for a renewal that is under way. */
void keeper_stop(struct keeper *k);

/* Renew now (SIGHUP). */
void keeper_kick(struct keeper *k);

/* Seconds from now until an identity should be renewed: at least 1. */
int64_t keeper_delay(int64_t now, int64_t not_after);

#endif
