/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of the programs: one table serves the flag (--listen), the environment (TEESQL_LISTEN), the INI
 * key (listen), --help and --check-config. Precedence in that order, then the table's default.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ratls.h"

enum opt_type {
	OPT_STR,  /* char * at offset, owned by the configuration */
	OPT_LIST, /* char ** at offset, NULL-terminated, owned, NULL if empty; the flag and the INI key may be
		     repeated, the environment and the INI value are separated by commas */
	OPT_BOOL, /* bool; --name alone means yes; values yes|no|on|off|true|false|1|0 */
	OPT_UINT, /* uint64_t */
	OPT_TIME, /* int64_t milliseconds; units ms, s (default), m, h, d */
	OPT_SIZE, /* uint64_t bytes; units k, M, G (powers of 1024) */
	OPT_CHOICE, /* unsigned, or an enum: the place of the word among those of arg; yes and no have the other
		       names that they have for OPT_BOOL */
};

struct opt {
	const char *name; /* "require-client-attestation" */
	enum opt_type type;
	size_t offset;        /* in the configuration struct */
	const char *fallback; /* as text, NULL for NULL/empty/false/0 */
	const char *arg;      /* shown in help: "ADDR:PORT"; the words of OPT_CHOICE, "one|two||too|2", of which those
				 behind || are not shown */
	const char *help;
};

/* Rows that several programs share: for a struct that each has within its configuration. */
struct opt_table {
	const struct opt *opts; /* ends with {.name = NULL} */
	size_t offset;          /* of that struct in the configuration */
};

struct opt_program {
	const char *name;               /* "teesql-sidecar" or "teesql verify" */
	const char *synopsis;           /* "[OPTION]..." */
	const char *purpose;            /* one sentence */
	const struct opt *opts;         /* ends with {.name = NULL}; NULL if there are none of its own */
	bool daemon;                    /* knows --config, --check-config, production */
	const struct opt_table *shared; /* ends with {.opts = NULL}; NULL if there are none */
	/* NULL, or: the name of an option whose value in config weakens a check although its name does not
	 * begin with insecure-; NULL if none does. */
	const char *(*weakened_by)(const void *config);
	/* NULL, or: would the program start with config? Asked when everything is read, --check-config included. Where
	 * what it says begins with "--OPTION" and the value comes from a file or the environment, that is said too. */
	int (*check)(const void *config, bool files, struct ratls_error *err);
	/* NULL, or: a variable of the environment that weakens a check, so that production refuses it. */
	const char *weakening_variable;
};

enum opt_action { OPT_RUN, OPT_EXIT }; /* OPT_EXIT: help, version or --check-config was printed */

/* Fill config (zeroed by the caller) from argv[1..], the environment, and --config FILE. A value is never empty; an empty variable is none. What is no option,
 * and everything after "--", lands in ret_rest (pointers into argv, NULL-terminated, freed with free; the
 * "--" itself is kept). Options named verbose and quiet have the letters -v and -q. RATLS_E_ARG names the
 * option, or file and line, and has a reason; config is then zero again. Not for threads. */
int opt_parse(const struct opt_program *program, char **argv, void *config, enum opt_action *ret_action,
	char ***ret_rest, struct ratls_error *err);

/* Frees what opt_parse put into config. */
void opt_free(const struct opt_program *program, void *config);

/* Calls fn for every option that begins with insecure- and is set, with its name: programs log them at
 * each start (invariant no_silent_downgrade). */
void opt_each_insecure(const struct opt_program *program, const void *config, void (*fn)(const char *name));

#endif
