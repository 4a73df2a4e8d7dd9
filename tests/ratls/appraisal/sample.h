/* SPDX-License-Identifier: Apache-2.0
 *
 * A sample: platform, quote and collateral under a development root, with one thing wrong (or none), and what
 * appraisal says of it.
 */
#ifndef TEST_APPRAISAL_SAMPLE_H
#define TEST_APPRAISAL_SAMPLE_H

#include <jansson.h>

#include "appraisal/report.h"
#include "simulator/forge.h"

#define SAMPLE_NOW INT64_C(1751600000)
#define SAMPLE_DAY ((int64_t)86400)

struct sample {
	struct forge_pki_options pki;
	struct forge_collateral_options collateral;
	struct forge_quote_options quote;
	int64_t at;
	struct ratls_policy *policy; /* NULL: the default */
	struct ratls_binding binding;
	/* Once it is made */
	struct forge_pki made;
	struct buf bytes;         /* the quote */
	json_t *items;            /* the collateral, as ratls_endorsements_from_json reads it */
	const struct buf *anchor; /* the root that the verifier is given */
};

enum sample_form { SAMPLE_V4, SAMPLE_V5_TD10, SAMPLE_V5_TD15, SAMPLE_FORMS };

/* A row of a table of samples. */
struct row {
	const char *name;               /* with its number in the list of known bad cases, if it has one */
	void (*spoil)(struct sample *); /* what is made; may be NULL */
	void (*tamper)(struct sample *); /* what was made; may be NULL */
	enum reason reason;             /* of the verdict; REASON_NONE: accepted */
	const char *status;             /* the TCB status; NULL: not looked at */
	enum { NOT_LOOKED_AT, ADVISED, NOT_ADVISED } relaunch;
	int64_t ends;                   /* until when the verdict holds; 0: not looked at */
	struct forge_edit tcb_info, qe_identity; /* of the documents, before they are signed */
};

#define MADE(name_, how, reason_)    {.name = (name_), .spoil = (how), .reason = REASON_##reason_}
#define CHANGED(name_, how, reason_) {.name = (name_), .tamper = (how), .reason = REASON_##reason_}
#define STATUS(name_, how, reason_, status_)                                                                 \
	{.name = (name_), .spoil = (how), .reason = REASON_##reason_, .status = (status_)}

/* A good sample; free with sample_done. */
void sample_init(struct sample *s, enum sample_form form);
void sample_make(struct sample *s);
void sample_done(struct sample *s);

/* Replace an item of the collateral by a text. */
void sample_set(struct sample *s, const char *item, const char *text);
const char *sample_get(const struct sample *s, const char *item);

/* A chain of what was made, as PEM; the caller frees it. */
char *sample_chain(const struct sample *s, const enum forge_role *roles, size_t n);
#define ROLES(...) (const enum forge_role[]){__VA_ARGS__}, sizeof((enum forge_role[]){__VA_ARGS__}) / sizeof(enum forge_role)

/* The report; asserts that there is one. NULL if the quote is refused as evidence. */
struct ratls_report *sample_appraise(const struct sample *s);

/* Appraise every row, in every form of quote or in the forms by turns (where the form does not matter): fails
 * with the rows that are not as they should be. */
void rows_run(const struct row *rows, size_t n, bool every_form);

/* The tables: each file has one. A row without a reason is accepted. */
extern const struct row rows_chain[], rows_crl[], rows_documents[], rows_quote[], rows_sgx[], rows_tcb[], rows_td[];
extern const size_t n_rows_chain, n_rows_crl, n_rows_documents, n_rows_quote, n_rows_sgx, n_rows_tcb, n_rows_td;

#endif
