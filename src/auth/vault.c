/* vault.c — see vault.h.
 *
 * Masking walks the text once. `starts` has a bit for each pair of bytes that some pattern may begin
 * with, so that nearly every place is passed by one look; only where it is set are the patterns of
 * that first byte tried, and the longest match is taken. */
#include "auth/vault.h"

#include <ctype.h>
#include <sodium.h>

#include "base/map.h"

#define VALUE_MIN 4

enum pattern_kind {
    PATTERN_EXACT,
    PATTERN_PLAIN,   /* exact, but broken by what JSON escapes: not within JSON strings */
    PATTERN_PERCENT, /* each byte as it is, or as %XX; a space also as + */
};

struct pattern {
    struct pattern *next; /* in by_first */
    const char *name;     /* the secret's; its entry's */
    char *bytes;          /* owned */
    size_t len;
    enum pattern_kind kind;
};

struct entry {
    char *name; /* owned */
    json_t *value;
};

struct vault {
    struct map entries; /* name -> struct entry */
    struct pattern *by_first[256];
    uint8_t starts[65536 / 8];
};

struct vault *vault_new(void) {
    struct vault *v = mem_alloc(sizeof *v);
    map_init(&v->entries);
    return v;
}

static void entry_free(struct entry *e) {
    if (!e)
        return;
    json_decref(e->value);
    free(e->name);
    free(e);
}

static void patterns_drop(struct vault *v) {
    for (size_t i = 0; i < ARRAY_LEN(v->by_first); i++)
        for (struct pattern *p; (p = v->by_first[i]);) {
            v->by_first[i] = p->next;
            sodium_memzero(p->bytes, p->len);
            free(p->bytes);
            free(p);
        }
    memset(v->starts, 0, sizeof v->starts);
}

void vault_free(struct vault *v) {
    if (!v)
        return;
    patterns_drop(v);
    struct map_entry *e;
    for (size_t at = 0; (e = map_next(&v->entries, &at));)
        entry_free(e->value);
    map_release(&v->entries);
    free(v);
}

/* ---- the patterns of a value ---- */

static void may_start(struct vault *v, int first, int second) {
    unsigned pair = (unsigned)(first & 0xff) << 8 | (unsigned)(second & 0xff);
    v->starts[pair / 8] |= (uint8_t)(1u << pair % 8);
}

static void pattern_link(struct vault *v, int first, const char *name, struct str bytes, enum pattern_kind kind) {
    struct pattern *p = mem_alloc(sizeof *p);
    *p = (struct pattern){v->by_first[first & 0xff], name, str_dup(bytes), bytes.len, kind};
    v->by_first[first & 0xff] = p;
}

static void pattern_add(struct vault *v, const char *name, struct str bytes, enum pattern_kind kind) {
    if (bytes.len < VALUE_MIN)
        return;
    may_start(v, bytes.ptr[0], bytes.ptr[1]);
    pattern_link(v, bytes.ptr[0], name, bytes, kind);
    if (kind != PATTERN_PERCENT)
        return;
    char hex[3];
    may_start(v, bytes.ptr[0], '%');
    if (bytes.ptr[1] == ' ')
        may_start(v, bytes.ptr[0], '+');
    hex_write(bytes.ptr, 1, hex);
    may_start(v, '%', hex[0]);
    may_start(v, '%', toupper(hex[0]));
    pattern_link(v, '%', name, bytes, kind);
    if (bytes.ptr[0] == ' ') {
        may_start(v, '+', bytes.ptr[1]);
        may_start(v, '+', '%');
        may_start(v, '+', '+');
        pattern_link(v, '+', name, bytes, kind);
    }
}

