/* SPDX-License-Identifier: Apache-2.0
 *
 * MessagePack, as far as evidence uses it. What is wrong makes the cursor bad. Nothing recurses: a value is
 * skipped by counting how many are still to come, so nesting costs neither stack nor memory.
 */
#ifndef EVIDENCE_MSGPACK_H
#define EVIDENCE_MSGPACK_H

#include "base/cur.h"
#include "evidence/store.h"

uint64_t msgpack_uint(struct cur *c); /* an integer that is not negative */
uint32_t msgpack_u32(struct cur *c);
struct cur msgpack_text(struct cur *c); /* str, UTF-8 */
bool msgpack_is_nil(struct cur c);

/* The number of elements that follow, at most as many as there are bytes left. */
size_t msgpack_array(struct cur *c);

/* Bytes in either of the forms that writers use: bin, or an array of integers up to 255, which is decoded
 * into the store. Where the store only measures, the length alone is true of the latter. */
struct cur msgpack_bytes(struct cur *c, struct store *store);

/* One value of any type, with all that is in it; the result spans it. */
struct cur msgpack_skip(struct cur *c);

/* A map with text as keys: values[i] spans the value of names[i], left == 0 if there is none. Other keys are
 * skipped. Returns the name that occurs twice (values then are of no use), or NULL. */
const char *msgpack_map(struct cur *c, const char *const *names, struct cur *values, size_t n);

#endif
