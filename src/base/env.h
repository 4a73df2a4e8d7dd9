/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment. An empty variable is how a compose file says that there is none.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

/* The variable's value, NULL if it is unset or empty. Borrowed. */
const char *env_get(const char *name);

#endif
