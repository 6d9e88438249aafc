/* mail_send.c — the operation `mail.send`. */
#include "base/clock.h"
#include "net/mail.h"
#include "net/mime.h"
#include "ops/args.h"
#include "ops/op.h"

struct send {
    struct op *op;
    struct mail_call *call;
    struct loop_flush failed; /* op_fail must not come from inside start */
    struct error err;
    struct str server;
    struct mail_address from, *reply_to; /* reply_to NULL: none */
    struct mail_address *to, *cc, *bcc;
    size_t to_count, cc_count, bcc_count;
    struct mime_attachment attachments[MIME_ATTACHMENTS_MAX];
    size_t attachment_count;
    struct mime_header headers[MIME_HEADERS_MAX];
    size_t header_count;
    int64_t timeout_ms;
    char *message_id;       /* "<unique@domain>" */
    struct str *recipients; /* each once */
    size_t recipient_count;
    struct buf mime;
};

static enum op_kind send_kind(const json_t *args) {
    (void)args;
    return OP_EFFECT;
}

/* --- arguments --- */

/* A string, "a@b, C <c@d>", or a list of these. */
static bool read_addresses(struct op *op, const char *key, struct mail_address **out, size_t *count, struct error *err) {
    const json_t *value = json_object_get(op->args, key), *item;
    size_t i;
    if (!value || json_is_null(value))
        return true;
    if (json_is_string(value))
        return mail_address_parse_list(jsonx_string_value(value), &op->arena, out, count, err) || error_wrap(err, "%s", key);
    if (!json_is_array(value) || json_array_size(value) > MIME_RECIPIENTS_MAX)
        return error_set(err, ERR_INVALID, "%s is neither an address nor a list of at most %d", key, MIME_RECIPIENTS_MAX);
    struct mail_address *list = arena_alloc(&op->arena, MIME_RECIPIENTS_MAX * sizeof *list);
    json_array_foreach(value, i, item) {
        if (!json_is_string(item))
            return error_set(err, ERR_INVALID, "%s[%zu] is not a string", key, i);
        if (!mail_address_parse(jsonx_string_value(item), &op->arena, &list[i], err))
            return error_wrap(err, "%s[%zu]", key, i);
    }
    *out = list;
    *count = json_array_size(value);
    return true;
}

static bool read_one_address(struct op *op, const char *key, struct mail_address **out, struct error *err) {
    struct str text = {NULL, 0};
    if (!args_str(op->args, key, &text, err))
        return false;
    if (!text.len)
        return true;
    struct mail_address *address = arena_alloc(&op->arena, sizeof *address);
    if (!mail_address_parse(text, &op->arena, address, err))
        return error_wrap(err, "%s", key);
    *out = address;
    return true;
}

static void release_buf(void *arg) { buf_release(arg); }

/* Text, or bytes as {"$bytes": ...}. */
static bool read_content(struct op *op, const json_t *value, struct str *out) {
    if (json_is_string(value)) {
        *out = jsonx_string_value(value);
        return true;
    }
    struct buf *bytes = arena_alloc(&op->arena, sizeof *bytes);
    buf_init(bytes, MIME_SIZE_MAX);
    arena_defer(&op->arena, release_buf, bytes);
    if (!jsonx_to_bytes(value, bytes))
        return false;
    *out = buf_str(bytes);
    return true;
}

static bool read_attachments(struct op *op, struct send *s, struct error *err) {
    const json_t *list = json_object_get(op->args, "attachments"), *item;
    size_t i;
    if (!list || json_is_null(list))
        return true;
    if (!json_is_array(list) || json_array_size(list) > MIME_ATTACHMENTS_MAX)
        return error_set(err, ERR_INVALID, "attachments is not a list of at most %d", MIME_ATTACHMENTS_MAX);
    json_array_foreach(list, i, item) {
        struct mime_attachment *a = &s->attachments[i];
        if (!args_str(item, "name", &a->name, err) || !args_str(item, "type", &a->type, err))
            return error_wrap(err, "attachments[%zu]", i);
        if (!read_content(op, json_object_get(item, "content"), &a->bytes))
            return error_set(err, ERR_INVALID, "attachments[%zu]: content is neither text nor bytes", i);
    }
    s->attachment_count = json_array_size(list);
    return true;
}

