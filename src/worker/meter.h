/* meter.h — what the process and a thread of it use, asked for in a few hundred nanoseconds, also behind the seal. */
#ifndef FLOWLET_METER_H
#define FLOWLET_METER_H

#include <time.h>

#include "base/error.h"

/* Keeps a descriptor that works on when no path can be opened any more. */
MUST_USE bool meter_open(struct error *err);
/* Bytes of memory in use by the process now. */
size_t meter_rss(void);
/* Bytes that RLIMIT_DATA counts. */
size_t meter_data(void);
/* CPU time of a thread by its clock (pthread_getcpuclockid). */
int64_t meter_cpu_us(clockid_t thread);

#endif
