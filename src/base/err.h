/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling a caller-owned struct ratls_error in one expression: `return err_set(err, CODE, "...")`.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "ratls.h"

/* Fill err (may be NULL) with code and sentence, and return code. The sentence is in PostgreSQL's
 * style: lower case, "could not X: reason", no trailing stop, no secret. */
int err_set(struct ratls_error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same with a reason number of reason.h. */
int err_reason(struct ratls_error *err, int code, int reason, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Put "what: " in front of the sentence that is already there, and return code. err's own code stays. */
int err_prefix(struct ratls_error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
