/* Which addresses may be connected to. */
#include <criterion/criterion.h>
#include <netinet/in.h>

#include "net/outgoing.h"

static struct error err;

static struct sockaddr_storage address(const char *text) {
    struct sockaddr_storage sa;
    char with_port[128];
    snprintf(with_port, sizeof with_port, strchr(text, ':') ? "[%s]:443" : "%s:443", text);
    cr_assert(address_parse(str_from(with_port), &sa, &err), "%s", err.text);
    return sa;
}

static bool allowed(const struct outgoing *o, const char *text) {
    struct sockaddr_storage sa = address(text);
    return outgoing_check(o, (struct sockaddr *)&sa, &err);
}

Test(outgoing, only_public_addresses_are_allowed) {
    static const char *const no[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "::ffff:169.254.169.254",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "2001::1",
        "2001:db8::1",
        "2001:10::1",
        "3fff::1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "100::1",
        "4000::1",
        "::ffff:0:127.0.0.1",
    };
    static const char *const yes[] = {
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "2a00::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "3fee::1",
    };
    struct outgoing *o = outgoing_new();
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        cr_expect(!allowed(o, no[i]), "%s", no[i]);
        cr_expect_eq(err.code, ERR_ADDRESS_REFUSED);
    }
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        cr_expect(allowed(o, yes[i]), "%s: %s", yes[i], err.text);
    struct sockaddr unix_socket = {.sa_family = AF_UNIX};
    cr_expect(!outgoing_check(o, &unix_socket, &err));
    outgoing_free(o);
}

Test(outgoing, ranges_can_be_allowed) {
    struct outgoing *o = outgoing_new();
    cr_assert(outgoing_allow(o, "127.0.0.1", &err) && outgoing_allow(o, "10.20.0.0/15", &err) &&
              outgoing_allow(o, "fd00:1::/32", &err));
    cr_expect(allowed(o, "127.0.0.1") && !allowed(o, "127.0.0.2"));
    cr_expect(allowed(o, "::ffff:127.0.0.1"));
    cr_expect(allowed(o, "10.20.0.0") && allowed(o, "10.21.255.255") && !allowed(o, "10.22.0.0") && !allowed(o, "10.19.255.255"));
    cr_expect(allowed(o, "fd00:1::9") && !allowed(o, "fd00:2::9"));
    cr_expect(strstr(err.text, "--allow-address"), "%s", err.text);
    static const char *const bad[] = {"",        "x",     "127.0.0.1/33", "127.0.0.1/-1", "127.0.0.1/",
                                      "::1/129", "127.1", "/8",           "1.2.3.4/8x"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_expect(!outgoing_allow(o, bad[i], &err) && err.code == ERR_INVALID, "%s", bad[i]);
    outgoing_free(o);
}

Test(outgoing, the_servers_own_listeners_are_refused_always) {
    struct outgoing *o = outgoing_new();
    struct sockaddr_storage sa = address("127.0.0.1"), any = address("0.0.0.0");
    cr_assert(outgoing_allow(o, "0.0.0.0/0", &err) && outgoing_allow(o, "::/0", &err));
    cr_expect(allowed(o, "127.0.0.1") && allowed(o, "127.0.0.5"));
    outgoing_add_listener(o, (struct sockaddr *)&sa);
    cr_expect(!allowed(o, "127.0.0.1") && !allowed(o, "::ffff:127.0.0.1") && allowed(o, "127.0.0.5"));
    ((struct sockaddr_in *)&any)->sin_port = htons(444);
    outgoing_add_listener(o, (struct sockaddr *)&any);
    cr_expect(allowed(o, "127.0.0.5"));
    ((struct sockaddr_in *)&any)->sin_port = htons(443);
    outgoing_add_listener(o, (struct sockaddr *)&any);
    cr_expect(!allowed(o, "127.0.0.5") && !allowed(o, "0.0.0.0") && !allowed(o, "::1") && !allowed(o, "::") &&
              allowed(o, "8.8.8.8"));
    outgoing_free(o);
}

Test(outgoing, names_can_be_sent_elsewhere) {
    struct outgoing *o = outgoing_new();
    struct sockaddr_storage to;
    char text[ADDRESS_TEXT_MAX];
    cr_assert(outgoing_resolve_add(o, "api.PagerDuty.com:443=127.0.0.1:18443", &err));
    cr_assert(outgoing_resolve_add(o, "mail.example:465=[::1]:10465", &err));
    cr_expect(outgoing_find(o, STR("API.pagerduty.com."), 443, &to));
    address_write((struct sockaddr *)&to, text);
    cr_expect_str_eq(text, "127.0.0.1:18443");
    cr_expect(outgoing_find(o, STR("mail.example"), 465, &to));
    address_write((struct sockaddr *)&to, text);
    cr_expect_str_eq(text, "[::1]:10465");
    cr_expect(!outgoing_find(o, STR("api.pagerduty.com"), 80, &to) && !outgoing_find(o, STR("pagerduty.com"), 443, &to));
    cr_expect(!allowed(o, "127.0.0.1"), "only for that name");
    static const char *const bad[] = {
        "", "a", "a:1", "a=127.0.0.1:1", "a:1=127.0.0.1", "a:1=b:1", "a:0=127.0.0.1:1", "a:1=127.0.0.1:65536", ":1=127.0.0.1:1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_expect(!outgoing_resolve_add(o, bad[i], &err) && err.code == ERR_INVALID, "%s", bad[i]);
    outgoing_free(o);
}

Test(outgoing, a_ca_file_must_hold_certificates) {
    struct outgoing *o = outgoing_new();
    cr_expect(!outgoing_set_ca_file(o, "/dev/null", &err) && strstr(err.text, "/dev/null"));
    cr_expect(!outgoing_set_ca_file(o, "/no/such/file", &err));
    cr_expect(outgoing_set_ca_file(o, NULL, &err) && !outgoing_ca_file(o));
    outgoing_free(o);
}
