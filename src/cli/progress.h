/* progress.h — one line on a person's terminal about work that takes longer than a second.
 *
 *     progress_begin();
 *     ... progress_show("copying", done, total) ...      as often as it suits
 *     progress_end();                                    the line is gone
 *
 * Standard error, and only where that is a terminal: what programs read stays clean. */
#ifndef FLOWLET_PROGRESS_H
#define FLOWLET_PROGRESS_H

#include "base/base.h"

void progress_begin(void);
/* Bytes; total 0: not known. */
void progress_show(const char *what, int64_t done, int64_t total);
void progress_end(void);

#endif
