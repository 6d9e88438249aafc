/* http.c — HTTP Request: one request, its answer as `response`. */
#include "blocks/blocks.h"

#define OUT 1u
#define ERROR 2u

/* docs/internals.md, section 5. The body is what came: JSON, text or bytes. */
#define RESPONSE                                                                                                                 \
    "{\"type\": \"object\", \"required\": [\"status\", \"headers\", \"body\", \"url\", \"timing\"], \"properties\": "            \
    "{\"status\": {\"type\": \"integer\"}, \"headers\": {\"type\": \"object\"}, "                                                \
    "\"body\": {}, "                                                                                                             \
    "\"url\": {\"type\": \"string\"}, \"timing\": {\"type\": \"object\"}}}"

static const struct shape shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        BLOCK_KEYS, {"auth", &shape_name, false, "a secret: a password goes as Bearer token, basic as basic auth"},
        {"follow_redirects", &shape_bool, false, "true when left out"},
        {"any_status", &shape_bool, false, "4xx and 5xx leave by out, too"},
        {"changes", &shape_bool, false, "it changes something although it is a GET"},
        {"counts_as", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("page", "sms", "chat", "other")},
         false, "in the outbox"},
        {"sample", &shape_json, false, "the answer in practice mode: {status, headers, body}"},
        {"body_type", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("json", "form", "text")}, false,
         "how `body` is written"},
        {"idempotency_key", &shape_bool, false, "sends a header Idempotency-Key, the same whenever this request is repeated"},
        {"unknown", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("repeat", "fail", "probe")}, false,
         "when it may have arrived and no answer came: send it again, fail with code unknown_outcome, or ask `probe` (repeat)"},
        {"probe_finds", &(const struct shape){.kind = SHAPE_STRING, .max = 200}, false,
         "where the probe's answer has something if the request was carried out: body.items[0]; else its status tells"}),
};

static bool is_path(struct str s) {
    bool ok = str_starts(s, STR("body")) || str_starts(s, STR("headers."));
    for (size_t i = 0; ok && i < s.len; i++)
        ok = s.ptr[i] > ' ' && s.ptr[i] < 127 && !strchr("(){};,'`\\", s.ptr[i]);
    return ok;
}

static void check_probe(const struct flow *flow, const struct block *b, struct findings *findings) {
    bool probes = str_is(jsonx_str(b->json, "unknown"), "probe");
    struct str finds = jsonx_str(b->json, "probe_finds");
    struct finding f = block_place(flow, b, "bad_probe");
    if (finds.ptr && (!probes || !is_path(finds)))
        findings_add(findings, &f,
                     "`probe_finds` goes with `unknown`: \"probe\" and is a path into the probe's answer: body.items[0].id");
    for (size_t i = 0; i < b->in_count; i++) {
        const struct connection *c = &flow->connections[b->ins[i]];
        bool mapped = false;
        for (size_t k = 0; k < c->map_count; k++)
            mapped |= str_is(c->map[k].input, "probe");
        f = connection_place(flow, c, "bad_probe");
        if (mapped != probes)
            findings_add(findings, &f,
                         "the input `probe` and `unknown`: \"probe\" go together: the address that tells whether the request of "
                         "`" STR_FMT "` was carried out",
                         STR_ARG(b->id));
    }
}

static void check(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings) {
    struct str auth = jsonx_str(b->json, "auth");
    const json_t *secret = json_object_getn(w->secrets, auth.ptr, auth.len);
    struct str type = jsonx_str(secret, "type");
    check_probe(flow, b, findings);
    struct finding f = block_place(flow, b, "wrong_secret");
    if (secret && !str_is(type, "password") && !str_is(type, "basic"))
        findings_add(findings, &f,
                     "`auth` takes a secret of type password or basic, and `" STR_FMT "` is a " STR_FMT ": name one of them",
                     STR_ARG(auth), STR_ARG(type));
}

const struct block_type block_http = {
    .name = "http",
    .title = "HTTP Request",
    .about = "One request to another service, JSON both ways. An answer of 400 and above leaves by `error` unless set otherwise, "
             "as does a server that cannot be reached.",
    .shape = &shape,
    .pins = {"out", "error"},
    .inputs = (const struct input_def[]){{"method", false, SCHEMA_OF("string")},
                                         {"url", true, SCHEMA_OF("string")},
                                         {"headers", false, SCHEMA_OF("object")},
                                         {"query", false, SCHEMA_OF("object")},
                                         {"body", false, NULL},
                                         {"to", false, NULL},
                                         {"probe", false, SCHEMA_OF("string")},
                                         {0}},
    .outputs = (const struct output_def[]){{"response", OUT | ERROR, ERROR, RESPONSE}, {0}},
    .retries = true,
    .timeout_ms = 10000,
    .check = check,
};
