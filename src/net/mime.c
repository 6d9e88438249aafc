/* mime.c — see mime.h.
 *
 * (1) Bodies are quoted-printable or base64, and neither ever holds "=_": so a boundary that starts
 *     with it is in no body (RFC 2045, 6.7).
 * (2) What goes into a header passes check_header_text first, so it holds no line end. */
#include "net/mime.h"

#include "net/hostname.h"

#define LINE_WANTED 78   /* RFC 5322, 2.1.1 */
#define WORD_MAX 900     /* a word that cannot be folded; the hard limit is 998 a line */
#define ENCODED_LINE 76  /* RFC 2047, 2: a line with an encoded word */
#define ENCODED_EMPTY 12 /* bytes of =?UTF-8?B??= */
#define BODY_LINE 76     /* RFC 2045, 6.7 and 6.8 */
#define SEGMENT_MAX 48   /* characters of a parameter's part, RFC 2231 */

static bool is_ascii_print(char c) { return c >= 0x20 && c < 0x7f; }

/* atext of RFC 5322, 3.2.3 */
static bool is_atom_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool check_header_text(struct str s, const char *field, struct error *err) {
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 ? s.ptr[i] != '\t' : s.ptr[i] == 0x7f)
            return error_set(err, ERR_INVALID,
                             "%s: a line end or control character (0x%02x) at byte %zu cannot stand in a header", field,
                             (unsigned char)s.ptr[i], i + 1);
    if (!str_is_utf8(s))
        return error_set(err, ERR_INVALID, "%s: not UTF-8", field);
    return true;
}

/* --- addresses --- */

static bool check_local_part(struct str local) {
    if (!local.len || local.len > 64 || local.ptr[0] == '.' || local.ptr[local.len - 1] == '.')
        return false;
    for (size_t i = 0; i < local.len; i++)
        if (local.ptr[i] == '.' ? local.ptr[i - 1] == '.' : !is_atom_char(local.ptr[i]))
            return false;
    return true;
}

static bool make_address(struct str text, struct arena *a, struct str *out, struct error *err) {
    size_t at = text.len;
    while (at && text.ptr[at - 1] != '@')
        at--;
    if (!at)
        return error_set(err, ERR_INVALID, "no mail address (name@domain): %s", arena_printf(a, STR_FMT, STR_ARG(text)));
    struct str local = {text.ptr, at - 1}, domain = {text.ptr + at, text.len - at};
    for (size_t i = 0; i < local.len; i++)
        if ((unsigned char)local.ptr[i] >= 0x80)
            return error_set(err, ERR_INVALID, "the part before the @ has to be ASCII: " STR_FMT, STR_ARG(text));
    if (!check_local_part(local))
        return error_set(err, ERR_INVALID, "no mail address (the part before the @ is not valid): " STR_FMT, STR_ARG(text));
    char host[HOSTNAME_MAX];
    if (!hostname_to_ascii(domain, host, err))
        return error_wrap(err, "no mail address: " STR_FMT, STR_ARG(text));
    *out = str_from(arena_printf(a, STR_FMT "@%s", STR_ARG(local), host));
    return true;
}

