/* A mail from any bytes: refused, or lines that end in CRLF, in ASCII, none too long, with our headers alone. And an
 * address that was accepted reads back as itself. The fields are separated by 0xff. */
#include "net/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_header_line(struct str line) {
    static const char *const known[] = {
        "Date: ",           "From: ",  "To: ",           "Message-ID: ",   "Subject:",
        "Auto-Submitted: ", "X-Any: ", "MIME-Version: ", "Content-Type: ", "Content-Transfer-Encoding: "};
    if (line.ptr[0] == ' ')
        return;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_starts(line, str_from(known[i])))
            return;
    ENSURE(!"a header that nobody wrote");
}

static void check_message(struct str message) {
    bool in_headers = true;
    struct str line;
    while (str_cut(&message, '\n', &line)) {
        if (!message.ptr || (!message.len && !line.len))
            break;
        ENSURE(line.len && line.ptr[line.len - 1] == '\r' && line.len <= 999);
        line.len--;
        for (size_t i = 0; i < line.len; i++)
            ENSURE((line.ptr[i] >= ' ' && line.ptr[i] < 0x7f) || (line.ptr[i] == '\t'));
        in_headers = in_headers && line.len;
        if (in_headers)
            check_header_line(line);
    }
}

static void check_address(const struct mail_address *m, struct arena *a) {
    struct mail_address again;
    struct error err;
    ENSURE(mail_address_parse(m->address, a, &again, &err) && str_eq(again.address, m->address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str rest = str_of(data, size), field[6] = {{NULL, 0}};
    struct error err;
    struct arena a;
    struct mail_address from, *to;
    struct buf out;
    for (size_t i = 0; i < ARRAY_LEN(field) && str_cut(&rest, '\xff', &field[i]); i++)
        ;
    arena_init(&a);
    buf_init(&out, 1 << 20);
    struct mime_message m = {.from = &from, .subject = field[1], .text = field[2], .message_id = STR("a@b.example")};
    struct mime_header header = {STR("X-Any"), field[3]};
    struct mime_attachment attachment = {field[4], field[5], field[2]};
    if (!mail_address_parse(field[0], &a, &from, &err))
        from = (struct mail_address){field[0], STR("a@b.example")};
    check_address(&from, &a);
    if (mail_address_parse_list(field[0], &a, &to, &m.to_count, &err))
        m.to = to;
    if (field[3].len) {
        m.headers = &header;
        m.header_count = 1;
    }
    if (field[4].len) {
        m.attachments = &attachment;
        m.attachment_count = 1;
    }
    if (mime_compose(&m, &out, &err))
        check_message(buf_str(&out));
    buf_release(&out);
    arena_release(&a);
    return 0;
}
