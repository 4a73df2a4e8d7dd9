/* SPDX-License-Identifier: Apache-2.0
 *
 * An evidence bundle: all that a verdict was formed from, and the verdict, in one JSON file of schema
 * "teesql.bundle/1", so that it can be formed again offline, years later.
 *
 *   schema      "teesql.bundle/1"
 *   time        the moment of the appraisal
 *   evidence    {"kind": "certificate", "quote" or "attestation", "bytes": base64}
 *   collateral  the items, as ratls_endorsements_from_json reads them; null if there were none
 *   policy      what was in effect, as ratls_policy_from_json reads it
 *   report      what came out, of schema "teesql.verify/1"
 *   sha256      of the object without this member, compact and with its members sorted by name
 *
 * The digest finds damage. It proves nothing: what proves is signed, and the root that it is signed under
 * never comes from the bundle (invariant trust_is_configured).
 */
#ifndef CLI_BUNDLE_H
#define CLI_BUNDLE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/cur.h"
#include "ratls.h"

#define BUNDLE_MAX ((size_t)16 << 20)

enum bundle_kind { BUNDLE_CERTIFICATE, BUNDLE_QUOTE, BUNDLE_ATTESTATION };

struct bundle {
	json_t *object; /* owned; what points into it is borrowed */
	int64_t at;
	enum bundle_kind kind;
	struct buf evidence;
	const json_t *collateral; /* NULL if there was none */
	const json_t *policy;
};

/* Does the object say that it is a bundle, of whatever version? */
bool bundle_is(const json_t *object);

/* Read it strictly (it was parsed with JSON_REJECT_DUPLICATES); keeps a reference. RATLS_E_FORMAT (reason
 * BUNDLE_FORMAT) names the member, RATLS_E_UNSUPPORTED the version; reason BUNDLE_DIGEST if it was changed.
 * Evidence, collateral and policy are read by what follows, or by their own readers. */
int bundle_read(json_t *object, struct bundle *ret, struct ratls_error *err);
void bundle_done(struct bundle *b);

/* The policy that was in effect, which for who appraises it now is an untrusted text. */
int bundle_policy(const struct bundle *b, struct ratls_policy **ret, struct ratls_error *err);

/* The endorsements, under this root (empty: Intel's). RATLS_E_UNAVAILABLE if the bundle has none. */
int bundle_endorsements(const struct bundle *b, const struct buf *root, struct ratls_endorsements **ret,
	struct ratls_error *err);

/* What goes into a bundle; all of it is borrowed. */
struct bundle_content {
	int64_t at;
	enum bundle_kind kind;
	struct cur evidence;
	const struct ratls_endorsements *endorsements; /* may be NULL */
	const struct ratls_policy *policy;
	json_t *report;
};

/* Append the file's text. */
int bundle_write(const struct bundle_content *content, struct buf *ret, struct ratls_error *err);

#endif