static void skip_spaces(struct str *rest) {
    while (rest->len && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
        rest->ptr++, rest->len--;
}

/* The content of "..." at the cursor. */
static bool take_quoted(struct str *rest, struct arena *a, struct str *out) {
    char *text = arena_alloc(a, rest->len);
    size_t n = 0;
    for (size_t i = 1; i < rest->len; i++) {
        if (rest->ptr[i] == '"') {
            *out = (struct str){text, n};
            rest->ptr += i + 1;
            rest->len -= i + 1;
            return true;
        }
        if (rest->ptr[i] == '\\' && i + 1 < rest->len)
            i++;
        text[n++] = rest->ptr[i];
    }
    return false;
}

/* One address at the cursor, which then stands at a comma or the end. */
static bool take_address(struct str *rest, struct arena *a, struct mail_address *out, struct error *err) {
    struct str at = *rest, name = {NULL, 0};
    skip_spaces(&at);
    if (at.len && at.ptr[0] == '"') {
        if (!take_quoted(&at, a, &name))
            return error_set(err, ERR_INVALID, "the quotation mark is not closed");
        skip_spaces(&at);
        if (!at.len || at.ptr[0] != '<')
            return error_set(err, ERR_INVALID, "after the quoted name comes <address>");
    } else {
        size_t n = 0;
        while (n < at.len && at.ptr[n] != '<' && at.ptr[n] != ',')
            n++;
        name = str_trim((struct str){at.ptr, n});
        at.ptr += n;
        at.len -= n;
    }
    struct str address = name;
    if (at.len && at.ptr[0] == '<') {
        struct str inside = {at.ptr + 1, at.len - 1};
        size_t end = str_find(inside, STR(">"));
        if (end == SIZE_MAX)
            return error_set(err, ERR_INVALID, "the < is not closed");
        address = str_trim((struct str){inside.ptr, end});
        at = (struct str){inside.ptr + end + 1, inside.len - end - 1};
        skip_spaces(&at);
        if (at.len && at.ptr[0] != ',')
            return error_set(err, ERR_INVALID, "after <address> comes a comma or the end");
    } else {
        name = (struct str){NULL, 0};
    }
    out->name = arena_str(a, name);
    if (!make_address(address, a, &out->address, err))
        return false;
    *rest = at;
    return true;
}

bool mail_address_parse(struct str text, struct arena *a, struct mail_address *out, struct error *err) {
    struct mail_address found;
    if (!check_header_text(text, "address", err) || !take_address(&text, a, &found, err))
        return false;
    if (text.len)
        return error_set(err, ERR_INVALID, "one mail address is wanted here, not a list");
    *out = found;
    return true;
}

bool mail_address_parse_list(struct str text, struct arena *a, struct mail_address **out, size_t *count, struct error *err) {
    struct mail_address *list = arena_alloc(a, MIME_RECIPIENTS_MAX * sizeof *list);
    size_t n = 0;
    if (!check_header_text(text, "addresses", err))
        return false;
    text = str_trim(text);
    while (text.len) {
        if (n == MIME_RECIPIENTS_MAX)
            return error_set(err, ERR_INVALID, "more than %d addresses", MIME_RECIPIENTS_MAX);
        if (!take_address(&text, a, &list[n++], err))
            return false;
        if (text.len) { /* at a comma */
            text.ptr++, text.len--;
            skip_spaces(&text);
            if (!text.len)
                return error_set(err, ERR_INVALID, "an address is missing after the last comma");
        }
    }
    *out = list;
    *count = n;
    return true;
}

/* --- headers --- */

struct line {
    struct buf *out;
    size_t column; /* bytes on this line so far */
    bool empty;    /* nothing stands after the colon: folding there is legal, but some readers stumble over it */
};

static struct line start_header(struct buf *out, struct str name) {
    buf_add(out, name);
    buf_addc(out, ':');
    return (struct line){out, name.len + 1, true};
}

static void end_header(struct line *l) { buf_adds(l->out, "\r\n"); }

/* A space and the word, on a new line when it would not fit. */
static void add_word(struct line *l, struct str word) {
    if (l->column + 1 + word.len > LINE_WANTED && !l->empty) {
        buf_adds(l->out, "\r\n");
        l->column = 0;
    }
    buf_addc(l->out, ' ');
    buf_add(l->out, word);
    l->column += 1 + word.len;
    l->empty = false;
}

static bool is_utf8_tail(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* UTF-8 as a row of encoded words (RFC 2047), each of whole characters. */
static void add_encoded(struct line *l, struct str text) {
    while (text.len) {
        size_t room = l->column + 1 + ENCODED_EMPTY + 8 > ENCODED_LINE ? 0 : ENCODED_LINE - l->column - 1 - ENCODED_EMPTY;
        if (!room) {
            buf_adds(l->out, "\r\n");
            l->column = 0;
            room = ENCODED_LINE - 1 - ENCODED_EMPTY;
        }
        size_t n = room / 4 * 3;
        if (n > text.len)
            n = text.len;
        while (n < text.len && is_utf8_tail(text.ptr[n]))
            n--;
        size_t before = l->out->len;
        buf_adds(l->out, " =?UTF-8?B?");
        buf_add_base64(l->out, (struct str){text.ptr, n});
        buf_adds(l->out, "?=");
        l->column += l->out->len - before;
        l->empty = false;
        text.ptr += n;
        text.len -= n;
    }
}

/* Whether text reads the same when it stands there as it is and is folded between its words. */
static bool is_plain(struct str text, size_t word_max) {
    if (str_find(text, STR("=?")) != SIZE_MAX)
        return false;
    size_t word = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_ascii_print(text.ptr[i]))
            return false;
        if (text.ptr[i] == ' ' && !word)
            return false; /* at the front, or two */
        word = text.ptr[i] == ' ' ? 0 : word + 1;
        if (word > word_max)
            return false;
    }
    return !text.len || word;
}

