/* SPDX-License-Identifier: Apache-2.0
 *
 * Standard input, output and error, which whoever starts a program may have closed or sent to where nothing can be
 * written.
 */
#ifndef PROGRAM_STREAMS_H
#define PROGRAM_STREAMS_H

#include "ratls.h"

/* To be called before anything is opened: what is opened next would take the place of one that is closed, and a socket
 * be sent our log. */
void streams_hold(void);

/* Has all that was printed to standard output been taken? RATLS_E_IO (reason FILE) if not; whoever stopped reading has
 * read enough. What was lost is told once. */
int streams_flush(struct ratls_error *err);

#endif