/* JSON's escapes once and, for JSON inside of JSON, twice; also with everything but ASCII as \uXXXX. */
static void add_json(struct vault *v, const char *name, struct str value) {
    struct buf once, twice;
    buf_init(&once, value.len * 6 + 2);
    buf_init(&twice, (value.len * 6 + 2) * 6);
    buf_add_json_string(&once, value);
    struct str escaped = {once.ptr + 1, once.len - 2};
    bool differs = !str_eq(escaped, value);
    pattern_add(v, name, value, differs ? PATTERN_PLAIN : PATTERN_EXACT);
    if (differs) {
        pattern_add(v, name, escaped, PATTERN_EXACT);
        buf_add_json_string(&twice, escaped);
        pattern_add(v, name, (struct str){twice.ptr + 1, twice.len - 2}, PATTERN_EXACT);
    }
    json_t *string = jsonx_from_str(value);
    char *ascii = json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    struct str whole = str_from(ascii), other = {whole.ptr + 1, whole.len - 2};
    if (!str_eq(other, escaped)) {
        pattern_add(v, name, other, PATTERN_EXACT);
        for (char *at = ascii; (at = strstr(at, "\\u")); at += 2) /* others write the digits in lower case */
            for (int i = 2; i < 6; i++)
                at[i] = (char)tolower((unsigned char)at[i]);
        pattern_add(v, name, other, PATTERN_EXACT);
    }
    free(ascii);
    json_decref(string);
    buf_release(&once);
    buf_release(&twice);
}

/* What of a longer text's base64 is the value's alone, with 0, 1 and 2 bytes before it: the digits
 * that hold bits of neighbours are left out. In both alphabets (RFC 4648, sections 4 and 5). */
static void add_base64(struct vault *v, const char *name, struct str value) {
    for (size_t before = 0; before < 3; before++) {
        struct buf plain, digits;
        buf_init(&plain, value.len + 2);
        buf_init(&digits, value.len * 2 + 8);
        buf_add(&plain, str_of("\0", before));
        buf_add(&plain, value);
        buf_add_base64(&digits, buf_str(&plain));
        size_t from = (before * 8 + 5) / 6, to = (before + value.len) * 8 / 6;
        pattern_add(v, name, str_of(digits.ptr + from, to - from), PATTERN_EXACT);
        bool differs = false;
        for (size_t i = from; i < to; i++)
            if (digits.ptr[i] == '+' || digits.ptr[i] == '/') {
                digits.ptr[i] = digits.ptr[i] == '+' ? '-' : '_';
                differs = true;
            }
        if (differs)
            pattern_add(v, name, str_of(digits.ptr + from, to - from), PATTERN_EXACT);
        sodium_memzero(plain.ptr, plain.len);
        buf_release(&plain);
        buf_release(&digits);
    }
}

static void add_all(struct vault *v, const char *name, struct str value) {
    if (value.len < VALUE_MIN)
        return;
    add_json(v, name, value);
    pattern_add(v, name, value, PATTERN_PERCENT);
    add_base64(v, name, value);
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that %XX at s stands for, or -1. */
static int percent_byte(const char *s, const char *end) {
    if (end - s < 3 || s[0] != '%' || hex_digit(s[1]) < 0 || hex_digit(s[2]) < 0)
        return -1;
    return hex_digit(s[1]) << 4 | hex_digit(s[2]);
}

/* In a URL such as an SMTP server's the password shows up alone as well, and decoded. */
static void add_url_password(struct vault *v, const char *name, struct str value) {
    size_t scheme = str_find(value, STR("://"));
    if (scheme == SIZE_MAX)
        return;
    struct str rest = {value.ptr + scheme + 3, value.len - scheme - 3}, user, password = {NULL, 0};
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < rest.len && rest.ptr[i] != '/'; i++)
        if (rest.ptr[i] == '@')
            at = i;
    if (at == SIZE_MAX)
        return;
    struct buf decoded;
    buf_init(&decoded, at + 1);
    rest.len = at;
    str_cut(&rest, ':', &user);
    password = rest;
    for (const char *s = password.ptr, *end = s + password.len; s < end;) {
        int byte = percent_byte(s, end);
        buf_addc(&decoded, byte < 0 ? *s : (char)byte);
        s += byte < 0 ? 1 : 3;
    }
    add_all(v, name, buf_str(&decoded));
    sodium_memzero(decoded.ptr, decoded.len);
    buf_release(&decoded);
}

static void entry_text(const struct entry *e, struct buf *out) {
    if (json_is_string(e->value)) {
        buf_add(out, jsonx_string_value(e->value));
        return;
    }
    buf_add(out, jsonx_str(e->value, "username"));
    buf_addc(out, ':');
    buf_add(out, jsonx_str(e->value, "password"));
}

