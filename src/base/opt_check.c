/* SPDX-License-Identifier: Apache-2.0
 *
 * What is checked when every option has its value: what does not go together, and what the program says of it.
 */
#include <string.h>

#include "base/env.h"
#include "base/err.h"
#include "base/opt_setting.h"
#include "base/opt_value.h"
#include "base/reason.h"

int opt_check_production(const struct opt_settings *all, const char *weakened_by, struct ratls_error *err)
{
	const char *variable = all->program->weakening_variable;

	if (variable != NULL && env_get(variable) != NULL)
		return err_reason(err, RATLS_E_ARG, REASON_PRODUCTION,
			"%s is set, which \"production\" does not allow", variable);
	if (weakened_by != NULL)
		return err_reason(err, RATLS_E_ARG, REASON_PRODUCTION,
			"\"%s\" weakens a check, which \"production\" does not allow", weakened_by);
	for (size_t i = 0; i < all->n; i++) {
		const struct opt_setting *s = &all->v[i];
		struct buf where = {0};

		if (!opt_is_insecure(s->opt) || !opt_value_is_set(s->opt->type, s->field))
			continue;
		opt_origin_name(all, s, &where);
		buf_u8(&where, '\0');
		err_reason(err, RATLS_E_ARG, REASON_PRODUCTION,
			"\"%s\" is set (%s), which \"production\" does not allow", s->opt->name,
			where.bad ? "" : (const char *)where.p);
		buf_done(&where);
		return RATLS_E_ARG;
	}
	return RATLS_OK;
}

int opt_check_values(const struct opt_settings *all, const void *config, bool files, struct ratls_error *err)
{
	int rc = all->program->check != NULL ? all->program->check(config, files, err) : RATLS_OK;
	struct opt_setting *s = NULL;
	struct buf where = {0};

	if (rc != RATLS_OK && err != NULL && strncmp(err->message, "--", 2) == 0)
		s = opt_find(all, err->message + 2, strcspn(err->message + 2, " :,"));
	if (s == NULL || s->origin == OPT_FROM_DEFAULT || s->origin == OPT_FROM_FLAG)
		return rc;
	opt_origin_name(all, s, &where);
	buf_u8(&where, '\0');
	if (!where.bad)
		rc = err_prefix(err, rc, "%s", (const char *)where.p);
	buf_done(&where);
	return rc;
}
