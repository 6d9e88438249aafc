/* templates.c — see templates.h. The Makefile says where the file is and has tools/templates.mjs write it first. */
#include "cli/templates.h"

__asm__(".section .rodata\n"
        "templates_start: .incbin \"" TEMPLATES_FILE "\"\n"
        "templates_end: .byte 0\n"
        ".previous\n");
extern const char templates_start[], templates_end[];

json_t *templates_read(void) {
    struct error err;
    json_t *templates = jsonx_parse(str_of(templates_start, (size_t)(templates_end - templates_start)), &err);
    ENSURE(templates);
    return templates;
}
