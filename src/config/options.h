/* options.h — the options of `flowlet serve`, each a row of options.def. */
#ifndef FLOWLET_OPTIONS_H
#define FLOWLET_OPTIONS_H

#include "config/args.h"

#define OPTION_FIELD_ARG_TEXT const char *
#define OPTION_FIELD_ARG_PLACE struct arg_place
#define OPTION_FIELD_ARG_LIST struct arg_list
#define OPTION_FIELD_ARG_SWITCH bool
#define OPTION_FIELD_ARG_NUMBER int64_t

struct options {
#define X(field, flag, type, value, low, high, standard, general) OPTION_FIELD_##type field;
#include "config/options.def"
#undef X
};

extern const struct arg options_args[];
extern const size_t options_count;

#endif
