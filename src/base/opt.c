/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading options: the arguments are collected first (they may name the file), then defaults, file,
 * environment and arguments are applied in rising precedence, so that a mistake in any of them is seen.
 */
#include "base/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/err.h"
#include "base/opt_file.h"
#include "base/opt_setting.h"
#include "base/opt_value.h"
#include "base/reason.h"

#define FROM(origin)  (1u << (origin))
#define FROM_ANYWHERE (FROM(OPT_FROM_FILE) | FROM(OPT_FROM_ENVIRONMENT) | FROM(OPT_FROM_FLAG))

/* What every program knows besides its own table. */
struct common {
	char *config;
	bool check_config, production, help, version;
};

static const struct {
	struct opt opt;
	unsigned origins;
	bool daemon; /* only daemons have it */
} common_opts[] = {
	{{"config", OPT_STR, offsetof(struct common, config), NULL, "FILE", "read options from this file"},
		FROM(OPT_FROM_ENVIRONMENT) | FROM(OPT_FROM_FLAG), true},
	{{"check-config", OPT_BOOL, offsetof(struct common, check_config), NULL, NULL,
		 "print the configuration in effect, and where each value comes from"},
		FROM(OPT_FROM_FLAG), true},
	{{"production", OPT_BOOL, offsetof(struct common, production), NULL, NULL,
		 "refuse to start with any insecure option or a simulator; one yes, wherever it stands, "
		 "counts"},
		FROM_ANYWHERE, true},
	{{"help", OPT_BOOL, offsetof(struct common, help), NULL, NULL, "show this help"}, FROM(OPT_FROM_FLAG),
		false},
	{{"version", OPT_BOOL, offsetof(struct common, version), NULL, NULL, "show the version"},
		FROM(OPT_FROM_FLAG), false},
};

#define N_COMMON (sizeof(common_opts) / sizeof(common_opts[0]))

/* The same letters in every program that has the option. */
static const struct {
	const char *letter, *name;
} letters[] = {{"-h", "help"}, {"-V", "version"}, {"-v", "verbose"}, {"-q", "quiet"}};

struct argument {
	struct opt_setting *setting;
	const char *text;
};

struct reader {
	struct opt_settings all;
	struct common common;
	bool production; /* a yes was seen */
	struct argument *arguments;
	size_t n_arguments;
	char **rest;
	size_t n_rest;
};

/* The i-th row, or NULL; i is then less by the number of rows. */
static const struct opt *row_in(const struct opt *opts, size_t *i)
{
	for (; opts != NULL && opts->name != NULL; opts++)
		if ((*i)-- == 0)
			return opts;
	return NULL;
}

/* The i-th row of all tables, NULL at their end; *ret_offset is its place in the configuration. */
static const struct opt *row_at(const struct opt_program *program, size_t i, size_t *ret_offset)
{
	const struct opt *o = row_in(program->opts, &i);
	size_t base = 0;

	for (const struct opt_table *t = program->shared; o == NULL && t != NULL && t->opts != NULL; t++) {
		o = row_in(t->opts, &i);
		base = t->offset;
	}
	if (o != NULL)
		*ret_offset = base + o->offset;
	return o;
}

static int apply(struct reader *r, struct opt_setting *s, const char *text, enum opt_origin origin, int line,
	struct ratls_error *err)
{
	enum opt_type type = s->opt->type;
	int rc;

	if (origin == OPT_FROM_FILE && s->origin == OPT_FROM_FILE && type != OPT_LIST)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION, "\"%s\" is set twice, first in line %d",
			s->opt->name, s->line);
	if (origin > s->origin && type == OPT_LIST)
		opt_value_clear(type, s->field);
	s->origin = origin;
	s->line = line;
	rc = opt_value_set(s->opt, s->field, text, origin != OPT_FROM_FLAG, err);
	if (rc == RATLS_E_ARG && err != NULL)
		err->reason = REASON_OPTION;
	if (s->field == &r->common.production)
		r->production |= r->common.production;
	return rc;
}

static int take_from_file(void *self, const char *key, const char *value, int line, struct ratls_error *err)
{
	struct reader *r = self;
	struct opt_setting *s = opt_find(&r->all, key, strlen(key));
	int rc;

	if (s == NULL || (s->origins & FROM(OPT_FROM_FILE)) == 0)
		return opt_unknown(&r->all, OPT_FROM_FILE, key, strlen(key), err);
	rc = apply(r, s, value, OPT_FROM_FILE, line, err);
	return rc == RATLS_OK ? rc : err_prefix(err, rc, "%s", s->opt->name);
}

