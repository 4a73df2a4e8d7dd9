/* SPDX-License-Identifier: Apache-2.0
 *
 * What every fuzz target defines: libFuzzer calls it with arbitrary bytes, replay.c with those of files. A
 * target asserts an invariant of what was accepted; that nothing crashes is the sanitizers' part.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

/* Invariants hold in every build. */
#undef NDEBUG
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
