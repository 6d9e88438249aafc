/* Rules of proxy.h. */
#include <criterion/criterion.h>

#include "trigger/proxy.h"

static struct proxies proxies;

static void set_up(void) {
    struct arg_list ranges = {.count = 3, .at = {"127.0.0.1", "10.0.0.0/8", "fd00::/8"}};
    struct error err;
    cr_assert(proxies_parse(&proxies, &ranges, &err));
}
TestSuite(proxy, .init = set_up);

static bool client_is(const char *wanted, const char *peer, const char *first, const char *second) {
    struct httpd_field headers[] = {
        {STR("X-Forwarded-For"), str_from(first)}, {STR("Host"), STR("a")}, {STR("x-forwarded-for"), str_from(second)}};
    struct str client = proxies_client(&proxies, str_from(peer), headers, second ? 3 : first ? 1 : 0);
    return str_is(client, wanted);
}

Test(proxy, only_trusted_peers_are_believed) {
    cr_assert(client_is("192.0.2.9", "192.0.2.9", "198.51.100.1", NULL));
    cr_assert(client_is("198.51.100.1", "127.0.0.1", "198.51.100.1", NULL));
    cr_assert(client_is("198.51.100.1", "::ffff:127.0.0.1", "198.51.100.1", NULL));
    cr_assert(client_is("198.51.100.1", "fd12::1", "198.51.100.1", NULL));
    cr_assert(client_is("127.0.0.1", "127.0.0.1", NULL, NULL));
    struct proxies none = {0};
    struct httpd_field field = {STR("X-Forwarded-For"), STR("198.51.100.1")};
    cr_assert(str_is(proxies_client(&none, STR("127.0.0.1"), &field, 1), "127.0.0.1"));
}

Test(proxy, the_last_that_is_no_proxy_is_the_caller) {
    cr_assert(client_is("198.51.100.1", "127.0.0.1", "1.2.3.4, 198.51.100.1, 10.2.3.4", NULL),
              "what the caller wrote itself stands before");
    cr_assert(client_is("198.51.100.1", "127.0.0.1", "1.2.3.4,198.51.100.1", "10.2.3.4,10.0.0.1"));
    cr_assert(client_is("10.2.3.4", "127.0.0.1", "10.2.3.4, 10.0.0.1", NULL), "a caller inside");
}

Test(proxy, ports_and_brackets_go_and_nonsense_ends_it) {
    cr_assert(client_is("198.51.100.1", "127.0.0.1", "198.51.100.1:4711", NULL));
    cr_assert(client_is("2001:db8::1", "127.0.0.1", "[2001:db8::1]:443", NULL));
    cr_assert(client_is("2001:db8::1", "127.0.0.1", "2001:db8::1", NULL));
    cr_assert(client_is("127.0.0.1", "127.0.0.1", "unknown", NULL));
    cr_assert(client_is("10.0.0.1", "127.0.0.1", "198.51.100.1, _hidden, 10.0.0.1", NULL));
    cr_assert(client_is("127.0.0.1", "127.0.0.1", "", NULL));
    cr_assert(client_is("127.0.0.1", "127.0.0.1", "[", NULL));
}

Test(proxy, the_host_that_was_asked_for) {
    struct httpd_field headers[] = {{STR("host"), STR("inside:8080")}, {STR("x-forwarded-host"), STR("shop.example:443, other")}};
    cr_assert(str_is(proxies_host(&proxies, STR("127.0.0.1"), headers, 2), "shop.example"));
    cr_assert(str_is(proxies_host(&proxies, STR("192.0.2.1"), headers, 2), "inside"));
    cr_assert(str_is(proxies_host(&proxies, STR("127.0.0.1"), headers, 1), "inside"));
    cr_assert_eq(proxies_host(&proxies, STR("127.0.0.1"), NULL, 0).len, 0);
}

Test(proxy, a_range_that_is_none_is_named) {
    struct arg_list ranges = {.count = 2, .at = {"10.0.0.0/8", "10.0.0.0/33"}};
    struct error err;
    cr_assert(!proxies_parse(&proxies, &ranges, &err) && strstr(err.text, "10.0.0.0/33"));
}
