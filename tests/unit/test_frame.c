/* Frames: what is written is read back, and what breaks the rules is refused with a reason. */
#include <criterion/criterion.h>

#include "js/frame.h"

static struct buf out;
static struct frame_reader in;
static struct error err;

static void setup(void) {
    buf_init(&out, 64u << 20);
    frame_reader_init(&in, true);
}
static void teardown(void) {
    buf_release(&out);
    frame_reader_release(&in);
}
TestSuite(frame, .init = setup, .fini = teardown);

static void write_frame(enum frame_kind kind, uint64_t run, size_t bytes) {
    char *text = mem_alloc(bytes + 1);
    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)(i * 7 + run);
    struct frame_writer w = frame_begin(&out, kind, run);
    frame_section(&w, str_of(text, bytes));
    frame_section(&w, STR("end"));
    cr_assert(frame_end(&w));
    free(text);
}

static void assert_frame(const struct frame *f, enum frame_kind kind, uint64_t run, size_t bytes) {
    struct str rest = f->payload, first, second, none;
    cr_assert_eq(f->kind, kind);
    cr_assert_eq(f->run, run);
    cr_assert(frame_take_section(&rest, &first));
    cr_assert(frame_take_section(&rest, &second));
    cr_assert(!frame_take_section(&rest, &none));
    cr_assert_eq(first.len, bytes);
    for (size_t i = 0; i < bytes; i++)
        cr_assert_eq(first.ptr[i], (char)(i * 7 + run));
    cr_assert(str_is(second, "end"));
}

/* Feeds what was written in pieces of `step` bytes. */
static void read_back(size_t step, const size_t *sizes, size_t count) {
    struct frame f;
    size_t seen = 0;
    for (size_t at = 0; at < out.len; at += step) {
        size_t n = out.len - at < step ? out.len - at : step;
        cr_assert(frame_reader_feed(&in, str_of(out.ptr + at, n), &err));
        int got;
        while ((got = frame_reader_next(&in, &f, &err)) > 0) {
            assert_frame(&f, FRAME_RESULT, seen + 1, sizes[seen]);
            seen++;
        }
        cr_assert_eq(got, 0, "%s", err.text);
    }
    cr_assert_eq(seen, count);
}

Test(frame, small_ones_come_back_whatever_the_pieces) {
    static const size_t sizes[] = {0, 1, 100, 3000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        write_frame(FRAME_RESULT, i + 1, sizes[i]);
    read_back(1, sizes, ARRAY_LEN(sizes));
    read_back(17, sizes, ARRAY_LEN(sizes));
    read_back(1 << 20, sizes, ARRAY_LEN(sizes));
}

Test(frame, large_ones_come_back_in_parts) {
    static const size_t sizes[] = {FRAME_PART_MAX - 11, FRAME_PART_MAX - 10, 3 * FRAME_PART_MAX - 11, 5000000,
                                   FRAME_JOINED_MAX - 11};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        write_frame(FRAME_RESULT, i + 1, sizes[i]);
    read_back(FRAME_READ_MAX, sizes, ARRAY_LEN(sizes));
    cr_assert_eq(in.open_bytes, 0);
}

Test(frame, one_that_is_too_large_leaves_nothing_behind) {
    write_frame(FRAME_RESULT, 1, 5);
    size_t before = out.len;
    struct frame_writer w = frame_begin(&out, FRAME_RESULT, 2);
    char *at = frame_section_room(&w, FRAME_JOINED_MAX);
    cr_assert(at);
    memset(at, 0, FRAME_JOINED_MAX);
    frame_section_done(&w, FRAME_JOINED_MAX);
    cr_assert(!frame_end(&w));
    cr_assert_eq(out.len, before);
    w = frame_begin(&out, FRAME_RESULT, 2);
    cr_assert_null(frame_section_room(&w, 65u << 20));
    cr_assert(!frame_end(&w));
    cr_assert_eq(out.len, before);
    cr_assert(buf_ok(&out));
}

static void header(uint32_t size, uint8_t kind, uint8_t flags, uint8_t zero, uint64_t run) {
    char h[FRAME_HEADER_SIZE] = {(char)size, (char)(size >> 8), (char)(size >> 16), (char)(size >> 24),
                                 (char)kind, (char)flags,       (char)zero};
    memcpy(h + 8, &run, 8);
    cr_assert(buf_add(&out, str_of(h, sizeof h)));
}

static void assert_refused(const char *why) {
    struct frame f;
    int got;
    for (size_t at = 0; at < out.len; at += FRAME_PART_MAX) {
        size_t n = out.len - at < FRAME_PART_MAX ? out.len - at : FRAME_PART_MAX;
        cr_assert(frame_reader_feed(&in, str_of(out.ptr + at, n), &err));
        while ((got = frame_reader_next(&in, &f, &err)) > 0)
            continue;
        if (got < 0)
            break;
    }
    cr_assert_lt(got, 0, "expected: %s", why);
    cr_assert(strstr(err.text, why), "%s", err.text);
    frame_reader_release(&in);
    frame_reader_init(&in, true);
    buf_clear(&out);
}

Test(frame, broken_rules_are_named) {
    header(FRAME_PART_MAX + 1, FRAME_START, 0, 0, 1);
    assert_refused("at most");
    header(0, FRAME_FINISH, 0, 0, 1);
    assert_refused("kind 38");
    header(0, 0, 0, 0, 1);
    assert_refused("kind 0");
    header(0, FRAME_START, 2, 0, 1);
    assert_refused("flags");
    header(0, FRAME_START, 0, 1, 1);
    assert_refused("flags");
    header(0, FRAME_START, 0, 0, 1ull << 53);
    assert_refused("2^53");
    header(0, FRAME_START, 1, 0, 1);
    assert_refused("empty part");
    header(1, FRAME_START, 1, 0, 1);
    buf_addc(&out, 'x');
    header(1, FRAME_RESULT, 0, 0, 1);
    buf_addc(&out, 'x');
    assert_refused("inside");
}

Test(frame, unfinished_frames_are_limited) {
    for (unsigned run = 1; run <= FRAME_OPEN_MAX + 1; run++) {
        header(1, FRAME_START, 1, 0, run);
        buf_addc(&out, 'x');
    }
    assert_refused("unfinished");
    char *part = mem_alloc(FRAME_PART_MAX);
    for (unsigned i = 0; i < 17; i++) {
        header(FRAME_PART_MAX, FRAME_START, 1, 0, 1);
        buf_add(&out, str_of(part, FRAME_PART_MAX));
    }
    assert_refused("more than 16777216 bytes");
    for (unsigned i = 0; i < 65; i++) {
        struct frame f;
        header(FRAME_PART_MAX, FRAME_START, 1, 0, 1 + i % 8);
        buf_add(&out, str_of(part, FRAME_PART_MAX));
        cr_assert(frame_reader_feed(&in, buf_str(&out), &err));
        cr_assert_eq(frame_reader_next(&in, &f, &err), i == 64 ? -1 : 0);
        buf_clear(&out);
    }
    cr_assert(strstr(err.text, "unfinished frames of more"), "%s", err.text);
    free(part);
}

Test(frame, sections_that_are_cut_short_are_no_sections) {
    struct str rest = STR("\5\0\0\0abcd"), section;
    cr_assert(!frame_take_section(&rest, &section));
    rest = STR("\5\0\0");
    cr_assert(!frame_take_section(&rest, &section));
}
