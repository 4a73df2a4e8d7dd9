/* SPDX-License-Identifier: Apache-2.0
 *
 * A forwarder and a sidecar on real sockets in one process, with forged machines at both ends, and a back end
 * that echoes. Everything asserts; nothing returns errors.
 */
#ifndef TEST_SERVICE_STAGE_H
#define TEST_SERVICE_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>

#include "../ratls/source/forged_service.h"
#include "relay/service.h"
#include "tls/channel.h"
#include "tls/identity.h"
#include "tls/relying_party.h"

extern const uint8_t seed[FORGE_SEED_SIZE];

/* StartupMessage: user "u", database "d". */
extern const uint8_t startup[27];

/* ---- a back end that echoes ------------------------------------------------------------------------------- */

struct backend {
	int fd;
	uint16_t port;
	pthread_t thread;
	atomic_int accepted;
};
extern struct backend backend;

int backend_start(void **state);
int backend_stop(void **state);

/* ---- a machine: its identity, and a relying party that believes in its root --------------------------------- */

struct party {
	struct forge_machine machine;
	struct forged_service collateral;
	struct ratls_source *source;
	struct ratls_verifier *by;
	struct relying_party *relying_party;
	struct identity *identity;
	struct channel_context *context;
	_Atomic(sem_t *) gate; /* the collateral waits here, if not NULL */
	sem_t asked; /* posted when it is asked for */
};

void party_make(struct party *p, enum channel_role role, bool without_evidence);
void party_done(struct party *p);

/* A certificate of the machine for the key of this name. */
struct identity *make_identity(const struct forge_machine *m, const char *name, bool without_evidence);

/* ---- the pair -------------------------------------------------------------------------------------------------- */

struct pair {
	struct party server, client;
	struct service_target to_backend, to_sidecar;
	struct service *sidecar, *forwarder;
};

extern int64_t forwarder_patience; /* for a verdict, ms */
extern unsigned service_threads;

/* state is the io of the loop. False, and the test is skipped, where it cannot be had. */
bool pair_start(struct pair *p, void **state, bool client_without_evidence);
void pair_end(struct pair *p);

struct service *start(enum loop_io io, enum service_role role, struct party *p, struct service_target *target);
uint16_t port_of(const struct service *s);

/* ---- driving it -------------------------------------------------------------------------------------------------- */

int dial(uint16_t port);
void say(int fd, const void *p, size_t len);

/* Exactly these bytes come next. */
void hear(int fd, const void *p, size_t len);

void await_counter(const atomic_uint_fast64_t *counter, uint64_t value);

#endif