static bool read_headers(struct op *op, struct send *s, struct error *err) {
    json_t *headers = json_object_get(op->args, "headers"), *value;
    const char *name;
    if (!headers || json_is_null(headers))
        return true;
    if (!json_is_object(headers) || json_object_size(headers) > MIME_HEADERS_MAX)
        return error_set(err, ERR_INVALID, "headers is not an object of at most %d", MIME_HEADERS_MAX);
    json_object_foreach(headers, name, value) {
        if (!json_is_string(value))
            return error_set(err, ERR_INVALID, "headers: a value is not a string");
        s->headers[s->header_count++] = (struct mime_header){str_from(name), jsonx_string_value(value)};
    }
    return true;
}

static void add_recipients(struct send *s, const struct mail_address *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (size_t k = 0; k < s->recipient_count; k++)
            known = known || str_eq(s->recipients[k], list[i].address);
        if (!known)
            s->recipients[s->recipient_count++] = list[i].address;
    }
}

static bool send_check(struct op *op, struct error *err) {
    struct send *s = op->own = arena_alloc(&op->arena, sizeof *s);
    struct mail_address *from = NULL;
    s->op = op;
    s->timeout_ms = 20000;
    buf_init(&s->mime, MIME_SIZE_MAX);
    arena_defer(&op->arena, release_buf, &s->mime);
    if (!args_needed_str(op->args, "server", &s->server, err) || !read_one_address(op, "from", &from, err) ||
        !read_one_address(op, "reply_to", &s->reply_to, err) || !read_addresses(op, "to", &s->to, &s->to_count, err) ||
        !read_addresses(op, "cc", &s->cc, &s->cc_count, err) || !read_addresses(op, "bcc", &s->bcc, &s->bcc_count, err) ||
        !read_attachments(op, s, err) || !read_headers(op, s, err) ||
        !args_int(op->args, "timeout_ms", 1, 600000, &s->timeout_ms, err))
        return error_wrap(err, "mail.send");
    if (!from)
        return error_set(err, ERR_INVALID, "mail.send: from is missing");
    s->from = *from;
    s->recipients = arena_alloc(&op->arena, (s->to_count + s->cc_count + s->bcc_count) * sizeof *s->recipients + 1);
    add_recipients(s, s->to, s->to_count);
    add_recipients(s, s->cc, s->cc_count);
    add_recipients(s, s->bcc, s->bcc_count);
    return s->recipient_count || error_set(err, ERR_INVALID, "mail.send: to is missing");
}

/* Half of the idempotency key makes it (128 bits, and a line of less than 78 bytes): every attempt of one
 * mail has the same. */
static char *make_message_id(struct op *op, const struct send *s) {
    char random[33] = "";
    uint8_t bytes[16];
    size_t at = str_find(s->from.address, STR("@"));
    struct str domain = {s->from.address.ptr + at + 1, s->from.address.len - at - 1};
    if (!op->key[0]) {
        random_bytes(bytes, sizeof bytes);
        hex_write(bytes, sizeof bytes, random);
    }
    return arena_printf(&op->arena, "<%.32s@" STR_FMT ">", op->key[0] ? op->key : random, STR_ARG(domain));
}

static bool compose(struct op *op, struct error *err) {
    struct send *s = op->own;
    struct mime_message m = {.from = &s->from,
                             .reply_to = s->reply_to,
                             .to = s->to,
                             .to_count = s->to_count,
                             .cc = s->cc,
                             .cc_count = s->cc_count,
                             .attachments = s->attachments,
                             .attachment_count = s->attachment_count,
                             .headers = s->headers,
                             .header_count = s->header_count,
                             .date_ms = op->time_ms ? op->time_ms : clock_now_ms()};
    if (!args_str(op->args, "subject", &m.subject, err) || !args_str(op->args, "text", &m.text, err) ||
        !args_str(op->args, "html", &m.html, err) || !args_str(op->args, "message_id", &m.message_id, err) ||
        !args_str(op->args, "auto_submitted", &m.auto_submitted, err))
        return error_wrap(err, "mail.send");
    bool bare = m.message_id.len && m.message_id.ptr[0] != '<';
    s->message_id = m.message_id.len ? arena_printf(&op->arena, bare ? "<" STR_FMT ">" : STR_FMT, STR_ARG(m.message_id))
                                     : make_message_id(op, s);
    m.message_id = str_from(s->message_id);
    return mime_compose(&m, &s->mime, err) || error_wrap(err, "mail.send");
}

