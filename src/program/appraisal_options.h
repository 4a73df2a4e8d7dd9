/* SPDX-License-Identifier: Apache-2.0
 *
 * The options that say how a peer is appraised, and who we are to it: the same in every program, and the
 * objects of the library that they stand for.
 */
#ifndef PROGRAM_APPRAISAL_OPTIONS_H
#define PROGRAM_APPRAISAL_OPTIONS_H

#include "base/buf.h"
#include "base/opt.h"
#include "ratls.h"
#include "source/agent.h"

struct identity;

struct appraisal_options {
	char *policy;
	unsigned verifier; /* that appraisal_verifiers reads */
	char **mrtd, **rtmr0, **rtmr1, **rtmr2, **rtmr3;
	char **compose_hash, **app_id, **os_image_hash, **key_provider, **ppid;
	char *accept_tcb;
	char **pccs;
	char *collateral, *collateral_dir, *cache_dir;
	char *insecure_trust_root;
	bool insecure_allow_debug, insecure_allow_simulator;
	char *ita_url, *ita_portal, *ita_api_key_file;
	unsigned ita_event_log_off;
	bool insecure_ita_without_nonce, insecure_ita_host;
	char *ca_file;
	char *client_cert, *agent; /* who we are */
	bool insecure_remote_agent;
};

/* The tables of these options, for struct opt_program.shared: how the peer is appraised, who we are, and who
 * says so. */
extern const struct opt appraisal_rows[];
extern const struct opt appraisal_means_rows[]; /* by whom */
extern const struct opt appraisal_self_rows[];
extern const struct opt appraisal_agent_rows[];

/* The policy of --policy, widened by the values of the options. EXPECTED_MRTD of the environment counts
 * where neither names an MRTD: it never widens what was asked for. RATLS_E_ARG names the option, or file and
 * line. */
int appraisal_policy(const struct appraisal_options *o, struct ratls_policy **ret, struct ratls_error *err);

/* Does --policy, an option with a value to accept, or EXPECTED_MRTD say what the policy is? */
bool appraisal_names_policy(const struct appraisal_options *o);

/* May a policy that came in a file (shown as where) be obeyed? What weakens a check counts only together
 * with its option. */
int appraisal_check_policy(const struct appraisal_options *o, const char *where, const struct ratls_policy *policy,
	struct ratls_error *err);

/* The development root of --insecure-trust-root as DER, from PEM or DER; empty if there is none. */
int appraisal_trust_root(const struct appraisal_options *o, struct buf *ret, struct ratls_error *err);

/* Who asks, which decides where collateral is kept when --cache-dir does not: all in $CACHE_DIRECTORY if the service
 * manager names one, programs of a user's else in the user's cache. Who asks once waits for a refresh that is due. */
enum appraisal_asker { ASKER_DAEMON, ASKER_USER, ASKER_ONCE };

/* Where endorsements come from: --collateral, else --collateral-dir, what was kept, and --pccs. root is that of
 * appraisal_trust_root. */
int appraisal_source(const struct appraisal_options *o, enum appraisal_asker asker, const struct buf *root,
	struct ratls_source **ret, struct ratls_error *err);

/* Does --pccs name "none" in place of services? */
bool appraisal_asks_nobody(const struct appraisal_options *o);

/* Who verifies, as --verifier says: APPRAISED_... of appraise.h. */
int appraisal_verifiers(const struct appraisal_options *o, unsigned *ret, struct ratls_error *err);

/* What verifying takes. */
struct appraisal_means {
	unsigned verifiers;
	struct buf root;                 /* that of appraisal_trust_root */
	struct ratls_source *source;     /* NULL where nobody asks for collateral */
	struct ratls_ita *ita;           /* NULL where nobody asks for tokens */
	struct ratls_verifier *verifier; /* of these */
};

/* The options must outlive it. */
int appraisal_means_make(const struct appraisal_options *o, enum appraisal_asker asker, struct appraisal_means *ret,
	struct ratls_error *err);
/* Nobody waits for verdicts any more: those that wait for a service are told so. Zeroed means are fine. */
void appraisal_means_stop(struct appraisal_means *m);
/* Could all of this be used? What says no is what would when the program starts. */
int appraisal_check(const struct appraisal_options *o, enum appraisal_asker asker, struct ratls_error *err);
void appraisal_means_done(struct appraisal_means *m); /* zeroed means are fine */

/* Intel Trust Authority alone. */
int appraisal_ita(const struct appraisal_options *o, const struct buf *root, struct ratls_ita **ret,
	struct ratls_error *err);

/* dstack's variable that names a simulator in place of the guest agent. */
#define APPRAISAL_SIMULATOR "DSTACK_SIMULATOR_ENDPOINT"

/* --agent, else that simulator, else NULL: what agent_new wants. Borrowed. */
const char *appraisal_agent_endpoint(const struct appraisal_options *o);

/* RATLS_E_ARG where that agent's answers would cross a network in plaintext, unless insecure_remote_agent. */
int appraisal_check_agent(const struct appraisal_options *o, struct ratls_error *err);

/* That agent, if it may be asked so. */
int appraisal_agent(const struct appraisal_options *o, struct agent **ret, struct ratls_error *err);

/* What we ask a guest agent for when we are the client, each time alike. */
extern const struct agent_tls_key_request appraisal_key_request;

/* Who we are, as --client-cert says; RATLS_OK with NULL if that is nobody. A guest agent that was named but
 * does not answer is an error, and so is one that says no. Blocking. */
int appraisal_identity(const struct appraisal_options *o, struct identity **ret, struct ratls_error *err);

#endif