static void add_words(struct line *l, struct str text) {
    struct str word;
    while (str_cut(&text, ' ', &word))
        add_word(l, word);
}

static void add_text(struct line *l, struct str text, size_t word_max) {
    if (is_plain(text, word_max))
        add_words(l, text);
    else
        add_encoded(l, text);
}

static void add_quoted(struct buf *out, struct str text) {
    buf_addc(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_addc(out, '\\');
        buf_addc(out, text.ptr[i]);
    }
    buf_addc(out, '"');
}

static bool is_all_ascii_print(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (!is_ascii_print(s.ptr[i]))
            return false;
    return true;
}

/* Text that stands in quotation marks for itself: many readers decode encoded words even there. */
static bool is_quotable(struct str s) { return is_all_ascii_print(s) && str_find(s, STR("=?")) == SIZE_MAX; }

static bool is_phrase(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != ' ' && !is_atom_char(s.ptr[i]))
            return false;
    return is_plain(s, 60);
}

static void add_display_name(struct line *l, struct str name) {
    if (is_phrase(name)) {
        add_words(l, name);
    } else if (name.len <= 60 && is_quotable(name)) {
        struct buf quoted;
        buf_init(&quoted, 200);
        add_quoted(&quoted, name);
        add_word(l, buf_str(&quoted));
        buf_release(&quoted);
    } else {
        add_encoded(l, name);
    }
}

static bool write_addresses(struct buf *out, const char *header, const struct mail_address *list, size_t count,
                            struct error *err) {
    if (!count)
        return true;
    struct line l = start_header(out, str_from(header));
    for (size_t i = 0; i < count; i++) {
        if (!check_header_text(list[i].name, header, err))
            return false;
        if (list[i].name.len)
            add_display_name(&l, list[i].name);
        struct buf word;
        buf_init(&word, 400);
        buf_addf(&word, list[i].name.len ? "<" STR_FMT ">%s" : STR_FMT "%s", STR_ARG(list[i].address), i + 1 < count ? "," : "");
        add_word(&l, buf_str(&word));
        buf_release(&word);
    }
    end_header(&l);
    return true;
}

/* "; name=value" of a structured header (RFC 2231 where the value needs it). */
static void add_parameter(struct line *l, const char *name, struct str value) {
    struct buf part;
    buf_init(&part, 512);
    buf_addc(l->out, ';');
    l->column++;
    if (value.len <= 60 && is_quotable(value)) {
        buf_addf(&part, "%s=", name);
        add_quoted(&part, value);
        add_word(l, buf_str(&part));
        buf_release(&part);
        return;
    }
    size_t at = 0;
    for (int n = 0; at < value.len; n++) {
        buf_clear(&part);
        buf_addf(&part, "%s*%d*=%s", name, n, n ? "" : "UTF-8''");
        for (size_t used = 0; at < value.len && used < SEGMENT_MAX; at++) {
            char c = value.ptr[at];
            bool plain = is_atom_char(c) && !strchr("*'%/?=", c);
            used += plain ? 1 : 3;
            if (plain)
                buf_addc(&part, c);
            else
                buf_addf(&part, "%%%02X", (unsigned char)c);
        }
        if (at < value.len)
            buf_addc(&part, ';');
        add_word(l, buf_str(&part));
    }
    buf_release(&part);
}

