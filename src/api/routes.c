/* routes.c — all resources, and what several of them speak of. */
#include "api/route.h"

const struct api_resource *const api_resources[] = {
#define X(name) &api_resource_##name,
#include "api/resources.def"
#undef X
    NULL,
};

#define INTEGER_MAX ((int64_t)1 << 53) /* beyond, programs that hold numbers as doubles lose digits (RFC 8259, 6) */

const struct shape api_time = {.kind = SHAPE_INT, .max = INTEGER_MAX};
const struct shape api_number = {.kind = SHAPE_INT, .max = INTEGER_MAX};
const struct shape api_time_or_null = {.kind = SHAPE_INT, .max = INTEGER_MAX, .or_null = true};
const struct shape api_text_or_null = {.kind = SHAPE_STRING, .or_null = true};
const struct shape api_mode = {.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("practice", "live")};
const struct shape api_message = {.kind = SHAPE_STRING, .max = 500};
const struct shape api_nothing = {.kind = SHAPE_OBJECT, .keys = (const struct shape_key[]){{0}}};
const struct shape api_page_limit = {.kind = SHAPE_INT, .min = 1, .max = API_PAGE_MAX};
const struct shape api_cursor = {.kind = SHAPE_STRING, .min = 1, .max = 200};

static const struct shape severity = {.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("error", "warning")};
static const struct shape finding = {
    .kind = SHAPE_OBJECT,
    .ref = "Finding",
    .keys = SHAPE_KEYS({"severity", &severity, true, "errors keep a workspace from being published"},
                       {"code", &shape_text, true, "for programs"}, {"text", &shape_text, true, "what is wrong and what to do"},
                       {"file", &shape_text, false, "in the folder"}, {"line", &api_number, false, "from 1"},
                       {"column", &api_number, false, "from 1"}, {"flow", &shape_text, false, "its id"},
                       {"block", &shape_text, false, "its id"}, {"at", &shape_text, false, "a pin, an input or a connection"},
                       {"pointer", &shape_text, false, "of the place in the file (RFC 6901)"}),
};
const struct shape api_findings = {.kind = SHAPE_LIST, .item = &finding, .max = FINDINGS_MAX};

const char *api_parameter_about(struct str name) {
    static const struct {
        const char *name, *about;
    } rows[] = {
#define X(name, about) {#name, about},
#include "api/parameters.def"
#undef X
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_is(name, rows[i].name))
            return rows[i].about;
    return NULL;
}
