/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods of the guest agent, for its table in guest.c. All are called with the guest's lock held.
 */
#ifndef SIMULATOR_GUEST_METHODS_H
#define SIMULATOR_GUEST_METHODS_H

#include "simulator/guest.h"

typedef int guest_method(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err);

/* guest_keys.c */
guest_method guest_get_tls_key, guest_get_key, guest_sign, guest_verify;
guest_method guest_tappd_derive_key, guest_tappd_derive_k256_key;

/* guest_quote.c */
guest_method guest_get_quote, guest_attest, guest_emit_event;
guest_method guest_tappd_tdx_quote, guest_tappd_raw_quote;

/* guest_info.c */
guest_method guest_info, guest_version, guest_gpu_info;

/* New JSON strings; NULL if memory ran out, which json_pack then reports. */
json_t *guest_json_hex(const void *bytes, size_t n);
json_t *guest_json_text(const struct buf *text);

/* Hand out an answer that json_pack made: RATLS_E_NOMEM if it is NULL. */
int guest_answer(json_t *answer, json_t **ret, struct ratls_error *err);

/* A PEM chain for guest_init. */
int guest_make_demo_cert(struct guest *g, struct ratls_error *err);

#endif