/* All anew: secrets change seldom. */
static void patterns_make(struct vault *v) {
    patterns_drop(v);
    struct map_entry *m;
    for (size_t at = 0; (m = map_next(&v->entries, &at));) {
        struct entry *e = m->value;
        struct buf text;
        buf_init(&text, VAULT_VALUE_MAX * 2 + 1);
        entry_text(e, &text);
        if (json_is_string(e->value)) {
            add_all(v, e->name, buf_str(&text));
            add_url_password(v, e->name, buf_str(&text));
        } else if (jsonx_str(e->value, "password").len) {
            add_all(v, e->name, jsonx_str(e->value, "password"));
            add_base64(v, e->name, buf_str(&text));
        }
        sodium_memzero(text.ptr, text.len);
        buf_release(&text);
    }
}

/* ---- by name ---- */

static bool is_value(const json_t *value) {
    if (json_is_string(value))
        return json_string_length(value) <= VAULT_VALUE_MAX;
    return json_is_object(value) && json_object_size(value) == 2 && json_is_string(json_object_get(value, "username")) &&
           json_is_string(json_object_get(value, "password")) && jsonx_str(value, "username").len <= VAULT_VALUE_MAX &&
           jsonx_str(value, "password").len <= VAULT_VALUE_MAX;
}

static bool is_empty(const json_t *value) {
    return json_is_string(value) ? json_string_length(value) == 0 : jsonx_str(value, "password").len == 0;
}

bool vault_set(struct vault *v, struct str name, json_t *value, struct error *err) {
    if (!is_value(value))
        return error_set(err, ERR_INVALID,
                         "the secret " STR_FMT " must be a text, or {\"username\", \"password\"}, of at most %d bytes",
                         STR_ARG(name), VAULT_VALUE_MAX);
    struct entry *e = mem_alloc(sizeof *e);
    e->name = str_dup(name);
    e->value = json_incref(value);
    struct entry *old = map_set(&v->entries, name, e);
    patterns_make(v);
    entry_free(old);
    return true;
}

void vault_remove(struct vault *v, struct str name) {
    struct entry *old = map_remove(&v->entries, name);
    patterns_make(v);
    entry_free(old);
}

const json_t *vault_get(const struct vault *v, struct str name) {
    const struct entry *e = map_find(&v->entries, name);
    return e && !is_empty(e->value) ? e->value : NULL;
}

bool vault_text(const struct vault *v, struct str name, struct buf *out) {
    if (!vault_get(v, name))
        return false;
    entry_text(map_find(&v->entries, name), out);
    return buf_ok(out);
}

bool vault_equals(const struct vault *v, struct str name, struct str given) {
    struct buf text;
    uint8_t want[32] = {0}, have[32];
    buf_init(&text, VAULT_VALUE_MAX * 2 + 1);
    bool there = vault_text(v, name, &text);
    /* Hashes, for they are of one length whatever was given. */
    crypto_generichash(want, sizeof want, (const uint8_t *)text.ptr, text.len, NULL, 0);
    crypto_generichash(have, sizeof have, (const uint8_t *)given.ptr, given.len, NULL, 0);
    bool same = sodium_memcmp(want, have, sizeof want) == 0;
    sodium_memzero(text.ptr, text.len);
    buf_release(&text);
    return there && same;
}

bool vault_authorization(const struct vault *v, struct str name, struct buf *out) {
    const json_t *value = vault_get(v, name);
    struct buf text;
    if (!value)
        return false;
    buf_init(&text, VAULT_VALUE_MAX * 2 + 1);
    vault_text(v, name, &text);
    buf_adds(out, json_is_string(value) ? "Bearer " : "Basic ");
    bool ok = json_is_string(value) ? buf_add(out, buf_str(&text)) : buf_add_base64(out, buf_str(&text));
    sodium_memzero(text.ptr, text.len);
    buf_release(&text);
    return ok;
}

/* ---- masking ---- */

static bool json_escapes(char c) { return (unsigned char)c < 0x20 || c == '"' || c == '\\'; }

