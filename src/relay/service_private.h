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
	struct peer_table *peers;
	atomic_bool draining, ending;
};

/* The current context, a reference for the caller. */
struct channel_context *service_context(struct service *s);

/* Count one more connection of this peer; false if it is one too many (not counted then). */
bool peers_enter(struct peer_table *t, const struct peer_key *key);
void peers_leave(struct peer_table *t, const struct peer_key *key);
struct peer_table *peers_new(uint64_t limit);
void peers_free(struct peer_table *t);

/* ---- addresses and listening sockets (listen.c) ------------------------------------------------------- */

int listen_open(const char *where, struct listener *ret, struct ratls_error *err);
int listen_adopt(int fd, struct listener *ret, struct ratls_error *err);
void listen_close(struct listener *l);
bool listen_has_ipv6(void);
struct peer_key listen_peer(int fd, char *text, size_t size);

#endif
