/* SPDX-License-Identifier: Apache-2.0
 *
 * What Intel has announced: the verdict as it will be once an announced TCB recovery is the standard.
 */
#ifndef CLI_FORECAST_H
#define CLI_FORECAST_H

#include "cli/evaluation.h"

/* The member `forecast` of the report of an evaluation that came to an appraisal: a new reference, NULL if memory
 * ran out. Asks the collateral service (blocking); what could not be had is said in it. */
json_t *forecast_json(const struct evaluation *e);

#endif
