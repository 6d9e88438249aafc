/* version.c — which toolbox is embedded; the Makefile gives its digest. */
#include "js/pool.h"

struct str pool_toolbox_version(void) {
    return STR(TOOLBOX_VERSION);
}
