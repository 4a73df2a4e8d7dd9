/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql connect: the forwarder, as its start makes it, and what people and commands are told of its door.
 */
#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include "cli/cli.h"
#include "cli/target.h"
#include "program/appraisal_options.h"
#include "program/daemon.h"
#include "program/party.h"

struct connect_config {
	struct cli cli;
	char *listen, *socket_dir;
	bool lazy, starttls, insecure_remote_clients;
	struct appraisal_options appraisal;
	struct daemon_options daemon;
};

struct forwarder {
	struct connect_config config;
	struct target target;
	struct service_target targets[DSN_HOSTS_MAX];
	char name[300];
	char host[64];    /* where drivers find us */
	char own_dir[64]; /* of the socket, if we made one */
	struct party party;
};

/* What target_session_attrs says, of the target or the environment; NULL if neither does. Borrowed. */
const char *connect_session_wanted(const struct forwarder *f);

/* Print how drivers find the door. */
void connect_say_how(struct forwarder *f);

/* Run a command that finds the door by its environment: its status, as a shell has it. */
int connect_run_command(struct forwarder *f, char **command);

#endif