static void write_date(struct buf *out, int64_t ms) {
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(ms / 1000);
    struct tm t;
    gmtime_r(&seconds, &t);
    buf_addf(out, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[t.tm_wday], t.tm_mday, months[t.tm_mon], t.tm_year + 1900,
             t.tm_hour, t.tm_min, t.tm_sec);
}

static bool write_message_id(struct buf *out, struct str id, struct error *err) {
    if (id.len > 2 && id.ptr[0] == '<' && id.ptr[id.len - 1] == '>')
        id = (struct str){id.ptr + 1, id.len - 2};
    size_t ats = 0;
    bool ok = id.len <= 250;
    for (size_t i = 0; i < id.len && ok; i++) {
        ats += id.ptr[i] == '@';
        ok = is_atom_char(id.ptr[i]) || id.ptr[i] == '.' || (id.ptr[i] == '@' && i > 0 && i + 1 < id.len);
    }
    if (!ok || ats != 1)
        return error_set(err, ERR_INVALID, "message_id has the form unique@domain, in ASCII, at most 250 bytes");
    struct line l = start_header(out, STR("Message-ID"));
    char word[256];
    int n = snprintf(word, sizeof word, "<" STR_FMT ">", STR_ARG(id));
    add_word(&l, (struct str){word, (size_t)n});
    end_header(&l);
    return true;
}

static bool is_ours(struct str name) {
    static const char *const ours[] = {"From", "To",         "Cc",       "Bcc",         "Reply-To",     "Subject",
                                       "Date", "Message-ID", "Received", "Return-Path", "MIME-Version", "Auto-Submitted"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_eq_nocase(name, str_from(ours[i])))
            return true;
    return name.len >= 8 && str_eq_nocase((struct str){name.ptr, 8}, STR("Content-"));
}

static bool write_other_header(struct buf *out, const struct mime_header *h, struct error *err) {
    bool ok = h->name.len > 0 && h->name.len <= 70;
    for (size_t i = 0; i < h->name.len && ok; i++)
        ok = h->name.ptr[i] > ' ' && h->name.ptr[i] < 0x7f && h->name.ptr[i] != ':';
    if (!ok)
        return error_set(err, ERR_INVALID, "headers: a header's name is ASCII without spaces and colons, at most 70 bytes");
    char name[80];
    snprintf(name, sizeof name, STR_FMT, STR_ARG(h->name));
    if (is_ours(h->name))
        return error_set(err, ERR_INVALID, "headers: %s has a field of its own or cannot be set", name);
    struct str value = str_trim(h->value);
    if (!value.len)
        return error_set(err, ERR_INVALID, "headers: %s is empty", name);
    if (!check_header_text(value, name, err))
        return error_wrap(err, "headers");
    struct line l = start_header(out, h->name);
    add_text(&l, value, WORD_MAX);
    end_header(&l);
    return true;
}

/* --- bodies --- */

/* The next line of text, without its end; line ends are LF, CRLF and CR. False at the end. */
static bool take_line(struct str *rest, struct str *line) {
    if (!rest->len)
        return false;
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != '\r' && rest->ptr[n] != '\n')
        n++;
    *line = (struct str){rest->ptr, n};
    if (n < rest->len)
        n += rest->ptr[n] == '\r' && n + 1 < rest->len && rest->ptr[n + 1] == '\n' ? 2 : 1;
    rest->ptr += n;
    rest->len -= n;
    return true;
}

/* Of nothing comes an empty line, so that a boundary never follows the headers at once. */
static void add_base64_lines(struct buf *out, struct str bytes) {
    if (!bytes.len)
        buf_adds(out, "\r\n");
    for (size_t at = 0; at < bytes.len; at += BODY_LINE / 4 * 3) {
        size_t left = bytes.len - at;
        buf_add_base64(out, (struct str){bytes.ptr + at, left < BODY_LINE / 4 * 3 ? left : BODY_LINE / 4 * 3});
        buf_adds(out, "\r\n");
    }
}

