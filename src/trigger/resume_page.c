/* resume_page.c — see resume_page.h. */
#include "trigger/resume_page.h"

#include "base/clock.h"
#include "base/percent.h"

#define NUMBER_MAX 40 /* characters of a number that is typed in */

static const char style[] =
    ":root{color-scheme:light dark;--b:#0b57d0;--t:#1f1f1f;--m:#5f6368;--c:#fff;--g:#f4f6f9;--l:#d0d4da}"
    "@media(prefers-color-scheme:dark){:root{--b:#8ab4f8;--t:#e8eaed;--m:#a8adb4;--c:#26282c;--g:#17181a;--l:#4a4d52}}"
    "*{box-sizing:border-box}body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;padding:1rem;"
    "background:var(--g);color:var(--t);font:1rem/1.5 system-ui,sans-serif}"
    "main{width:100%;max-width:30rem;background:var(--c);border-radius:1rem;padding:1.75rem;box-shadow:0 1px 6px #0003}"
    "h1{margin:0 0 .5rem;font-size:1.35rem;line-height:1.25;overflow-wrap:anywhere}"
    "p{margin:.5rem 0;white-space:pre-wrap;overflow-wrap:anywhere}small{color:var(--m)}"
    "label{display:block;margin:1rem 0}label span{display:block;margin-bottom:.25rem;font-weight:600}"
    "input[type=text],input[type=number],select{width:100%;padding:.65rem;font:inherit;color:inherit;background:transparent;"
    "border:1px solid var(--l);border-radius:.5rem}option{color:#1f1f1f}"
    "input[type=checkbox]{width:1.25rem;height:1.25rem;vertical-align:-.2rem;margin-right:.5rem}"
    "button{width:100%;margin-top:1rem;padding:.9rem;font:inherit;font-weight:600;color:#fff;background:#0b57d0;border:0;"
    "border-radius:.6rem;cursor:pointer}button:focus-visible,input:focus-visible,select:focus-visible{outline:3px solid var(--b);"
    "outline-offset:2px}.wrong{color:#b3261e;font-weight:600}"
    "@media(prefers-color-scheme:dark){.wrong{color:#f2b8b5}}";

static void add_html(struct buf *out, struct str text) {
    for (size_t i = 0; i < text.len; i++)
        switch (text.ptr[i]) {
        case '&':
            buf_adds(out, "&amp;");
            break;
        case '<':
            buf_adds(out, "&lt;");
            break;
        case '>':
            buf_adds(out, "&gt;");
            break;
        case '"':
            buf_adds(out, "&quot;");
            break;
        default:
            buf_addc(out, text.ptr[i]);
        }
}

static struct str or_else(struct str text, const char *other) { return text.len ? text : str_from(other); }

const char *link_state_name(enum link_state s) {
    static const char *const names[] = {"unknown", "not yet", "open", "used", "expired", "over"};
    return names[s];
}

/* "2026-11-23 21:14 UTC" */
static void add_time(struct buf *out, int64_t ms) {
    char text[CLOCK_TEXT_MAX];
    clock_write(ms, text);
    buf_addf(out, "%.10s %.5s UTC", text, text + 11);
}

/* ---- the page ---- */

static void add_options(struct buf *out, const json_t *field, struct str value) {
    size_t i;
    json_t *option;
    buf_adds(out, "<option value=\"\"></option>");
    json_array_foreach(json_object_get(field, "options"), i, option) {
        struct str text = jsonx_string_value(option);
        buf_addf(out, "<option%s>", str_eq(text, value) ? " selected" : "");
        add_html(out, text);
        buf_adds(out, "</option>");
    }
}

