/* access.c — see access.h. */
#include "trigger/access.h"

#include "trigger/signature.h"

#define CREDENTIALS_MAX 4096

/* The part of an Authorization header behind its scheme (RFC 9110, 11.4); false for another scheme. */
static bool take_scheme(struct str header, const char *scheme, struct str *rest) {
    struct str name;
    *rest = str_trim(header);
    if (!str_cut(rest, ' ', &name) || !str_eq_nocase(name, str_from(scheme)))
        return false;
    *rest = str_trim(*rest);
    return rest->len > 0;
}

static bool check_basic(const struct vault *vault, struct str secret, struct str header) {
    struct str encoded;
    struct buf given;
    buf_init(&given, CREDENTIALS_MAX);
    bool ok = take_scheme(header, "Basic", &encoded) && buf_add_base64_decoded(&given, encoded) &&
              vault_equals(vault, secret, buf_str(&given));
    buf_release(&given);
    return ok;
}

static bool check_bearer(const struct vault *vault, struct str secret, struct str header) {
    struct str token;
    return take_scheme(header, "Bearer", &token) && vault_equals(vault, secret, token);
}

static enum signature_result check_signature(const struct vault *vault, struct str secret, const struct access_parts *parts) {
    struct buf key;
    buf_init(&key, CREDENTIALS_MAX);
    enum signature_result result = SIGNATURE_WRONG;
    if (vault_text(vault, secret, &key))
        result = signature_pagerduty_v3(parts->signature, buf_str(&key), parts->body);
    buf_release(&key);
    return result;
}

static bool has_rule(const struct release_flow *flow, enum access_type type) {
    for (size_t i = 0; i < flow->access_count; i++)
        if (flow->access[i].type == type)
            return true;
    return false;
}

bool access_needs_body(const struct release_flow *flow) { return has_rule(flow, ACCESS_PAGERDUTY_V3); }

static void refuse(const struct release_flow *flow, const struct access_parts *parts, enum signature_result signature,
                   struct access_verdict *v) {
    bool basic = has_rule(flow, ACCESS_BASIC), bearer = has_rule(flow, ACCESS_BEARER);
    if ((basic || bearer) && !parts->signature.ptr) {
        v->status = 401;
        v->challenge = !bearer  ? "Basic realm=\"Flowlet\", charset=\"UTF-8\""
                       : !basic ? "Bearer realm=\"Flowlet\""
                                : "Bearer realm=\"Flowlet\", Basic realm=\"Flowlet\", charset=\"UTF-8\"";
        snprintf(v->reason, sizeof v->reason, "%s",
                 parts->authorization.ptr ? "these credentials are wrong" : "credentials are needed: see WWW-Authenticate");
    } else if (signature == SIGNATURE_MALFORMED) {
        v->status = 400;
        snprintf(v->reason, sizeof v->reason, "the header " ACCESS_PAGERDUTY_HEADER " %s",
                 parts->signature.ptr ? "has no entry `v1=` with 64 hex digits" : "is missing: requests must be signed");
    } else {
        v->status = 403;
        snprintf(v->reason, sizeof v->reason,
                 "no signature in " ACCESS_PAGERDUTY_HEADER " fits the body: is the signing key the right one?");
    }
}

void access_check_parts(const struct release_flow *flow, const struct vault *vault, const struct access_parts *parts,
                        struct access_verdict *verdict) {
    *verdict = (struct access_verdict){.allowed = flow->access_count == 0};
    enum signature_result signature = SIGNATURE_MALFORMED;
    for (size_t i = 0; i < flow->access_count && !verdict->allowed; i++) {
        struct str secret = flow->access[i].secret;
        switch (flow->access[i].type) {
        case ACCESS_BASIC:
            verdict->allowed = check_basic(vault, secret, parts->authorization);
            break;
        case ACCESS_BEARER:
            verdict->allowed = check_bearer(vault, secret, parts->authorization);
            break;
        case ACCESS_PAGERDUTY_V3:
            signature = check_signature(vault, secret, parts);
            verdict->allowed = signature == SIGNATURE_FITS;
            break;
        }
    }
    if (verdict->allowed)
        return;
    for (size_t i = 0; i < flow->access_count; i++) {
        struct str secret = flow->access[i].secret;
        if (vault_get(vault, secret))
            continue;
        verdict->status = error_http_status(ERR_SECRET_EMPTY);
        snprintf(verdict->reason, sizeof verdict->reason,
                 "the secret `" STR_FMT "` that guards this endpoint is empty: set it with `flowlet secret set " STR_FMT "`",
                 STR_ARG(secret), STR_ARG(secret));
        return;
    }
    refuse(flow, parts, signature, verdict);
}

void access_check(const struct release_flow *flow, const struct vault *vault, const struct httpd_request *rq,
                  struct access_verdict *verdict) {
    struct access_parts parts = {httpd_header(rq, "Authorization"), httpd_header(rq, ACCESS_PAGERDUTY_HEADER), httpd_body(rq)};
    access_check_parts(flow, vault, &parts, verdict);
}
