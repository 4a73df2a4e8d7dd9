/* SPDX-License-Identifier: Apache-2.0
 *
 * A service: listeners, the threads with their loops, and all that connections share. Shared between
 * threads are only the relying party, the TLS context (immutable, replaced whole), options and counters.
 */
#ifndef RELAY_SERVICE_H
#define RELAY_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ratls.h"
#include "relay/loop.h"

struct channel_context;
struct service;
struct relying_party;

/* Which end is attested TLS: a sidecar's front (drivers and forwarders connect to it, Postgres is behind), a
 * forwarder's back (drivers on this host connect to it, a sidecar is behind). */
enum service_role { SERVICE_SIDECAR, SERVICE_FORWARDER, SERVICE_ROLES };

/* Deadlines in milliseconds, 0 is none. Each is the time of one state of a connection. */
struct service_timeouts {
	int64_t greeting, handshake, appraise, startup, dial, linger;
	int64_t idle;     /* of a relayed session, without a byte in either direction */
	int64_t lifetime; /* of a session */
};

struct service_limits {
	uint64_t connections; /* open at once; more are told so. 0 is no limit, of this and the next two */
	uint64_t per_peer;    /* the same from one address; not for Unix sockets */
	uint64_t setups;      /* being set up at once; of a sidecar's, one address has at most as many
			      * as are left for all others */
	uint64_t appraisals;  /* waiting for a worker at once */
};

#define SERVICE_NAME_SIZE 128 /* of an address that is listened on, as text */

/* The longest folder of a Unix socket: what sun_path holds less "/.s.PGSQL.65535". */
#define SERVICE_DIR_MAX 92

/* Where a connection's back end is: "HOST:PORT" names are resolved for each connection, on a worker. */
struct service_target {
	const char *host; /* a name, an address, or a folder (beginning with '/') of a Unix socket */
	uint16_t port;
	const char *address; /* where it is; NULL: where host leads, which TLS calls it in any case */
};

struct service_options {
	enum service_role role;
	const char *const *listen; /* "ADDR:PORT", "[ADDR6]:PORT" or "/path" (mode 0600), NULL-terminated */
	const int *listen_fds;     /* or sockets that listen already (socket activation), -1-terminated; adopted, and
				    * the address that they had stays */
	bool listen_twin;          /* where the first of `listen` is 127.0.0.1, listen on [::1] with its port too */
	const char *socket_dir;    /* listen on DIR/.s.PGSQL.PORT too, PORT being that of the first; or NULL */
	const struct service_target *targets; /* tried in order */
	size_t n_targets;
	struct relying_party *relying_party; /* borrowed; NULL only with require_attestation false */
	bool require_attestation;            /* sidecar: of clients. A forwarder always requires it. */
	bool starttls;                       /* forwarder: ask the back end with SSLRequest */
	enum loop_io io;
	unsigned threads; /* 0: half of the processors, at least one */
	struct service_timeouts timeouts;
	struct service_limits limits;
};

/* Counters for metrics; monotonic unless said otherwise. */
struct service_counters {
	atomic_uint_fast64_t accepted, open /* now */, established, refused_verdict, refused_limit,
		refused_protocol, timed_out, cancels, bytes_up, bytes_down;
};

/* Opens listeners and starts threads; connections are accepted from now on. The strings of options must stay
 * until service_free; context (a reference is taken) is for the attested end. ret_choice: see loop_new. */
int service_start(const struct service_options *options, struct channel_context *context,
	struct service **ret, char ret_choice[static 160], struct ratls_error *err);

/* The identity was renewed: new connections use this context (a reference is taken), live ones are untouched
 * (invariant rotation_drops_nothing). Any thread. */
void service_set_context(struct service *s, struct channel_context *context);

/* The addresses that are listened on ("127.0.0.1:5433", "/run/x/.s.PGSQL.5433"), i-th, NULL at the end. */
const char *service_listening(const struct service *s, size_t i);

/* The port of the first of these, as text; NULL if that is a Unix socket. */
const char *service_port(const struct service *s);

/* The same of a listening socket that is to be adopted. RATLS_E_ARG if it is none. */
int service_socket_name(int fd, char ret[static SERVICE_NAME_SIZE], struct ratls_error *err);

/* Stop accepting; sessions go on. */
void service_drain(struct service *s);

/* Ends every session (57P01 where it can be said), joins the threads, frees. */
void service_free(struct service *s);

const struct service_counters *service_counters(const struct service *s);

#endif
