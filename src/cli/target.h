/* SPDX-License-Identifier: Apache-2.0
 *
 * What a command is about: a server, or a file.
 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "cli/dsn.h"

#define TARGET_PORT 5433 /* of a sidecar */

enum target_kind { TARGET_SERVER, TARGET_FILE };

struct target {
	enum target_kind kind;
	struct dsn_host hosts[DSN_HOSTS_MAX]; /* of a server, in the order of trying */
	size_t n_hosts;
	struct dsn *dsn;  /* owned; NULL if the target is no connection string */
	const char *path; /* of a file, borrowed from the text; "-" is standard input */
};

/* text is a connection string, the name of a file that exists or has a "/" in it, "-", or HOST[:PORT]. NULL
 * stands for DATABASE_URL, else PGHOST and PGPORT, of the environment. RATLS_E_ARG says what is wrong. */
int target_parse(const char *text, struct target *ret, struct ratls_error *err);
void target_done(struct target *t);

/* "host:port,host:port" or the file's name: what is shown of it, without any secret. */
void target_format(const struct target *t, struct buf *out);

#endif
