/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "pg/stream.h"

/* How a stream is cut says nothing of where its messages end. The first byte says how it is cut here. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct pg_stream whole = {0}, pieces = {0};
	struct cur in = cur_of(data, len);
	size_t size = (size_t)cur_u8(&in) + 1;

	pg_stream_follow(&whole, in);
	while (in.left > 0)
		pg_stream_follow(&pieces, cur_take(&in, size < in.left ? size : in.left));
	assert(pg_stream_is_whole(&whole) == pg_stream_is_whole(&pieces));
	assert(whole.lost == pieces.lost && whole.left == pieces.left && whole.have == pieces.have);
	return 0;
}
