/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/pck_name.h"

enum type { PPID_CLEAR = 1, PPID_RSA2048 = 2, PPID_RSA3072 = 3 };

bool quote_names_pck(const struct quote *q)
{
	return q->certification_type >= PPID_CLEAR && q->certification_type <= PPID_RSA3072;
}

bool pck_name_read(const struct quote *q, struct pck_name *ret)
{
	static const size_t ppid_size[] = {
		[PPID_CLEAR] = PCK_NAME_PPID_SIZE, [PPID_RSA2048] = 256, [PPID_RSA3072] = PCK_NAME_RSA3072};
	struct cur c = q->certification;
	struct pck_name name;

	if (!quote_names_pck(q))
		return false;
	name.ppid = cur_take(&c, ppid_size[q->certification_type]);
	name.encrypted = q->certification_type != PPID_CLEAR;
	name.cpusvn = cur_take(&c, 16);
	name.pcesvn = cur_take(&c, 2);
	name.pceid = cur_take(&c, 2);
	if (!cur_ok(&c) || c.left > 0)
		return false;
	*ret = name;
	return true;
}

bool pck_name_can_be_asked(const struct pck_name *name)
{
	return name->encrypted && name->ppid.left == PCK_NAME_RSA3072;
}
