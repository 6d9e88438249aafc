/* Rules of base/: strings, buffers, maps, JSON, errors. */
#include <criterion/criterion.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"

Test(base, utf8_is_told_from_other_bytes) {
    cr_assert(str_is_utf8(STR("gr\xC3\xBC\xC3\x9F \xF0\x9F\x94\xA5")));
    cr_assert(!str_is_utf8(STR("\xC0\xAF")));         /* overlong */
    cr_assert(!str_is_utf8(STR("\xED\xA0\x80")));     /* a surrogate */
    cr_assert(!str_is_utf8(STR("\xF4\x90\x80\x80"))); /* past U+10FFFF */
    cr_assert(!str_is_utf8(STR("\xE2\x82")));         /* cut */
}

Test(base, numbers_keep_their_range) {
    int64_t n = 7;
    cr_assert(str_to_int64(STR("-9223372036854775808"), &n) && n == INT64_MIN);
    cr_assert(!str_to_int64(STR("9223372036854775808"), &n));
    cr_assert(!str_to_int64(STR(""), &n) && !str_to_int64(STR("-"), &n) && !str_to_int64(STR("1x"), &n));
    cr_assert(n == INT64_MIN, "written on success only");
}

Test(base, buffer_that_is_full_takes_nothing_more) {
    struct buf b;
    buf_init(&b, 5);
    cr_assert(buf_adds(&b, "abc"));
    cr_assert(!buf_adds(&b, "def"));
    cr_assert(!buf_adds(&b, "d"), "no hole in the text");
    cr_assert(str_is(buf_str(&b), "abc"));
    buf_release(&b);
    buf_release(&b);
}

Test(base, integers_are_written_as_printf_would) {
    static const int64_t numbers[] = {0, 7, -7, 10, 1795460052609, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct buf b;
        char expected[32];
        buf_init(&b, 100);
        buf_add_int(&b, numbers[i]);
        snprintf(expected, sizeof expected, "%lld", (long long)numbers[i]);
        cr_assert_str_eq(b.ptr, expected);
        buf_release(&b);
    }
}

Test(base, base64_there_and_back) {
    for (size_t n = 0; n < 40; n++) {
        uint8_t bytes[40];
        random_bytes(bytes, sizeof bytes);
        struct buf text, back;
        buf_init(&text, 100);
        buf_init(&back, 100);
        cr_assert(buf_add_base64(&text, str_of(bytes, n)));
        cr_assert(buf_add_base64_decoded(&back, buf_str(&text)));
        cr_assert(str_eq(buf_str(&back), str_of(bytes, n)));
        buf_release(&text);
        buf_release(&back);
    }
    struct buf b;
    buf_init(&b, 100);
    cr_assert(!buf_add_base64_decoded(&b, STR("a")) && !buf_add_base64_decoded(&b, STR("a=bc")));
    buf_release(&b);
}

Test(base, json_strings_escape_and_mend) {
    struct buf b;
    buf_init(&b, 100);
    buf_add_json_string(&b, STR("a\"\\\n\x01\xFF\xC3\xBC"));
    cr_assert_str_eq(b.ptr, "\"a\\\"\\\\\\n\\u0001\xEF\xBF\xBD\xC3\xBC\"");
    buf_release(&b);
}

Test(base, json_strings_may_hold_nul) {
    struct error err;
    json_t *value = jsonx_parse(STR("\"a\\u0000b\""), &err);
    cr_assert(str_eq(jsonx_string_value(value), str_of("a\0b", 3)));
    json_decref(value);
    cr_assert_null(jsonx_parse(STR("{\"a\\u0000\": 1}"), &err));
}

