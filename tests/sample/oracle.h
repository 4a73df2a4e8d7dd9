/* SPDX-License-Identifier: Apache-2.0
 *
 * What OpenSSL reads in the bytes that our own readers of certificates accepted: they may be stricter than
 * it, and never laxer or of another opinion. Each answers with what differs, NULL if nothing does.
 */
#ifndef SAMPLE_ORACLE_H
#define SAMPLE_ORACLE_H

#include "appraisal/cert.h"
#include "appraisal/sgx.h"

/* Of a certificate that cert_parse accepted. */
const char *oracle_cert(const struct cert *c, struct cur der);

/* Of one that cert_check_role accepted in this role. */
const char *oracle_role(struct cur der, enum cert_role role);

/* Of an extension that sgx_read accepted. */
const char *oracle_sgx(const struct sgx_extension *sgx, struct cur value);

#endif
