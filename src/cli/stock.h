/* SPDX-License-Identifier: Apache-2.0
 *
 * Collateral in files, as --collateral-dir reads it: what there is, and how long it lasts.
 */
#ifndef CLI_STOCK_H
#define CLI_STOCK_H

#include <jansson.h>

#include "base/buf.h"
#include "base/reason.h"
#include "ratls.h"

/* From good to bad. */
enum stock_status { STOCK_OK, STOCK_EXPIRING, STOCK_EXPIRED, STOCK_MALFORMED, STOCK_NOT_AUTHENTIC };

struct stock_question {
	struct ratls_endorsements_options options; /* the root */
	int64_t at, warn_before;                   /* seconds */
};

/* The report on a file, or on every file in a folder that ends in .json, of schema "teesql.collateral/1": a
 * new reference. Words that are not UTF-8 are shown with "?" in place of what is beyond ASCII. RATLS_E_IO
 * (reason FILE) if there is nothing there; a report has every file, or there is none. */
int stock_report(const char *path, const struct stock_question *q, json_t **ret, struct ratls_error *err);

/* The worst status in it, and the exit code of monitoring for that. */
enum stock_status stock_worst(const json_t *report);
enum reason_class stock_class(enum stock_status status);

/* For people. */
void stock_render(const json_t *report, struct buf *out);

#endif