/* Whatever it is, jansson would say the same, keys in the same order. */
Test(base, json_is_read_as_jansson_does) {
    static const char *const texts[] = {"{}",
                                        "[]",
                                        "null",
                                        "true",
                                        "falsely",
                                        "\"\"",
                                        "\"a\\n\\\\\\\"\\/\"",
                                        "\"\\u00fc\\ud83d\\ude00\"",
                                        "\"\xC3\xBC\"",
                                        "\"\xFF\"",
                                        "\"a\nb\"",
                                        "\"a",
                                        "\"\\x\"",
                                        "\"\\",
                                        "0",
                                        "-0",
                                        "-1",
                                        "01",
                                        "1.50",
                                        "1e3",
                                        "-",
                                        "123456789012345678",
                                        "9223372036854775807",
                                        "9223372036854775808",
                                        "1e999",
                                        " [1 , 2,\t{\"b\" : [] , \"a\":{}} ]\n",
                                        "[1,]",
                                        "[,1]",
                                        "{\"a\":1,}",
                                        "{\"a\":1,\"a\":2}",
                                        "{a:1}",
                                        "{\"a\" 1}",
                                        "[1}",
                                        "[1",
                                        "1 2",
                                        "",
                                        " ",
                                        "{\"\":0}",
                                        "{\"a\\u0000\":1}",
                                        "[true,false,null]",
                                        "tru",
                                        "[\"x\",-12.5e-3]"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct error err;
        struct buf ours, theirs;
        buf_init(&ours, 1000);
        buf_init(&theirs, 1000);
        json_t *value = jsonx_parse(str_from(texts[i]), &err);
        json_t *same = json_loads(texts[i], JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        cr_assert_eq(!value, !same, "%s", texts[i]);
        cr_assert(!value || json_equal(value, same), "%s", texts[i]);
        cr_assert(!value ||
                  (jsonx_write(value, &ours) && jsonx_write(same, &theirs) && str_eq(buf_str(&ours), buf_str(&theirs))));
        json_decref(value);
        json_decref(same);
        buf_release(&ours);
        buf_release(&theirs);
    }
}

Test(base, json_errors_say_where) {
    struct error err;
    cr_assert_null(jsonx_parse(STR("{\"a\": 1,\n \"a\": 2}"), &err));
    cr_assert_eq(err.code, ERR_INVALID);
    cr_assert(strstr(err.text, "line 2"), "%s", err.text);
}

Test(base, map_finds_what_was_put_and_not_removed) {
    struct map m;
    map_init(&m);
    static int values[1000];
    for (uint64_t i = 0; i < 1000; i++)
        cr_assert_null(map_set(&m, map_key(&i), &values[i]));
    for (uint64_t i = 0; i < 1000; i += 2)
        cr_assert_eq(map_remove(&m, map_key(&i)), &values[i]);
    for (uint64_t i = 0; i < 1000; i++)
        cr_assert_eq(map_find(&m, map_key(&i)), i % 2 ? &values[i] : NULL);
    cr_assert_eq(m.count, 500);
    map_release(&m);
}

static void count(void *arg) { ++*(int *)arg; }

Test(base, arena_runs_what_was_deferred_once) {
    struct arena a;
    int ran = 0;
    arena_init(&a);
    arena_defer(&a, count, &ran);
    cr_assert_str_eq(arena_printf(&a, "%d-%s", 5, "x"), "5-x");
    for (int i = 0; i < 1000; i++)
        memset(arena_alloc(&a, 100), 1, 100);
    arena_release(&a);
    arena_release(&a);
    cr_assert_eq(ran, 1);
}

Test(base, times_are_written_as_rfc_3339) {
    char out[CLOCK_TEXT_MAX];
    clock_write(1795454560123, out);
    cr_assert_str_eq(out, "2026-11-23T17:22:40.123Z");
}

Test(base, errors_take_context) {
    struct error err;
    error_set(&err, ERR_TIMEOUT, "no answer");
    error_wrap(&err, "block %s", "page");
    cr_assert_str_eq(err.text, "block page: no answer");
    cr_assert_str_eq(error_name(err.code), "timeout");
    cr_assert_eq(error_from_name("timeout"), ERR_TIMEOUT);
}
