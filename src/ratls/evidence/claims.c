/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/claims.h"

#include <string.h>

#include "base/err.h"
#include "base/reason.h"
#include "base/utf8.h"

/* From here on the application can write events of any name. */
#define LAST_BOOT_EVENT "system-ready"

static const struct claim {
	const char *event;
	size_t offset; /* of its cursor in struct evidence_claims */
	size_t size;   /* exactly, or at most for text */
	bool may_be_empty, text;
} known[] = {
	{"app-id", offsetof(struct evidence_claims, app_id), 20, false, false},
	{"compose-hash", offsetof(struct evidence_claims, compose_hash), 32, false, false},
	{"instance-id", offsetof(struct evidence_claims, instance_id), 20, true, false},
	{"os-image-hash", offsetof(struct evidence_claims, os_image_hash), 32, false, false},
	{"key-provider", offsetof(struct evidence_claims, key_provider), CLAIMS_KEY_PROVIDER_MAX, false,
		true},
};

#define N_KNOWN (sizeof(known) / sizeof(known[0]))

static bool size_fits(const struct claim *claim, const struct cur *payload)
{
	if (payload->left == 0)
		return claim->may_be_empty;
	return claim->text ? payload->left <= claim->size && utf8_valid(*payload)
			   : payload->left == claim->size;
}

/* Version 1 hashes name and payload with a colon between them: where the name holds one, the same digest
 * could be shown under a shorter or longer name, and a claim be hidden. No boot event has such a name. */
static bool is_ambiguous(const struct event *e)
{
	return e->version == 1 && memchr(e->name.p, ':', e->name.left) != NULL;
}

static struct cur *claim_at(struct evidence_claims *claims, const struct claim *claim)
{
	return (struct cur *)(void *)((char *)claims + claim->offset);
}

static int take_claim(
	const struct event *e, bool seen[N_KNOWN], struct evidence_claims *claims, struct ratls_error *err)
{
	for (size_t i = 0; i < N_KNOWN; i++) {
		if (!cur_is_str(&e->name, known[i].event))
			continue;
		if (!size_fits(&known[i], &e->payload))
			return err_reason(err, RATLS_E_FORMAT, REASON_CLAIMS_SIZE,
				"event %s has a payload of %zu bytes", known[i].event, e->payload.left);
		if (seen[i])
			claims->duplicate = known[i].event;
		else
			*claim_at(claims, &known[i]) = e->payload;
		seen[i] = true;
	}
	return RATLS_OK;
}

int claims_read(const struct eventlog *runtime, struct evidence_claims *ret, struct ratls_error *err)
{
	struct evidence_claims claims = {0};
	bool seen[N_KNOWN] = {false};
	int rc;

	for (size_t i = 0; i < N_KNOWN; i++)
		*claim_at(&claims, &known[i]) = cur_of(NULL, 0);
	for (size_t i = 0; i < runtime->n; i++) {
		const struct event *e = &runtime->events[i];

		if (cur_is_str(&e->name, LAST_BOOT_EVENT))
			break;
		if (is_ambiguous(e))
			return err_reason(err, RATLS_E_FORMAT, REASON_CLAIMS_NAME,
				"the name of runtime event %zu holds a colon", i);
		if ((rc = take_claim(e, seen, &claims, err)) != RATLS_OK)
			return rc;
	}
	*ret = claims;
	return RATLS_OK;
}

bool claims_key_provider_digest(const struct evidence_claims *claims, uint8_t ret[static HASH_SHA256_SIZE])
{
	const struct cur *payload = &claims->key_provider;

	return payload->left > 0 && hash_bytes(HASH_SHA256, payload->p, payload->left, ret);
}