static int apply_file(struct reader *r, struct ratls_error *err)
{
	int rc = RATLS_OK;

	if (r->common.config != NULL)
		rc = opt_file_read(r->common.config, r->all.program->name, take_from_file, r, err);
	if (err != NULL && err->reason == 0 && rc != RATLS_OK)
		err->reason = rc == RATLS_E_ARG ? REASON_OPTION : REASON_FILE;
	return rc;
}

static int apply_environment(struct reader *r, struct opt_setting *s, struct ratls_error *err)
{
	struct buf name = {0};
	const char *value;
	int rc = RATLS_OK;

	if ((s->origins & FROM(OPT_FROM_ENVIRONMENT)) == 0)
		return RATLS_OK;
	opt_environment_name(s->opt->name, &name);
	buf_u8(&name, '\0');
	if (name.bad) {
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
		goto out;
	}
	value = env_get((const char *)name.p);
	if (value != NULL)
		rc = apply(r, s, value, OPT_FROM_ENVIRONMENT, 0, err);
	if (rc != RATLS_OK)
		rc = err_prefix(err, rc, "environment variable %s", (const char *)name.p);
out:
	buf_done(&name);
	return rc;
}

static int apply_argument(struct reader *r, const struct argument *a, struct ratls_error *err)
{
	int rc = apply(r, a->setting, a->text, OPT_FROM_FLAG, 0, err);

	return rc == RATLS_OK ? rc : err_prefix(err, rc, "--%s", a->setting->opt->name);
}

/* `config` itself cannot come from the file that it names: it is applied before the rest. */
static int apply_config_name(struct reader *r, struct ratls_error *err)
{
	struct opt_setting *s = opt_find(&r->all, "config", 6);
	int rc = RATLS_OK;

	if (s == NULL || s->field != &r->common.config)
		return RATLS_OK;
	rc = apply_environment(r, s, err);
	for (size_t i = 0; i < r->n_arguments && rc == RATLS_OK; i++)
		if (r->arguments[i].setting == s)
			rc = apply_argument(r, &r->arguments[i], err);
	return rc;
}

static int apply_all(struct reader *r, struct ratls_error *err)
{
	int rc = RATLS_OK;

	for (size_t i = 0; i < r->all.n && rc == RATLS_OK; i++)
		if (r->all.v[i].opt->fallback != NULL)
			rc = opt_value_set(
				r->all.v[i].opt, r->all.v[i].field, r->all.v[i].opt->fallback, true, err);
	if (rc == RATLS_OK)
		rc = apply_config_name(r, err);
	if (rc == RATLS_OK)
		rc = apply_file(r, err);
	for (size_t i = 0; i < r->all.n && rc == RATLS_OK; i++)
		rc = apply_environment(r, &r->all.v[i], err);
	for (size_t i = 0; i < r->n_arguments && rc == RATLS_OK; i++)
		rc = apply_argument(r, &r->arguments[i], err);
	r->all.file = r->common.config;
	return rc;
}

static const char *weakened_by(const struct opt_program *program, const void *config)
{
	return program->weakened_by != NULL ? program->weakened_by(config) : NULL;
}

/* One argument that begins with a dash; next is the one behind it. *ret_used says whether next was its
 * value. */
static int collect(
	struct reader *r, const char *arg, const char *next, bool *ret_used, struct ratls_error *err)
{
	const char *name = arg + 2, *text;
	struct opt_setting *s;
	size_t len;

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (strcmp(arg, letters[i].letter) == 0)
			name = letters[i].name;
	if (arg[1] != '-' && name == arg + 2)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION, "unknown option \"%.64s\"", arg);
	len = strcspn(name, "=");
	s = opt_find(&r->all, name, len);
	if (s == NULL)
		return arg[1] == '-'
			       ? opt_unknown(&r->all, OPT_FROM_FLAG, name, len, err)
			       : err_reason(err, RATLS_E_ARG, REASON_OPTION, "unknown option \"%s\"", arg);
	text = name[len] == '=' ? name + len + 1 : NULL;
	*ret_used = text == NULL && s->opt->type != OPT_BOOL;
	if (text == NULL)
		text = s->opt->type == OPT_BOOL ? "yes" : next;
	/* An option in the place of a value is a value that was forgotten; --name=--value says it is meant.
	 */
	if (text == NULL || (*ret_used && strncmp(text, "--", 2) == 0))
		return err_reason(err, RATLS_E_ARG, REASON_OPTION, "option \"--%s\" needs a value (%.*s)",
			s->opt->name, opt_arg_shown(s->opt), s->opt->arg);
	r->arguments[r->n_arguments++] = (struct argument){s, text};
	return RATLS_OK;
}

