/* SPDX-License-Identifier: Apache-2.0
 *
 * One end of attested connections, as long as a program serves: whom it believes (relying party) and who it
 * is (identity), with what renews both. The new thing is made first and swapped in whole; what could not be made
 * changes nothing but the log.
 */
#ifndef PROGRAM_PARTY_H
#define PROGRAM_PARTY_H

#include "program/appraisal_options.h"
#include "relay/service.h"
#include "tls/channel.h"

struct keeper;

/* What to say where it compares nothing. */
#define PARTY_COMPARES_NOTHING "nothing was compared: the policy names no measurement, so any TDX machine passes"

struct party {
	/* The caller's; borrowed until party_done. */
	const struct appraisal_options *options;
	enum channel_role role;
	enum appraisal_asker asker;
	struct agent_tls_key_request request; /* what the agent is asked for anew */
	struct identity *identity;            /* what is presented at first; NULL: nothing. Taken. */
	struct agent *agent;                  /* NULL: it does not come from there. Taken. */
	/* Made here; zero before. */
	struct appraisal_means means;
	struct relying_party *relying_party;
	bool compares; /* the policy at start names a measurement */
	struct keeper *keeper;
	struct service *service;
};

/* The relying party that the options say. */
int party_believe(struct party *p, struct ratls_error *err);

/* Serve with this relying party and identity, which is renewed from now on if it is the agent's. The strings of o
 * stay the caller's until party_done; its relying party is set here. */
int party_serve(struct party *p, struct service_options *o, struct ratls_error *err);

/* SIGHUP, for daemon_wait: the policy is read anew, and so is a certificate that comes from files; one of the guest
 * agent's is asked for anew. self is the party. */
void party_reload(void *self);

/* Ends what is served. */
void party_done(struct party *p);

#endif