/* RFC 2045, 6.7. "From " at the front of a line is encoded too: mailboxes put a > before it (RFC 2049, 3). */
static void add_quoted_printable_line(struct buf *out, struct str line) {
    size_t column = 0;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        bool last = i + 1 == line.len, blank = c == ' ' || c == '\t';
        bool plain = (is_ascii_print(c) || blank) && c != '=' && !(blank && last);
        if (column + (plain ? 1 : 3) > BODY_LINE - (last ? 0 : 1)) {
            buf_adds(out, "=\r\n");
            column = 0;
        }
        if (column == 0 && str_starts((struct str){line.ptr + i, line.len - i}, STR("From ")))
            plain = false;
        if (plain)
            buf_addc(out, c);
        else
            buf_addf(out, "=%02X", (unsigned char)c);
        column += plain ? 1 : 3;
    }
    buf_adds(out, "\r\n");
}

static bool is_mostly_ascii(struct str s) {
    size_t other = 0;
    for (size_t i = 0; i < s.len; i++)
        other += (unsigned char)s.ptr[i] >= 0x80 || s.ptr[i] == '=';
    return other <= s.len / 6; /* where both encodings take the same room */
}

static void write_text(struct buf *out, const char *type, struct str text) {
    bool readable = is_mostly_ascii(text);
    buf_addf(out, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n", type,
             readable ? "quoted-printable" : "base64");
    struct str line = {NULL, 0};
    if (readable) {
        do
            add_quoted_printable_line(out, take_line(&text, &line) ? line : STR(""));
        while (text.len);
        return;
    }
    struct buf canonical;
    buf_init(&canonical, 2 * text.len + 2);
    while (take_line(&text, &line)) {
        buf_add(&canonical, line);
        buf_adds(&canonical, "\r\n");
    }
    add_base64_lines(out, buf_str(&canonical));
    buf_release(&canonical);
}

static bool is_media_type(struct str s) {
    size_t slashes = 0;
    for (size_t i = 0; i < s.len; i++) {
        bool slash = s.ptr[i] == '/';
        slashes += slash;
        if (slash ? i == 0 || i + 1 == s.len : !is_atom_char(s.ptr[i]))
            return false;
    }
    return slashes == 1 && s.len <= 100;
}

static bool write_attachment(struct buf *out, const struct mime_attachment *f, struct error *err) {
    struct str parameters = f->type.len ? f->type : STR("application/octet-stream"), type;
    str_cut(&parameters, ';', &type);
    type = str_trim(type);
    parameters = str_trim(parameters);
    if (!is_media_type(type))
        return error_set(err, ERR_INVALID, "attachments: the type has the form text/plain");
    if (str_starts(type, STR("multipart/")) || str_starts(type, STR("message/")))
        return error_set(err, ERR_INVALID, "attachments: " STR_FMT " cannot be attached; use application/octet-stream",
                         STR_ARG(type)); /* RFC 2045, 6.4: these must not be base64 */
    if (f->name.len > 255)
        return error_set(err, ERR_INVALID, "attachments: a name of more than 255 bytes");
    if (!check_header_text(f->name, "attachments: name", err) || !check_header_text(parameters, "attachments: type", err))
        return false;
    if (!is_all_ascii_print(parameters) || parameters.len > 200)
        return error_set(err, ERR_INVALID, "attachments: the type's parameters are ASCII, at most 200 bytes");
    struct line l = start_header(out, STR("Content-Type"));
    add_word(&l, type);
    if (parameters.len) {
        buf_addc(out, ';');
        add_word(&l, parameters);
    }
    end_header(&l);
    buf_adds(out, "Content-Transfer-Encoding: base64\r\n");
    l = start_header(out, STR("Content-Disposition"));
    add_word(&l, STR("attachment"));
    if (f->name.len)
        add_parameter(&l, "filename", f->name);
    end_header(&l);
    buf_adds(out, "\r\n");
    add_base64_lines(out, f->bytes);
    return true;
}

static void write_boundary(struct buf *out, const char *kind, struct str message_id, const char *end) {
    buf_addf(out, "--=_%s_%016llx%s\r\n", kind, (unsigned long long)str_hash(message_id), end);
}

static void write_multipart_head(struct buf *out, const char *kind, struct str message_id) {
    buf_addf(out, "Content-Type: multipart/%s;\r\n boundary=\"=_%s_%016llx\"\r\n\r\n", kind, kind,
             (unsigned long long)str_hash(message_id));
}