static int collect_all(struct reader *r, char **argv, struct ratls_error *err)
{
	int rc = RATLS_OK;

	for (size_t i = 1; argv[0] != NULL && argv[i] != NULL && rc == RATLS_OK; i++) {
		bool used = false;

		if (strcmp(argv[i], "--") == 0) {
			while (argv[i] != NULL)
				r->rest[r->n_rest++] = argv[i++];
			break;
		}
		if (argv[i][0] != '-' || argv[i][1] == '\0')
			r->rest[r->n_rest++] = argv[i];
		else
			rc = collect(r, argv[i], argv[i + 1], &used, err);
		i += used;
	}
	return rc;
}

static int reader_init(struct reader *r, const struct opt_program *program, char **argv, void *config,
	struct ratls_error *err)
{
	size_t n = 0, argc = 0, offset;
	const struct opt *o;

	while (row_at(program, n, &offset) != NULL)
		n++;
	while (argv[argc] != NULL)
		argc++;
	*r = (struct reader){.all.program = program};
	r->all.v = calloc(n + N_COMMON, sizeof(*r->all.v));
	r->arguments = calloc(argc + 1, sizeof(*r->arguments));
	r->rest = calloc(argc + 1, sizeof(*r->rest));
	if (r->all.v == NULL || r->arguments == NULL || r->rest == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	for (; (o = row_at(program, r->all.n, &offset)) != NULL; r->all.n++)
		r->all.v[r->all.n] = (struct opt_setting){
			.opt = o, .field = (char *)config + offset, .origins = FROM_ANYWHERE};
	for (size_t i = 0; i < N_COMMON; i++)
		if (program->daemon || !common_opts[i].daemon)
			r->all.v[r->all.n++] = (struct opt_setting){.opt = &common_opts[i].opt,
				.field = (char *)&r->common + common_opts[i].opt.offset,
				.origins = common_opts[i].origins};
	return RATLS_OK;
}

static void reader_done(struct reader *r)
{
	free(r->common.config);
	free(r->all.v);
	free(r->arguments);
	free(r->rest);
}

/* --help and --version answer even where the rest of the configuration is broken. */
static bool answer_at_once(struct reader *r)
{
	for (size_t i = 0; i < r->n_arguments; i++) {
		const void *field = r->arguments[i].setting->field;

		if (field == &r->common.help) {
			opt_print_help(&r->all);
			return true;
		}
		if (field == &r->common.version) {
			printf("%s %s\n", r->all.program->name, TEESQL_VERSION);
			return true;
		}
	}
	return false;
}

int opt_parse(const struct opt_program *program, char **argv, void *config, enum opt_action *ret_action,
	char ***ret_rest, struct ratls_error *err)
{
	enum opt_action action = OPT_EXIT;
	struct reader r;
	int rc = reader_init(&r, program, argv, config, err);

	if (rc == RATLS_OK)
		rc = collect_all(&r, argv, err);
	if (rc != RATLS_OK || answer_at_once(&r))
		goto out;
	rc = apply_all(&r, err);
	if (rc == RATLS_OK && r.production)
		rc = opt_check_production(&r.all, weakened_by(program, config), err);
	if (rc == RATLS_OK)
		rc = opt_check_values(&r.all, config, r.common.check_config, err);
	if (rc != RATLS_OK)
		goto out;
	if (r.common.check_config)
		opt_print_effective(&r.all);
	else
		action = OPT_RUN;
out:
	if (rc != RATLS_OK) {
		opt_free(program, config);
	} else {
		*ret_action = action;
		*ret_rest = r.rest;
		r.rest = NULL;
	}
	reader_done(&r);
	return rc;
}

void opt_free(const struct opt_program *program, void *config)
{
	const struct opt *o;
	size_t offset;

	for (size_t i = 0; (o = row_at(program, i, &offset)) != NULL; i++)
		opt_value_clear(o->type, (char *)config + offset);
}

void opt_each_insecure(const struct opt_program *program, const void *config, void (*fn)(const char *name))
{
	const struct opt *o;
	size_t offset;

	for (size_t i = 0; (o = row_at(program, i, &offset)) != NULL; i++)
		if (opt_is_insecure(o) && opt_value_is_set(o->type, (const char *)config + offset))
			fn(o->name);
	if (weakened_by(program, config) != NULL)
		fn(weakened_by(program, config));
}
