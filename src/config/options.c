/* options.c — see options.h. */
#include "config/options.h"

const struct arg options_args[] = {
#define X(field, name, kind, called, least, most, otherwise, general)                                                            \
    {.flag = name,                                                                                                               \
     .value = called,                                                                                                            \
     .type = kind,                                                                                                               \
     .low = least,                                                                                                               \
     .high = most,                                                                                                               \
     .standard = otherwise,                                                                                                      \
     .environment = true,                                                                                                        \
     .help = general,                                                                                                            \
     .offset = offsetof(struct options, field)},
#include "config/options.def"
#undef X
};
const size_t options_count = ARRAY_LEN(options_args);