static void add_field(struct buf *out, const json_t *field, const json_t *given) {
    struct str name = jsonx_str(field, "name"), type = jsonx_str(field, "type");
    struct str title = or_else(jsonx_str(field, "title"), json_string_value(json_object_get(field, "name")));
    struct str value = jsonx_string_value(json_object_getn(given, name.ptr, name.len));
    const char *required = jsonx_bool(field, "required", false) ? " required" : "";
    buf_adds(out, "<label>");
    if (str_is(type, "boolean")) {
        buf_addf(out, "<input type=\"checkbox\" name=\"" STR_FMT "\" value=\"true\"%s>", STR_ARG(name),
                 value.len ? " checked" : "");
        add_html(out, title);
    } else {
        buf_adds(out, "<span>");
        add_html(out, title);
        buf_adds(out, "</span>");
        if (str_is(type, "choice")) {
            buf_addf(out, "<select name=\"" STR_FMT "\"%s>", STR_ARG(name), required);
            add_options(out, field, value);
            buf_adds(out, "</select>");
        } else {
            buf_addf(out, "<input type=\"%s name=\"" STR_FMT "\"%s value=\"",
                     str_is(type, "number") ? "number\" step=\"any\"" : "text\"", STR_ARG(name), required);
            add_html(out, value);
            buf_adds(out, "\">");
        }
    }
    buf_adds(out, "</label>");
}

static void add_question(struct buf *out, const struct link_view *view, const char *wrong, const json_t *given) {
    size_t i;
    json_t *field;
    struct str text = jsonx_str(view->page, "text");
    buf_adds(out, "<h1>");
    add_html(out, or_else(jsonx_str(view->page, "title"), "Please confirm"));
    buf_adds(out, "</h1>");
    if (text.len) {
        buf_adds(out, "<p>");
        add_html(out, text);
        buf_adds(out, "</p>");
    }
    if (wrong) {
        buf_adds(out, "<p class=\"wrong\" role=\"alert\">");
        add_html(out, str_from(wrong));
        buf_adds(out, "</p>");
    }
    buf_adds(out, "<form method=\"post\">");
    json_array_foreach(json_object_get(view->page, "fields"), i, field) add_field(out, field, given);
    buf_adds(out, "<button type=\"submit\">");
    add_html(out, or_else(jsonx_str(view->page, "button"), "Confirm"));
    buf_adds(out, "</button></form><p><small>Can be confirmed once, until ");
    add_time(out, view->time_ms);
    buf_adds(out, ".</small></p>");
}

static void add_state(struct buf *out, const struct link_view *view) {
    static const struct {
        const char *head, *text;
    } said[] = {
        [LINK_UNKNOWN] = {"This link is not valid", "It was not copied as a whole, or what it was for is long over."},
        [LINK_NOT_YET] = {"One moment", "This question is about to be asked. The page loads itself again."},
        [LINK_USED] = {"Already confirmed", "This link was used on "},
        [LINK_EXPIRED] = {"Too late", "This could be confirmed until "},
        [LINK_OVER] = {"No longer needed", "What this was asked for has ended by itself."},
    };
    struct str title = jsonx_str(view->page, "title");
    buf_addf(out, "<h1>%s</h1><p>", view->is_ours ? "Thank you, it is confirmed" : said[view->state].head);
    if (title.len) {
        add_html(out, title);
        buf_adds(out, "</p><p>");
    }
    buf_addf(out, "<small>%s", view->is_ours ? "Confirmed on " : said[view->state].text);
    if (view->state == LINK_USED || view->state == LINK_EXPIRED) {
        add_time(out, view->time_ms);
        buf_addc(out, '.');
    }
    buf_adds(out, "</small></p>");
}

void resume_page_html(const struct link_view *view, const char *wrong, const json_t *given, struct buf *out) {
    buf_adds(out, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                  "content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\">");
    if (view->state == LINK_NOT_YET)
        buf_adds(out, "<meta http-equiv=\"refresh\" content=\"2\">");
    buf_adds(out, "<title>");
    add_html(out, or_else(jsonx_str(view->page, "title"), "Confirm"));
    buf_addf(out, "</title><style>%s</style></head><body><main>", style);
    if (view->state == LINK_OPEN)
        add_question(out, view, wrong, given);
    else
        add_state(out, view);
    buf_adds(out, "</main></body></html>\n");
}

json_t *resume_page_json(const struct link_view *view) {
    char when[CLOCK_TEXT_MAX];
    json_t *out = json_pack("{s:s, s:b}", "state", link_state_name(view->state), "accepted", (int)view->is_ours);
    clock_write(view->time_ms, when);
    if (view->state == LINK_OPEN || view->state == LINK_EXPIRED)
        json_object_set_new(out, "until", json_string(when));
    if (view->state == LINK_USED)
        json_object_set_new(out, "used_at", json_string(when));
    json_object_update_missing(out, (json_t *)(uintptr_t)view->page);
    return out;
}

