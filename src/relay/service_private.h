/* SPDX-License-Identifier: Apache-2.0
 *
 * The service as its connections see it. Private to the room.
 */
#ifndef RELAY_SERVICE_PRIVATE_H
#define RELAY_SERVICE_PRIVATE_H

#include <pthread.h>
#include <netinet/in.h>

#include "relay/pool.h"
#include "relay/service.h"

struct conn;
struct end;

#define WARM_CHANNELS 64 /* of a loop: those in use last keep their record buffers */

/* Whose connection it is, for the limit of one peer: the address without the port. */
struct peer_key {
	sa_family_t family; /* 0: not counted */
	struct in6_addr address;
};

struct worker {
	struct service *service;
	struct loop *loop;
	pthread_t thread;
	bool started;
	/* Of this loop; only its thread touches them. */
	struct conn *conns;
	struct end *warm[WARM_CHANNELS];
	unsigned next_warm;
	/* What the acceptor looks at when it chooses a loop: those that are there, and those on their way. */
	atomic_uint_fast64_t n_conns, n_coming;
	struct loop_post drain_post, stop_post;
};

struct listener {
	struct loop_acceptor acceptor;
	struct service *service;
	char name[SERVICE_NAME_SIZE];
	bool unlink_path;
};

struct service {
	struct service_options options;
	struct service_counters counters;
	atomic_uint_fast64_t next_id;
	/* Names are resolved by others than those that appraise: a resolver that does not answer holds its caller
	 * for as long as it likes. */
	struct pool *appraisers, *resolvers;
	struct worker *workers;
	unsigned n_workers;
	struct listener *listeners;
	size_t n_listeners;
	pthread_mutex_t context_lock;
	struct channel_context *context;
	struct admissions *admissions;
	atomic_bool draining, ending;
};

/* The current context, a reference for the caller. */
struct channel_context *service_context(struct service *s);

/* ---- who may come in (admission.c) ---------------------------------------------------------------------- */

enum admission {
	ADMISSION_GRANTED,
	ADMISSION_FULL,           /* the rest may be told why, in connections that count against no limit... */
	ADMISSION_FULL_OF_PEER,
	ADMISSION_FULL_OF_SETUPS,
	ADMISSION_TURNED_AWAY,    /* ...but this one not: ADMISSION_TOLD_MAX are being told already */
};

#define ADMISSION_TOLD_MAX 64

/* limits are borrowed. fair: addresses are of different people. */
struct admissions *admissions_new(const struct service_limits *limits, bool fair);
void admissions_free(struct admissions *a);

/* One more connection of this peer, which has to be set up. Any thread. */
enum admission admission_enter(struct admissions *a, const struct peer_key *key);

/* Its setup is over; only of one that was granted, once. */
void admission_settle(struct admissions *a, const struct peer_key *key);

/* It has gone; `as` is what admission_enter said, unless that was ADMISSION_TURNED_AWAY. Settled before. */
void admission_leave(struct admissions *a, const struct peer_key *key, enum admission as);

/* ---- addresses and listening sockets (listen.c) ------------------------------------------------------- */

int listen_open(const char *where, struct listener *ret, struct ratls_error *err);
int listen_adopt(int fd, struct listener *ret, struct ratls_error *err);
void listen_close(struct listener *l);
bool listen_has_ipv6(void);
struct peer_key listen_peer(int fd, char *text, size_t size);

#endif
