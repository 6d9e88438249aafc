/* shapes.c — the shape of flow documents, as docs/internals.md, section 2, tells it. */
#include "flow/flow.h"

#define MINUTE_MS 60000
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

/* ---- what every block may have ---- */

const struct shape block_timeout_shape = {.kind = SHAPE_INT, .min = 1, .max = HOUR_MS};
const struct shape block_outputs_shape = {.kind = SHAPE_MAP, .item = &shape_name, .names = true};
const struct shape block_retry_shape = {
    .kind = SHAPE_OBJECT,
    .ref = "retry",
    .keys = SHAPE_KEYS(
        {"times", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = 1000}, true, "further attempts"},
        {"delay_ms", &(const struct shape){.kind = SHAPE_INT, .min = 0, .max = DAY_MS}, false, "before the first of them"},
        {"factor", &(const struct shape){.kind = SHAPE_NUMBER, .min = 1, .max = 100}, false,
         "how much longer each next delay is"},
        {"max_delay_ms", &(const struct shape){.kind = SHAPE_INT, .min = 0, .max = DAY_MS}, false, "the longest delay"},
        {"on", &(const struct shape){.kind = SHAPE_LIST, .item = &shape_id, .max = 50}, false,
         "error codes to try again after; every one that may pass when left out"}),
};

static const struct shape *block_variant(size_t i, const char **value) {
    if (!block_types[i])
        return NULL;
    *value = block_types[i]->name;
    return block_types[i]->shape;
}

static const struct shape block_shape = {.kind = SHAPE_VARIANT, .by = "type", .variant = block_variant, .ref = "block"};

/* ---- connections ---- */

static const struct shape map_shape = {.kind = SHAPE_MAP, .item = &shape_source, .names = true};
static const struct shape connection_shape = {
    .kind = SHAPE_OBJECT,
    .ref = "connection",
    .keys = SHAPE_KEYS({"from", &shape_title, true, "BLOCK.PIN"}, {"to", &shape_id, true, "a block"},
                       {"map", &map_shape, false, "where each input of the block comes from"}),
};

/* ---- the Start, by the flow's type ---- */

#define RUN_LIMITS                                                                                                               \
    {"run_ms", &(const struct shape){.kind = SHAPE_INT, .min = 100, .max = HOUR_MS}, false,                                      \
     "run time that is not spent waiting (30000)"},                                                                              \
        {"cpu_ms", &(const struct shape){.kind = SHAPE_INT, .min = 10, .max = 10 * MINUTE_MS}, false, "CPU time (10000)"}, {     \
        "memory_mb", &(const struct shape){.kind = SHAPE_INT, .min = 8, .max = 64}, false, "memory (64)"                         \
    }

static const struct shape limits_shape = {.kind = SHAPE_OBJECT, .ref = "limits", .keys = SHAPE_KEYS(RUN_LIMITS)};
static const struct shape endpoint_limits_shape = {
    .kind = SHAPE_OBJECT,
    .ref = "endpoint_limits",
    .keys = SHAPE_KEYS(RUN_LIMITS,
                       {"requests_per_minute", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = 1000000}, false,
                        "beyond: 429 with Retry-After"},
                       {"per", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("flow", "client")}, false,
                        "whose requests are counted together: all of the flow (default), or one caller's address"},
                       {"at_once", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = 100000}, false,
                        "requests that wait for their answer at one time; beyond: 503 with Retry-After"}),
};

static const struct shape bodies_shape = {.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("keep", "sample", "drop")};

#define START_TAIL(shape)                                                                                                        \
    {"bodies", &bodies_shape, false,                                                                                             \
     "inputs and outputs of blocks in what is kept of runs: of all (keep, the default); of those that fail and one in ten "      \
     "others (sample); of none (drop)"},                                                                                         \
        {"limits", &shape, false, "what one run may use"}, {                                                                     \
        "note", &shape_text, false, "for whoever reads the flow"                                                                 \
    }

