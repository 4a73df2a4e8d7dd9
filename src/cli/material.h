/* SPDX-License-Identifier: Apache-2.0
 *
 * What a file holds: a certificate, a quote or a versioned attestation, bare, as hex, in the JSON answer of
 * a guest agent, or in a bundle. Recognised by its first bytes, parsed by the library.
 */
#ifndef CLI_MATERIAL_H
#define CLI_MATERIAL_H

#include "base/buf.h"
#include "cli/bundle.h"
#include "ratls.h"

#define MATERIAL_FILE_MAX BUNDLE_MAX

enum material_kind { MATERIAL_CERTIFICATE, MATERIAL_QUOTE, MATERIAL_ENVELOPE };

struct material {
	enum material_kind kind;
	struct buf bytes;     /* DER of the (first) certificate, the quote, or the attestation */
	struct buf chain_pem; /* of a certificate: what followed and itself, leaf first */
	struct bundle bundle; /* its object is NULL where the file is none */
};

/* Read path ("-" is standard input). RATLS_E_IO if that fails, RATLS_E_FORMAT (reason MATERIAL) if it is
 * nothing that is known. */
int material_load(const char *path, struct material *ret, struct ratls_error *err);
void material_done(struct material *m);

/* Parse it. RATLS_E_NO_EVIDENCE, RATLS_E_FORMAT and RATLS_E_UNSUPPORTED as in ratls.h. */
int material_evidence(const struct material *m, struct ratls_evidence **ret, struct ratls_error *err);

#endif
