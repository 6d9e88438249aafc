/* findings.c — see findings.h. */
#include "cli/findings.h"

#define TEXT_MAX ((size_t)16 * 1024 * 1024)

static void print_lines(const struct findings *f) {
    struct buf text;
    buf_init(&text, TEXT_MAX);
    findings_print(f, &text);
    fflush(stdout);
    fwrite(text.ptr, 1, text.len, stderr);
    buf_release(&text);
}

void cli_print_findings(const struct findings *f, bool json) {
    if (!json) {
        print_lines(f);
        return;
    }
    json_t *document = json_pack("{s:b, s:o}", "ok", f->errors == 0, "findings", findings_json(f));
    cli_print_json(document);
    json_decref(document);
}

void cli_print_findings_json(const json_t *list) {
    struct findings f;
    size_t i;
    const json_t *one;
    findings_init(&f);
    json_array_foreach(list, i, one) {
        struct str code = jsonx_str(one, "code"), text = jsonx_str(one, "text");
        struct finding finding = {.severity = str_is(jsonx_str(one, "severity"), "warning") ? FINDING_WARNING : FINDING_ERROR,
                                  .line = (unsigned)jsonx_int(one, "line", 0),
                                  .column = (unsigned)jsonx_int(one, "column", 0),
                                  .code = arena_strdup(&f.arena, code),
                                  .file = jsonx_str(one, "file"),
                                  .flow = jsonx_str(one, "flow"),
                                  .block = jsonx_str(one, "block"),
                                  .at = jsonx_str(one, "at"),
                                  .pointer = jsonx_str(one, "pointer")};
        findings_add(&f, &finding, STR_FMT, STR_ARG(text));
    }
    print_lines(&f);
    findings_release(&f);
}