/* How many bytes of the text the pattern covers; 0: it does not fit here. */
static size_t match_percent(const struct pattern *p, const char *at, const char *end, bool json) {
    const char *s = at;
    for (size_t i = 0; i < p->len; i++) {
        if (s == end)
            return 0;
        int byte = percent_byte(s, end);
        if (byte >= 0 && byte == (uint8_t)p->bytes[i])
            s += 3;
        else if ((*s == p->bytes[i] && !(json && json_escapes(*s))) || (*s == '+' && p->bytes[i] == ' '))
            s++;
        else
            return 0;
    }
    return (size_t)(s - at);
}

static size_t match(const struct pattern *p, const char *at, const char *end, bool json) {
    if (p->kind == PATTERN_PERCENT)
        return match_percent(p, at, end, json);
    if ((json && p->kind == PATTERN_PLAIN) || (size_t)(end - at) < p->len || memcmp(at, p->bytes, p->len) != 0)
        return 0;
    return p->len;
}

/* The secret that stands at `at`, in *len bytes; the longest, where several do. NULL: none. */
static const char *find(const struct vault *v, const char *at, const char *end, bool json, size_t *len) {
    const char *name = NULL;
    *len = 0;
    if (end - at < VALUE_MIN)
        return NULL;
    unsigned pair = (unsigned)(uint8_t)at[0] << 8 | (uint8_t)at[1];
    if (!(v->starts[pair / 8] & 1u << pair % 8))
        return NULL;
    for (const struct pattern *p = v->by_first[(uint8_t)at[0]]; p; p = p->next) {
        size_t n = match(p, at, end, json);
        if (n > *len) {
            *len = n;
            name = p->name;
        }
    }
    return name;
}

/* A text that is copied with changes: everything up to `copied` is in out, or went. */
struct copy {
    struct buf *out;
    const char *copied;
    bool any;
};

static void put_mask(struct copy *c, const char *at, size_t len, const char *before, const char *name, const char *after) {
    buf_add(c->out, str_of(c->copied, (size_t)(at - c->copied)));
    buf_addf(c->out, "%s«%s»%s", before, name, after);
    c->copied = at + len;
    c->any = true;
}

static bool copy_end(struct copy *c, const char *end) {
    if (c->any)
        buf_add(c->out, str_of(c->copied, (size_t)(end - c->copied)));
    return c->any;
}

bool vault_mask(const struct vault *v, struct str text, struct buf *out) {
    struct copy c = {out, text.ptr, false};
    const char *end = text.ptr + text.len;
    if (!v->entries.count)
        return false;
    for (const char *at = text.ptr; at < end;) {
        size_t len;
        const char *name = find(v, at, end, false, &len);
        if (name)
            put_mask(&c, at, len, "", name, "");
        at += name ? len : 1;
    }
    return copy_end(&c, end);
}

/* From behind the opening quote to behind the closing one. Escapes are taken whole. */
static const char *mask_string(const struct vault *v, struct copy *c, const char *at, const char *end) {
    while (at < end && *at != '"') {
        size_t len;
        const char *name = find(v, at, end, true, &len);
        if (name)
            put_mask(c, at, len, "", name, "");
        else
            len = *at != '\\' ? 1 : end - at > 5 && at[1] == 'u' ? 6 : end - at > 1 ? 2 : 1;
        at += len;
    }
    return at < end ? at + 1 : end;
}

/* A number that holds a secret becomes a string. */
static const char *mask_number(const struct vault *v, struct copy *c, const char *from, const char *end) {
    const char *to = from, *name = NULL;
    while (to < end && (isdigit((unsigned char)*to) || memchr("+-.eE", *to, 5)))
        to++;
    for (const char *at = from; at < to && !name; at++) {
        size_t len;
        name = find(v, at, to, true, &len);
    }
    if (name)
        put_mask(c, from, (size_t)(to - from), "\"", name, "\"");
    return to;
}

bool vault_mask_json(const struct vault *v, struct str json, struct buf *out) {
    struct copy c = {out, json.ptr, false};
    const char *end = json.ptr + json.len;
    if (!v->entries.count)
        return false;
    for (const char *at = json.ptr; at < end;) {
        if (*at == '"')
            at = mask_string(v, &c, at + 1, end);
        else if (isdigit((unsigned char)*at) || *at == '-')
            at = mask_number(v, &c, at, end);
        else
            at++;
    }
    return copy_end(&c, end);
}
