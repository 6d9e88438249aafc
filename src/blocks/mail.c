/* mail.c — Mail: one message by the operation `mail.send`. */
#include "blocks/blocks.h"

#define OUT 1u

static const struct shape shape = {.kind = SHAPE_OBJECT, .keys = SHAPE_KEYS(BLOCK_KEYS)};

static void check_server(const struct flow *flow, const struct connection *c, const struct mapping *m, const struct catalog *w,
                         struct findings *findings) {
    const json_t *secret = json_object_getn(w->secrets, m->source.name.ptr, m->source.name.len);
    struct finding f = connection_place(flow, c, "wrong_secret");
    f.pointer = m->source.pointer;
    if (secret && !str_is(jsonx_str(secret, "type"), "smtp"))
        findings_add(findings, &f,
                     "`server` takes a secret of type smtp, and `" STR_FMT "` is a " STR_FMT ": name one of that type",
                     STR_ARG(m->source.name), STR_ARG(jsonx_str(secret, "type")));
}

static void check(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings) {
    for (size_t i = 0; i < b->in_count; i++) {
        const struct connection *c = &flow->connections[b->ins[i]];
        for (size_t k = 0; k < c->map_count; k++)
            if (c->map[k].source.kind == SOURCE_SECRET && str_is(c->map[k].input, "server"))
                check_server(flow, c, &c->map[k], w, findings);
    }
}

/* Addresses are texts, "a@b, C <c@d>", or lists of one each. */
const struct block_type block_mail = {
    .name = "mail",
    .title = "Mail",
    .about = "One mail by SMTP with TLS, by the same engine as `mail.send`.",
    .shape = &shape,
    .pins = {"out", "error"},
    .inputs = (const struct input_def[]){{"server", true, SCHEMA_OF("string")},
                                         {"from", true, SCHEMA_OF("string")},
                                         {"to", true, NULL},
                                         {"cc", false, NULL},
                                         {"bcc", false, NULL},
                                         {"reply_to", false, SCHEMA_OF("string")},
                                         {"subject", false, SCHEMA_OF("string")},
                                         {"text", false, SCHEMA_OF("string")},
                                         {"html", false, SCHEMA_OF("string")},
                                         {"attachments", false, SCHEMA_OF("array")},
                                         {0}},
    .outputs = (const struct output_def[]){{"sent", OUT, 0, SCHEMA_OF("object")}, {0}},
    .retries = true,
    .timeout_ms = 20000,
    .check = check,
};
