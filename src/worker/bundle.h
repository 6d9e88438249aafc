/* bundle.h — the JavaScript that is built from runtime/ and is part of this binary. */
#ifndef FLOWLET_BUNDLE_H
#define FLOWLET_BUNDLE_H

#include "base/str.h"

struct str bundle_runtime(void);
struct str bundle_toolbox(void);
struct str bundle_checker(void);

#endif