/* --- sending --- */

static json_t *recipients_json(const struct mail_result *r, bool accepted) {
    json_t *list = json_array();
    for (size_t i = 0; i < r->recipient_count; i++) {
        const struct mail_recipient *to = &r->recipients[i];
        if (accepted && to->accepted)
            json_array_append_new(list, json_string(to->address));
        else if (!accepted && !to->accepted && to->code)
            json_array_append_new(list, json_pack("{ss si so}", "address", to->address, "code", to->code, "reply",
                                                  jsonx_from_str(str_from(to->reply))));
    }
    return list;
}

static void on_sent(void *arg, const struct mail_result *r, const struct error *err) {
    struct op *op = arg;
    struct send *s = op->own;
    if (err) {
        op_fail(op, err,
                json_pack("{s{so sb so}}", "cause", "reply", jsonx_from_str(str_from(r->reply)), "unknown", r->unknown,
                          "rejected", recipients_json(r, false)));
        return;
    }
    op_succeed(op, json_pack("{so so ss so sI}", "accepted", recipients_json(r, true), "rejected", recipients_json(r, false),
                             "message_id", s->message_id, "reply", jsonx_from_str(str_from(r->reply)), "ms",
                             (json_int_t)r->duration_ms));
}

static void on_failed(void *arg) {
    struct send *s = arg;
    op_fail(s->op, &s->err, NULL);
}

static void send_start(struct op *op) {
    struct send *s = op->own;
    if (compose(op, &s->err)) {
        struct mail_request r = {.server = s->server,
                                 .from = s->from.address,
                                 .recipients = s->recipients,
                                 .recipient_count = s->recipient_count,
                                 .message = buf_str(&s->mime),
                                 .timeout_ms = (int)s->timeout_ms};
        s->call = mail_start(op->env->transfers, &r, on_sent, op, &s->err);
        buf_release(&s->mime);
    }
    if (!s->call) {
        s->failed = (struct loop_flush){.fn = on_failed, .arg = s};
        loop_flush_add(op->env->loop, &s->failed);
    }
}

static void send_cancel(struct op *op) {
    struct send *s = op->own;
    if (s->call) /* else it ends at the end of this turn anyway */
        mail_cancel(s->call);
}

/* --- practice mode, history --- */

static bool send_capture(struct op *op, struct op_captured *out, struct error *err) {
    struct send *s = op->own;
    if (!compose(op, err))
        return false;
    struct buf to;
    buf_init(&to, MIME_RECIPIENTS_MAX * 3 * 330);
    json_t *accepted = json_array();
    for (size_t i = 0; i < s->recipient_count; i++) {
        buf_addf(&to, i ? ", " STR_FMT : STR_FMT, STR_ARG(s->recipients[i]));
        json_array_append_new(accepted, jsonx_from_str(s->recipients[i]));
    }
    *out = (struct op_captured){.kind = "mail",
                                .to = arena_strdup(&op->arena, buf_str(&to)),
                                .content = buf_str(&s->mime), /* goes with the arena */
                                .value = json_pack("{so s[] ss ss si}", "accepted", accepted, "rejected", "message_id",
                                                   s->message_id, "reply", "250 captured, not sent", "ms", 0)};
    buf_release(&to);
    return true;
}

static void send_about(const json_t *args, struct buf *out) {
    const json_t *to = json_object_get(args, "to"), *item;
    size_t i;
    buf_adds(out, "mail to ");
    if (json_is_string(to))
        buf_add(out, jsonx_string_value(to));
    json_array_foreach(to, i, item) {
        buf_adds(out, i ? ", " : "");
        buf_add(out, jsonx_string_value(item));
    }
    buf_adds(out, ": ");
    buf_add(out, jsonx_str(args, "subject"));
}

const struct op_type op_mail_send = {.name = "mail.send",
                                     .kind = send_kind,
                                     .check = send_check,
                                     .start = send_start,
                                     .cancel = send_cancel,
                                     .capture = send_capture,
                                     .about = send_about};
