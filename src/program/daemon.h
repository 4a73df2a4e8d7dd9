/* SPDX-License-Identifier: Apache-2.0
 *
 * What the programs that serve have in common: their service options, their signals, their readiness.
 */
#ifndef PROGRAM_DAEMON_H
#define PROGRAM_DAEMON_H

#include "base/log.h"
#include "base/opt.h"
#include "relay/service.h"

struct daemon_options {
	enum loop_io io;
	enum log_format log_format;
	enum log_level log_level;
	uint64_t threads, max_connections, max_connections_per_peer, max_handshakes, max_appraisals;
	int64_t handshake_timeout, appraisal_timeout, connect_timeout, idle_timeout, session_lifetime, drain_timeout;
};

/* The table of these options, for struct opt_program.shared. */
extern const struct opt daemon_rows[];

/* Set up the log, forbid core dumps, block the signals that daemon_wait waits for, raise the limit of open
 * files. */
void daemon_begin(const char *program, const struct daemon_options *o);

/* For a process that becomes another program: the limits as daemon_begin found them. */
void daemon_restore_limits(void);

/* The listening sockets that we were started with (sd_listen_fds(3) without its library), -1-terminated, for
 * service_options.listen_fds; NULL if there are none. What is started by us does not get them. To be called once,
 * before threads. RATLS_E_ARG if LISTEN_FDS is no number or more than 16. */
int daemon_sockets(const int **ret, struct ratls_error *err);

/* The parts of service options that these options say. */
int daemon_service_options(const struct daemon_options *o, struct service_options *ret, struct ratls_error *err);

/* Log each insecure option that is set (invariant no_silent_downgrade). */
void daemon_warn_insecure(const struct opt_program *program, const void *config);

/* "ready listen=... listen=..." on standard error, and to systemd. */
void daemon_ready(const struct service *s);

/* Sleep until a signal: SIGHUP calls reload(self); SIGTERM or SIGINT drains the service: returns when no
 * session is left, the time is up or another of them came; SIGQUIT does not wait for sessions; SIGUSR1 and SIGUSR2
 * mean nothing. child: a process whose end alone ends the wait, and to which all of these are forwarded, but those of a
 * terminal, which reach it by themselves; 0 for none. Returns the child's wait status, or 0. */
int daemon_wait(struct service *s, const struct daemon_options *o, void (*reload)(void *self), void *self,
	int child);

#endif
