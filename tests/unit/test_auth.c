/* Sealing, the token, and above all: no secret gets past the vault's mask. */
#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/seal.h"
#include "auth/token.h"
#include "auth/vault.h"

static char dir[64];
static struct error err;

static void dir_make(void) {
    snprintf(dir, sizeof dir, "/tmp/flowlet-auth-XXXXXX");
    cr_assert(mkdtemp(dir));
}
static void dir_drop(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    cr_assert_eq(system(command), 0);
}
static mode_t rights(const char *name) {
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    cr_assert_eq(stat(path, &st), 0);
    return st.st_mode & 0777;
}
static void write_file(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    cr_assert(file_write(path, str_from(text), 0600, &err));
}

/* ---- seal ---- */

Test(seal, opens_only_unchanged_with_its_key_and_context, .init = dir_make, .fini = dir_drop) {
    struct seal_key key, again, other = {{1}};
    struct buf sealed, plain;
    buf_init(&sealed, 1000);
    buf_init(&plain, 1000);
    cr_assert(seal_key_open(&key, dir, &err) && seal_key_open(&again, dir, &err));
    cr_assert_eq(memcmp(&key, &again, sizeof key), 0);
    cr_assert_eq(rights("key"), 0600);
    cr_assert(seal(&key, STR("secret/1/l/a"), STR("hunter22"), &sealed));
    cr_assert_eq(str_find(buf_str(&sealed), STR("hunter22")), SIZE_MAX);
    cr_assert(unseal(&again, STR("secret/1/l/a"), buf_str(&sealed), &plain, &err) && str_is(buf_str(&plain), "hunter22"));
    buf_clear(&plain);
    cr_assert(!unseal(&key, STR("secret/1/l/b"), buf_str(&sealed), &plain, &err) && err.code == ERR_CORRUPT);
    cr_assert(!unseal(&other, STR("secret/1/l/a"), buf_str(&sealed), &plain, &err) && err.code == ERR_CORRUPT);
    for (size_t n = 0; n < sealed.len; n++) {
        cr_assert(!unseal(&key, STR("secret/1/l/a"), str_of(sealed.ptr, n), &plain, &err));
        sealed.ptr[n] ^= 1;
        cr_assert(!unseal(&key, STR("secret/1/l/a"), buf_str(&sealed), &plain, &err));
        sealed.ptr[n] ^= 1;
    }
    cr_assert_eq(plain.len, 0);
    buf_release(&sealed);
    buf_release(&plain);
}

Test(seal, damaged_key_file_is_refused_not_replaced, .init = dir_make, .fini = dir_drop) {
    struct seal_key key;
    write_file("key", "0123\n");
    cr_assert(!seal_key_open(&key, dir, &err) && err.code == ERR_CORRUPT);
    cr_assert(!seal_key_open(&key, "/nonexistent/flowlet", &err));
}

/* ---- token ---- */

Test(token, is_made_once_and_is_what_the_file_says, .init = dir_make, .fini = dir_drop) {
    struct token t, again;
    struct buf text;
    buf_init(&text, 1000);
    cr_assert(!token_read(dir, &text, &err) && err.code == ERR_NOT_FOUND);
    cr_assert(token_open(&t, dir, &err) && token_open(&again, dir, &err));
    cr_assert_eq(rights("token"), 0600);
    cr_assert(token_read(dir, &text, &err) && text.len == 47, "%s", text.ptr);
    cr_assert(token_equals(&t, buf_str(&text)) && token_equals(&again, buf_str(&text)));
    cr_assert(!token_equals(&t, str_of(text.ptr, text.len - 1)) && !token_equals(&t, STR("")));
    write_file("token", "short\n");
    cr_assert(!token_open(&t, dir, &err) && err.code == ERR_INVALID);
    buf_release(&text);
}

/* ---- vault ---- */

static struct vault *v;
static void vault_make(void) { v = vault_new(); }
static void vault_drop(void) { vault_free(v); }
static void put(const char *name, json_t *value) {
    cr_assert(vault_set(v, str_from(name), value, &err), "%s", err.text);
    json_decref(value);
}

static void expect_mask(bool json, const char *text, const char *want) {
    struct buf out;
    buf_init(&out, 10000);
    bool masked = (json ? vault_mask_json : vault_mask)(v, str_from(text), &out);
    cr_expect_eq(masked, strcmp(text, want) != 0, "%s", text);
    if (masked)
        cr_expect(str_is(buf_str(&out), want), "%s\n gives  %s\n not    %s", text, out.ptr, want);
    else
        cr_expect_eq(out.len, 0);
    buf_release(&out);
}