/* Text, HTML, or both as alternatives, the best last (RFC 2046, 5.1.4). */
static void write_content(struct buf *out, const struct mime_message *m) {
    if (!m->html.ptr) {
        write_text(out, "text/plain", m->text);
    } else if (!m->text.ptr) {
        write_text(out, "text/html", m->html);
    } else {
        write_multipart_head(out, "alternative", m->message_id);
        write_boundary(out, "alternative", m->message_id, "");
        write_text(out, "text/plain", m->text);
        write_boundary(out, "alternative", m->message_id, "");
        write_text(out, "text/html", m->html);
        write_boundary(out, "alternative", m->message_id, "--");
    }
}

static bool write_body(struct buf *out, const struct mime_message *m, struct error *err) {
    if (!m->attachment_count) {
        write_content(out, m);
        return true;
    }
    write_multipart_head(out, "mixed", m->message_id);
    write_boundary(out, "mixed", m->message_id, "");
    write_content(out, m);
    for (size_t i = 0; i < m->attachment_count; i++) {
        write_boundary(out, "mixed", m->message_id, "");
        if (!write_attachment(out, &m->attachments[i], err))
            return false;
    }
    write_boundary(out, "mixed", m->message_id, "--");
    return true;
}

static bool write_headers(struct buf *out, const struct mime_message *m, struct error *err) {
    write_date(out, m->date_ms);
    if (!write_addresses(out, "From", m->from, 1, err) ||
        !write_addresses(out, "Reply-To", m->reply_to, m->reply_to != NULL, err) ||
        !write_addresses(out, "To", m->to, m->to_count, err) || !write_addresses(out, "Cc", m->cc, m->cc_count, err) ||
        !write_message_id(out, m->message_id, err))
        return false;
    if (!check_header_text(m->subject, "subject", err))
        return false;
    struct line l = start_header(out, STR("Subject"));
    add_text(&l, m->subject, LINE_WANTED - 2);
    end_header(&l);
    struct str submitted = m->auto_submitted.len ? m->auto_submitted : STR("auto-generated");
    if (!str_eq(submitted, STR("no"))) {
        for (size_t i = 0; i < submitted.len; i++)
            if (!is_atom_char(submitted.ptr[i]))
                return error_set(err, ERR_INVALID, "auto_submitted is a word such as auto-generated");
        buf_addf(out, "Auto-Submitted: " STR_FMT "\r\n", STR_ARG(submitted));
    }
    for (size_t i = 0; i < m->header_count; i++)
        if (!write_other_header(out, &m->headers[i], err))
            return false;
    buf_adds(out, "MIME-Version: 1.0\r\n");
    return true;
}

static bool check_message(const struct mime_message *m, struct error *err) {
    if (!m->from || !m->from->address.len)
        return error_set(err, ERR_INVALID, "from: a sender is needed");
    if (m->to_count > MIME_RECIPIENTS_MAX || m->cc_count > MIME_RECIPIENTS_MAX)
        return error_set(err, ERR_INVALID, "more than %d addresses", MIME_RECIPIENTS_MAX);
    if (m->attachment_count > MIME_ATTACHMENTS_MAX || m->header_count > MIME_HEADERS_MAX)
        return error_set(err, ERR_INVALID, "at most %d attachments and %d headers", MIME_ATTACHMENTS_MAX, MIME_HEADERS_MAX);
    if (m->subject.len > 2000)
        return error_set(err, ERR_INVALID, "subject: at most 2000 bytes");
    if (!str_is_utf8(m->text) || !str_is_utf8(m->html))
        return error_set(err, ERR_INVALID, "text and html are UTF-8");
    if (m->text.len > MIME_SIZE_MAX || m->html.len > MIME_SIZE_MAX)
        return error_set(err, ERR_TOO_LARGE, "a mail has at most %u MB", MIME_SIZE_MAX / 1024 / 1024);
    return true;
}

bool mime_compose(const struct mime_message *m, struct buf *out, struct error *err) {
    if (!check_message(m, err) || !write_headers(out, m, err) || !write_body(out, m, err))
        return false;
    if (!buf_ok(out))
        return error_set(err, ERR_TOO_LARGE, "the mail with its attachments is larger than %zu bytes", out->max);
    return true;
}
