/* SPDX-License-Identifier: Apache-2.0
 *
 * What opt.c knows of one option while it reads, opt_name.c finds, opt_check.c judges and opt_print.c shows.
 */
#ifndef BASE_OPT_SETTING_H
#define BASE_OPT_SETTING_H

#include "base/buf.h"
#include "base/opt.h"

/* In rising precedence. */
enum opt_origin { OPT_FROM_DEFAULT, OPT_FROM_FILE, OPT_FROM_ENVIRONMENT, OPT_FROM_FLAG };

struct opt_setting {
	const struct opt *opt;
	void *field;
	unsigned origins;       /* where it may come from: bits of enum opt_origin */
	enum opt_origin origin; /* where it came from */
	int line;               /* of the file */
};

struct opt_settings {
	const struct opt_program *program;
	struct opt_setting *v;
	size_t n;
	const char *file; /* the configuration file, NULL if there is none */
};

/* The option of this name, in which underscores are as good as dashes; NULL if there is none. */
struct opt_setting *opt_find(const struct opt_settings *all, const char *text, size_t len);

/* RATLS_E_ARG with what was written there, and the option that was probably meant. */
int opt_unknown(const struct opt_settings *all, enum opt_origin where, const char *text, size_t len,
	struct ratls_error *err);

bool opt_is_insecure(const struct opt *o);

/* `production` was said: nothing that weakens a check goes together with it, wherever it comes from. weakened_by is
 * what the program names besides (NULL: nothing). RATLS_E_ARG says what it is, and where it stands. */
int opt_check_production(const struct opt_settings *all, const char *weakened_by, struct ratls_error *err);

/* What the program finds wrong with values that could be read, and where it stands. */
int opt_check_values(const struct opt_settings *all, const void *config, bool files, struct ratls_error *err);

/* "TEESQL_LISTEN" of "listen". */
void opt_environment_name(const char *name, struct buf *ret);

/* "--listen", "TEESQL_LISTEN", "/etc/x.conf:3" or "default". */
void opt_origin_name(const struct opt_settings *all, const struct opt_setting *s, struct buf *ret);

/* What is shown of its arg: so many characters. */
int opt_arg_shown(const struct opt *o);

/* To standard output. */
void opt_print_help(const struct opt_settings *all);
void opt_print_effective(const struct opt_settings *all);

#endif
