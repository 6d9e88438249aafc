/* Rules of quota.h. */
#include <criterion/criterion.h>

#include "trigger/quota.h"

#define S (1000 * 1000LL)

static struct quota *q;

static void set_up(void) { q = quota_new(); }
static void tear_down(void) { quota_free(q); }
TestSuite(quota, .init = set_up, .fini = tear_down);

static int64_t take(const char *caller, int64_t now_us) { return quota_take(q, str_from(caller), 6, now_us); }

Test(quota, all_at_once_and_then_evenly) {
    for (int i = 0; i < 6; i++)
        cr_assert_eq(take("a", 100 * S), 0);
    cr_assert_eq(take("a", 100 * S), 10);
    cr_assert_eq(take("a", 103 * S + 1), 7, "rounded up");
    cr_assert_eq(take("a", 110 * S), 0);
    cr_assert_eq(take("a", 110 * S), 10);
    for (int i = 0; i < 6; i++)
        cr_assert_eq(take("a", 500 * S), 0);
    cr_assert_eq(take("a", 500 * S), 10);
}

Test(quota, a_refused_request_costs_nothing) {
    for (int i = 0; i < 100; i++)
        take("a", 100 * S);
    cr_assert_eq(take("a", 110 * S), 0);
}

Test(quota, callers_are_told_apart) {
    for (int i = 0; i < 7; i++)
        take("a", 100 * S);
    cr_assert_eq(take("b", 100 * S), 0);
    cr_assert_neq(take("a", 100 * S), 0);
}

Test(quota, beyond_its_room_callers_share_one_account) {
    char name[20];
    for (int i = 0; i < 2 * QUOTA_CALLERS_MAX; i++) {
        snprintf(name, sizeof name, "caller %d", i);
        take(name, 100 * S);
    }
    cr_assert_leq(q->callers.count, QUOTA_CALLERS_MAX + 1);
    cr_assert_neq(take("another", 100 * S), 0);
    cr_assert_eq(take("caller 5", 100 * S), 0, "who is known has an account of its own");
    cr_assert_eq(take("another", 200 * S), 0, "the others' are full again and forgotten");
    cr_assert_eq(q->callers.count, 1);
}