static const struct shape parameter_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"type", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("integer", "string")}, true,
                        "integer or string"}),
};
static const struct shape body_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        {"type",
         &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("json", "form", "multipart", "text", "bytes")},
         true, "how it is read"},
        {"schema", &shape_schema_value, false, "what it must look like"},
        {"max_bytes", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = 16 * 1024 * 1024}, false, "longest (1 MB)"}),
};
static const struct shape header_name_shape = {.kind = SHAPE_STRING, .max = 100};
static const struct shape access_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        {"type",
         &(const struct shape){.kind = SHAPE_CHOICE,
                               .choices = SHAPE_CHOICES("basic", "bearer", "pagerduty-v3", "github-hmac", "shared-token")},
         true, "how callers prove themselves"},
        {"secret", &shape_name, true, "the secret it is checked against"},
        {"header", &header_name_shape, false, "shared-token: the header that holds it"},
        {"query", &header_name_shape, false, "shared-token: or the name in the query"}),
};
static const struct shape origin_shape = {.kind = SHAPE_STRING, .max = 300};
static const struct shape cors_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"origins", &(const struct shape){.kind = SHAPE_LIST, .item = &origin_shape, .max = 100}, true,
                        "https://shop.example, or * for all"},
                       {"headers", &(const struct shape){.kind = SHAPE_LIST, .item = &header_name_shape, .max = 50}, false,
                        "that pages may send, or * for all (Content-Type)"},
                       {"credentials", &shape_bool, false, "whether cookies and logins are sent along; not with origin *"},
                       {"max_age_s", &(const struct shape){.kind = SHAPE_INT, .min = 0, .max = 86400}, false,
                        "how long browsers remember this (600)"}),
};
static const struct shape endpoint_start_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        {"method",
         &(const struct shape){.kind = SHAPE_CHOICE,
                               .choices = SHAPE_CHOICES("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")},
         true, "of the request"},
        {"path", &(const struct shape){.kind = SHAPE_STRING, .max = 512}, true, "/api/user/{id}, kept as written"},
        {"parameters", &(const struct shape){.kind = SHAPE_MAP, .item = &parameter_shape, .names = true}, false,
         "types of what stands in braces in the path"},
        {"query", &shape_schema_value, false, "what the query must look like"},
        {"body", &body_shape, false, "what is sent along"},
        {"access", &(const struct shape){.kind = SHAPE_LIST, .item = &access_shape, .max = 10}, false,
         "who may call: any one of them is enough; none: everybody"},
        {"answer", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("end", "at once")}, false,
         "when the flow ends, or 202 as soon as the run is stored"},
        {"durable", &shape_bool, false, "stored before anything happens, resumed after a crash"},
        {"deduplicate", &shape_source, false, "a value that is the same when a delivery is repeated"},
        {"output", &shape_schema_value, false, "what the answer looks like"},
        {"cors", &cors_shape, false, "pages of other origins that may read the answers"}, START_TAIL(endpoint_limits_shape)),
};
static const struct shape cron_start_shape = {
    .kind = SHAPE_OBJECT,
    .keys =
        SHAPE_KEYS({"every", &shape_title, false, "5 minutes, 1 hour"}, {"line", &shape_title, false, "*/5 * * * *"},
                   {"zone", &shape_title, false, "Europe/Berlin: where the line's times are"},
                   {"overlap", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("skip", "queue", "allow")},
                    false, "what is due while the run before is under way: not run (the default), run after it, run beside it"},
                   {"missed", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("once", "all", "skip")}, false,
                    "what was due while the server was down: one run for all (the default), one each, none"},
                   START_TAIL(limits_shape)),
};
static const struct shape reusable_start_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"inputs", &shape_schema_value, false, "an object schema: what callers give"},
                       {"outputs", &shape_schema_value, false, "an object schema: what callers get"}, START_TAIL(limits_shape)),
};

/* ---- the document ---- */

static const struct shape place_shape = {
    .kind = SHAPE_LIST,
    .item = &(const struct shape){.kind = SHAPE_NUMBER, .min = -1000000, .max = 1000000},
    .max = 2,
};

#define FLOW_SHAPE(start_shape, start_required)                                                                                  \
    {                                                                                                                            \
        .kind = SHAPE_OBJECT,                                                                                                    \
        .keys = SHAPE_KEYS(                                                                                                      \
            {"name", &shape_title, true, "what people call it"}, {"type", &shape_title, true, "endpoint, cron or reusable"},     \
            {"start", &start_shape, start_required, "the Start's configuration"},                                                \
            {"blocks", &(const struct shape){.kind = SHAPE_LIST, .item = &block_shape, .max = FLOW_BLOCKS_MAX}, true,            \
             "all but the Start"},                                                                                               \
            {"connections", &(const struct shape){.kind = SHAPE_LIST, .item = &connection_shape, .max = FLOW_CONNECTIONS_MAX},   \
             true, "from an output pin to a block"},                                                                             \
            {"layout", &(const struct shape){.kind = SHAPE_MAP, .item = &place_shape}, false,                                    \
             "where the editor draws each block"}),                                                                              \
    }

static const struct shape flow_shapes[] = {
    [FLOW_ENDPOINT] = FLOW_SHAPE(endpoint_start_shape, true),
    [FLOW_CRON] = FLOW_SHAPE(cron_start_shape, true),
    [FLOW_REUSABLE] = FLOW_SHAPE(reusable_start_shape, false),
};

static const struct shape *flow_variant(size_t i, const char **value) {
    if (i >= ARRAY_LEN(flow_shapes))
        return NULL;
    *value = flow_type_name((enum flow_type)i);
    return &flow_shapes[i];
}

const struct shape flow_shape = {.kind = SHAPE_VARIANT, .by = "type", .variant = flow_variant};