/* ---- what is posted ---- */

static struct str decoded(struct str raw, struct arena *arena) {
    char *copy = arena_strdup(arena, raw);
    struct str out;
    for (size_t i = 0; i < raw.len; i++)
        if (copy[i] == '+')
            copy[i] = ' ';
    return percent_decode(str_of(copy, raw.len), arena, &out) ? out : STR("");
}

json_t *resume_form(struct str body) {
    struct arena arena;
    struct str pair, name;
    json_t *form = json_object();
    arena_init(&arena);
    while (str_cut(&body, '&', &pair)) {
        if (!str_cut(&pair, '=', &name))
            continue;
        struct str key = decoded(name, &arena), value = decoded(pair, &arena);
        if (key.len)
            json_object_setn_new(form, key.ptr, key.len, jsonx_from_str(value));
    }
    arena_release(&arena);
    return form;
}

static const char *title_of(const json_t *field) {
    const char *title = json_string_value(json_object_get(field, "title"));
    return title && *title ? title : json_string_value(json_object_get(field, "name"));
}

/* The value that the text is, new; NULL with err. */
static json_t *take_text(const json_t *field, struct str type, struct str text, struct error *err) {
    char number[NUMBER_MAX + 1], *end;
    size_t i;
    json_t *option;
    if (str_is(type, "number")) {
        snprintf(number, sizeof number, STR_FMT, (int)(text.len < NUMBER_MAX ? text.len : NUMBER_MAX), text.ptr);
        json_t *value = json_loads(number, JSON_DECODE_ANY, NULL);
        strtod(number, &end);
        if (json_is_number(value) && !*end && text.len <= NUMBER_MAX)
            return value;
        json_decref(value);
        error_set(err, ERR_INVALID, "%.200s: a number is needed", title_of(field));
        return NULL;
    }
    json_array_foreach(json_object_get(field, "options"), i, option) {
        if (str_eq(text, jsonx_string_value(option)))
            return json_incref(option);
    }
    if (!str_is(type, "choice"))
        return jsonx_from_str(text);
    error_set(err, ERR_INVALID, "%.200s: choose one of those that are offered", title_of(field));
    return NULL;
}

/* True with *out NULL where it was left out and may be. */
static bool take_field(const json_t *field, json_t *given, bool is_json, json_t **out, struct error *err) {
    struct str name = jsonx_str(field, "name"), type = or_else(jsonx_str(field, "type"), "text");
    json_t *value = json_object_getn(given, name.ptr, name.len);
    bool empty = !value || json_is_null(value) || (json_is_string(value) && !json_string_length(value));
    *out = NULL;
    if (str_is(type, "boolean")) {
        if (is_json && !empty && !json_is_boolean(value))
            return error_set(err, ERR_INVALID, "%.200s: true or false is needed", title_of(field));
        *out = json_boolean(is_json ? json_is_true(value) : !empty);
        return true;
    }
    if (empty)
        return !jsonx_bool(field, "required", false) ||
               error_set(err, ERR_INVALID, "%.200s: please fill this in", title_of(field));
    if (str_is(type, "number") && json_is_number(value)) {
        *out = json_incref(value);
        return true;
    }
    if (!json_is_string(value))
        return error_set(err, ERR_INVALID, "%.200s: a value of type " STR_FMT " is needed", title_of(field), STR_ARG(type));
    return (*out = take_text(field, type, jsonx_string_value(value), err)) != NULL;
}

json_t *resume_answer(const json_t *page, struct str body, bool is_json, struct error *err) {
    const json_t *fields = json_object_get(page, "fields");
    json_t *given = !is_json ? resume_form(body) : body.len ? jsonx_parse(body, err) : json_object(), *field, *value;
    size_t i;
    if (!given || (!json_array_size(fields) && is_json))
        return given;
    json_t *answer = json_object();
    bool ok = json_is_object(given) || error_set(err, ERR_INVALID, "an object with the fields is needed");
    json_array_foreach(fields, i, field) {
        ok = ok && take_field(field, given, is_json, &value, err);
        if (ok && value)
            json_object_set_new(answer, json_string_value(json_object_get(field, "name")), value);
    }
    json_decref(given);
    if (ok)
        return answer;
    json_decref(answer);
    return NULL;
}
