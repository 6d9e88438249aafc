/* Rules of signature.h. The expected digest is OpenSSL's command line's. */
#include <criterion/criterion.h>

#include "trigger/signature.h"

#define BODY "{\"event\":{\"id\":\"01BZ\"}}"
#define HEX "90e916f81ac866919f24bfa2abacc893af8115fb6214e38b5033dbd868b02105"
#define WRONG "0000000000000000000000000000000000000000000000000000000000000000"

static enum signature_result check(const char *header) {
    return signature_pagerduty_v3(str_from(header), STR("tSnb+k1/"), STR(BODY));
}

Test(signature, what_is_written_is_what_fits) {
    char written[SIGNATURE_TEXT];
    signature_pagerduty_v3_write(STR("secret"), STR("{}"), written);
    cr_expect_eq(signature_pagerduty_v3(str_from(written), STR("secret"), STR("{}")), SIGNATURE_FITS);
    cr_expect_eq(signature_pagerduty_v3(str_from(written), STR("other"), STR("{}")), SIGNATURE_WRONG);
}

Test(signature, any_entry_that_fits_is_enough) {
    cr_assert_eq(check("v1=" HEX), SIGNATURE_FITS);
    cr_assert_eq(check("v1=" WRONG ",v1=" HEX), SIGNATURE_FITS);
    cr_assert_eq(check("v1=" HEX ", v1=" WRONG), SIGNATURE_FITS);
    cr_assert_eq(check("v9=abc,v1=" HEX), SIGNATURE_FITS);
}

Test(signature, one_bit_is_enough_to_be_wrong) {
    cr_assert_eq(check("v1=" WRONG), SIGNATURE_WRONG);
    cr_assert_eq(signature_pagerduty_v3(STR("v1=" HEX), STR("tSnb+k1/"), STR(BODY " ")), SIGNATURE_WRONG);
    cr_assert_eq(signature_pagerduty_v3(STR("v1=" HEX), STR("tSnb+k1"), STR(BODY)), SIGNATURE_WRONG);
    cr_assert_eq(signature_pagerduty_v3(STR("v1=" HEX), STR(""), STR("")), SIGNATURE_WRONG);
}

Test(signature, what_has_no_version_1_entry_is_malformed) {
    static const char *const bad[] = {NULL,           "",          "v1=",      "v1",  HEX, "v2=" HEX, "V1=" HEX,
                                      "v1=" HEX "00", "v1=zz" HEX, "v1= " HEX, ",,=,"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_assert_eq(check(bad[i]), SIGNATURE_MALFORMED, "%s", bad[i] ? bad[i] : "no header");
}

Test(signature, github) {
    struct str key = STR("tSnb+k1/"), body = STR(BODY);
    cr_assert_eq(signature_github_hmac(STR("sha256=" HEX), key, body), SIGNATURE_FITS);
    cr_assert_eq(signature_github_hmac(STR("sha256=" HEX), key, STR(BODY " ")), SIGNATURE_WRONG);
    cr_assert_eq(signature_github_hmac(STR("sha256=" WRONG), key, body), SIGNATURE_WRONG);
    cr_assert_eq(signature_github_hmac(STR("v1=" HEX), key, body), SIGNATURE_MALFORMED);
    cr_assert_eq(signature_github_hmac(STR("sha256=" HEX ",sha256=" HEX), key, body), SIGNATURE_MALFORMED);
    cr_assert_eq(signature_github_hmac((struct str){NULL, 0}, key, body), SIGNATURE_MALFORMED);
}
