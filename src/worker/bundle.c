/* bundle.c — see bundle.h. The Makefile says where the files are and builds them first. */
#include "worker/bundle.h"

#define EMBED(name, file)                                                                                                        \
    __asm__(".section .rodata\n"                                                                                                 \
            "bundle_" name "_start: .incbin \"" file "\"\n"                                                                      \
            "bundle_" name "_end: .byte 0\n"                                                                                     \
            ".previous\n");

EMBED("runtime", BUNDLE_DIR "/runtime.js")
EMBED("toolbox", BUNDLE_DIR "/toolbox.js")
EMBED("checker", BUNDLE_DIR "/checker.js")

extern const char bundle_runtime_start[], bundle_runtime_end[], bundle_toolbox_start[], bundle_toolbox_end[];
extern const char bundle_checker_start[], bundle_checker_end[];

struct str bundle_runtime(void) {
    return str_of(bundle_runtime_start, (size_t)(bundle_runtime_end - bundle_runtime_start));
}
struct str bundle_toolbox(void) {
    return str_of(bundle_toolbox_start, (size_t)(bundle_toolbox_end - bundle_toolbox_start));
}
struct str bundle_checker(void) {
    return str_of(bundle_checker_start, (size_t)(bundle_checker_end - bundle_checker_start));
}