Test(vault, masks_values_however_they_show, .init = vault_make, .fini = vault_drop) {
    static const struct {
        const char *value, *text, *want;
    } cases[] = {
        {"hunter22", "", ""},
        {"hunter22", "hunter2", "hunter2"},
        {"hunter22", "hunter22", "«s»"},
        {"hunter22", "a hunter22hunter22 b", "a «s»«s» b"},
        {"hunter22", "hhunter22", "h«s»"},
        {"abc", "abc", "abc"}, /* too short to be looked for */
        {"aaaa", "aaaaaaaaa", "«s»«s»a"},
        /* JSON: quotes, line ends, letters beyond ASCII, JSON inside of JSON */
        {"a\"b\\c\nd", "{\"x\":\"a\\\"b\\\\c\\nd\"}", "{\"x\":\"«s»\"}"},
        {"a\"b\\c\nd", "{\\\"x\\\":\\\"a\\\\\\\"b\\\\\\\\c\\\\nd\\\"}", "{\\\"x\\\":\\\"«s»\\\"}"},
        {"a\"b\\c\nd", "raw a\"b\\c\nd", "raw «s»"},
        {"gr\xC3\xBC\xC3\x9F"
         "e",
         "gr\\u00fc\\u00dfe gr\\u00FC\\u00DFe gr\xC3\xBC\xC3\x9F"
         "e",
         "«s» «s» «s»"},
        /* URLs: any mixture of encoded and not, either case, plus for space */
        {"p@ss w/rd+", "?k=p%40ss%20w%2Frd%2B&", "?k=«s»&"},
        {"p@ss w/rd+", "?k=p%40ss+w%2frd%2b&", "?k=«s»&"},
        {"p@ss w/rd+", "p@ss%20w/rd+", "«s»"},
        {"hunter22", "%68unter22 %68%75%6E%74er22", "«s» «s»"},
        {"\xC3\xBC"
         "ber",
         "%C3%BCber %c3%bcber", "«s» «s»"},
        {" lead", "+lead %20lead", "«s» «s»"},
        {"100%25x", "100%25x 100%2525x", "«s» «s»"},
        /* base64 at the three alignments, both alphabets; digits shared with neighbours stay */
        {"hunter22", "aHVudGVyMjI=", "«s»I="},
        {"hunter22", "eGh1bnRlcjIy", "eG«s»"},
        {"hunter22", "eHhodW50ZXIyMg==", "eHh«s»g=="},
        {"\xC3\xBF\xC3\xBF\xC3\xBF", "w7/Dv8O/ w7_Dv8O_", "«s» «s»"},
        /* of a URL its password, decoded too */
        {"smtps://bob%40x.org:s3cr%21t@mail.x.org", "535 refused s3cr!t", "535 refused «s»"},
        {"smtps://bob%40x.org:s3cr%21t@mail.x.org", "to smtps://bob%40x.org:s3cr%21t@mail.x.org!", "to «s»!"},
        {"smtps://bob%40x.org:s3cr%21t@mail.x.org", "mail.x.org bob", "mail.x.org bob"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        put("s", jsonx_from_str(str_from(cases[i].value)));
        expect_mask(false, cases[i].text, cases[i].want);
    }
}

Test(vault, masks_basic_pairs_and_takes_the_longest, .init = vault_make, .fini = vault_drop) {
    expect_mask(false, "nothing to hide", "nothing to hide");
    put("login", json_pack("{ss ss}", "username", "Aladdin", "password", "open sesame"));
    expect_mask(false, "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Authorization: Basic «login»Q==");
    expect_mask(false, "Aladdin says open sesame", "Aladdin says «login»");
    put("short", json_string("tokentoken"));
    put("long", json_string("tokentokentoken"));
    expect_mask(false, "tokentoken tokentokentoken", "«short» «long»");
    vault_remove(v, STR("long"));
    expect_mask(false, "tokentokentoken", "«short»token");
    put("short", json_string(""));
    expect_mask(false, "tokentoken", "tokentoken");
}

Test(vault, masked_json_stays_json, .init = vault_make, .fini = vault_drop) {
    put("pin", json_string("123456"));
    put("odd", json_string("n00e4"));
    put("digits", json_string("00e4x"));
    put("quote", json_string("say \"yes\\"));
    put("key", json_string("x\",\"b\":"));
    expect_mask(true, "{\"a\":123456,\"b\":[-1.123456e3,12345],\"c\":\"x123456\"}",
                "{\"a\":\"«pin»\",\"b\":[\"«pin»\",12345],\"c\":\"x«pin»\"}");
    expect_mask(true, "[\"a\\n00e4\",\"n00e4\",\"\\u00e4n00e4\"]", "[\"a\\n00e4\",\"«odd»\",\"\\u00e4«odd»\"]");
    expect_mask(true, "[\"\\u00e4x\"]", "[\"\\u00e4x\"]");
    expect_mask(true, "[\"say \\\"yes\\\\\",\"say \\\"yes\"]", "[\"«quote»\",\"say \\\"yes\"]");
    expect_mask(true, "{\"a\":\"x\",\"b\":1}", "{\"a\":\"x\",\"b\":1}");
    expect_mask(true, "[\"cut off 123456", "[\"cut off «pin»");
    expect_mask(true, "[\"cut off \\", "[\"cut off \\");
}

Test(vault, compares_and_writes_authorization, .init = vault_make, .fini = vault_drop) {
    struct buf out;
    buf_init(&out, 1000);
    put("t", json_string("tok"));
    put("b", json_pack("{ss ss}", "username", "Aladdin", "password", "open sesame"));
    put("e", json_string(""));
    cr_assert(vault_equals(v, STR("t"), STR("tok")) && !vault_equals(v, STR("t"), STR("tox")));
    cr_assert(vault_equals(v, STR("b"), STR("Aladdin:open sesame")));
    cr_assert(!vault_equals(v, STR("e"), STR("")), "an empty secret fits nothing");
    cr_assert(!vault_equals(v, STR("none"), STR("")));
    cr_assert(vault_authorization(v, STR("t"), &out) && str_is(buf_str(&out), "Bearer tok"));
    buf_clear(&out);
    cr_assert(vault_authorization(v, STR("b"), &out) && str_is(buf_str(&out), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    cr_assert(!vault_authorization(v, STR("e"), &out) && !vault_get(v, STR("e")) && vault_get(v, STR("t")));
    json_t *number = json_integer(5);
    cr_assert(!vault_set(v, STR("n"), number, &err) && err.code == ERR_INVALID);
    json_decref(number);
    buf_release(&out);
}
