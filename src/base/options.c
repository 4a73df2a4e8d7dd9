/* SPDX-License-Identifier: Apache-2.0 */
#include "base/options.h"

#include <stdint.h>
#include <string.h>

#include "base/err.h"

int options_copy(
	void *ret, size_t ret_size, const void *given, size_t first_size, struct ratls_error *err)
{
	const uint8_t *bytes = given;
	size_t size = ret_size;

	if (given != NULL)
		memcpy(&size, given, sizeof(size));
	if (size < first_size)
		return err_set(err, RATLS_E_ARG, "could not read options: their size is not set");
	for (size_t i = ret_size; i < size; i++)
		if (bytes[i] != 0)
			return err_set(err, RATLS_E_ARG,
				"could not read options: they ask for what this version (%s) does not know",
				TEESQL_VERSION);
	memset(ret, 0, ret_size);
	if (given != NULL)
		memcpy(ret, given, size < ret_size ? size : ret_size);
	memcpy(ret, &ret_size, sizeof(ret_size));
	return RATLS_OK;
}
