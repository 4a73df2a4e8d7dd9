/* SPDX-License-Identifier: Apache-2.0 */
#include "ratls.h"

const char *ratls_version(void)
{
	return TEESQL_VERSION;
}
