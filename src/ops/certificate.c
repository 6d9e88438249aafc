/* certificate.c — see certificate.h. */
#include "ops/certificate.h"

#include "base/clock.h"

json_t *certificate_json(const struct certificate *c) {
    char before[CLOCK_TEXT_MAX], after[CLOCK_TEXT_MAX];
    json_t *names = json_array();
    for (size_t i = 0; i < c->name_count; i++)
        json_array_append_new(names, jsonx_from_str(str_from(c->names[i])));
    clock_write(c->not_before_ms, before);
    clock_write(c->not_after_ms, after);
    return json_pack("{so so so ss ss si ss}", "names", names, "subject", jsonx_from_str(str_from(c->subject)), "issuer",
                     jsonx_from_str(str_from(c->issuer)), "not_before", before, "not_after", after, "days_left",
                     certificate_days_left(c), "protocol", c->protocol);
}
