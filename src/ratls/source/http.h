/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read from URLs and answers, by whatever transport they came.
 */
#ifndef SOURCE_HTTP_H
#define SOURCE_HTTP_H

#include "ratls.h"

bool http_is_url(const char *text); /* http:// or https:// */

/* Wipes (a body may carry a key) and frees. */
void http_response_done(struct ratls_http_response *r);

/* The value of a header (name without colon, any case) copied into a new string, or NULL. Surrounding
 * white space is removed; of several with this name the first counts. */
char *http_header(const struct ratls_http_response *r, const char *name);

/* A date as servers must send it (RFC 9110 section 5.6.7, IMF-fixdate); false if it is none. */
bool http_date(const char *text, int64_t *ret);

#endif
