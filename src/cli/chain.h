/* SPDX-License-Identifier: Apache-2.0
 *
 * A chain of certificates as PEM text: its end.
 */
#ifndef CLI_CHAIN_H
#define CLI_CHAIN_H

#include "base/buf.h"
#include "base/hash.h"
#include "ratls.h"

struct chain_last {
	const char *pem; /* borrowed from the chain */
	size_t pem_len;
	char sha256[2 * HASH_SHA256_SIZE + 1]; /* of its DER */
	size_t n;                              /* certificates in the chain */
};

/* The last certificate of the chain. RATLS_E_FORMAT if there is none, or something else is in the text. */
int chain_last(const struct buf *chain, struct chain_last *ret, struct ratls_error *err);

#endif
