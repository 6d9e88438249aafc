/* access.c — see access.h. */
#include "trigger/access.h"

#include "base/percent.h"
#include "trigger/signature.h"

#define CREDENTIALS_MAX 4096

/* How far a request got with a rule; the most telling of all rules makes the refusal. */
enum outcome {
    NOT_TRIED, /* what the rule looks for is not there */
    MALFORMED,
    WRONG,
    FITS,
};

static struct str header_of(const struct access_parts *parts, struct str name) {
    for (size_t i = 0; i < parts->header_count; i++)
        if (str_eq_nocase(parts->headers[i].name, name))
            return parts->headers[i].value;
    return (struct str){NULL, 0};
}

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

/* Where a rule that is neither basic nor bearer looks. */
static const char *place_of(const struct release_access *rule) {
    return rule->type == ACCESS_GITHUB_HMAC ? ACCESS_GITHUB_HEADER : ACCESS_PAGERDUTY_HEADER;
}

static enum outcome check_signature(const struct vault *vault, const struct release_access *rule,
                                    const struct access_parts *parts) {
    struct str header = header_of(parts, str_from(place_of(rule)));
    struct buf key;
    if (!header.ptr)
        return NOT_TRIED;
    buf_init(&key, CREDENTIALS_MAX);
    enum signature_result result = SIGNATURE_WRONG;
    if (vault_text(vault, rule->secret, &key))
        result = rule->type == ACCESS_GITHUB_HMAC ? signature_github_hmac(header, buf_str(&key), parts->body)
                                                  : signature_pagerduty_v3(header, buf_str(&key), parts->body);
    buf_release(&key);
    return result == SIGNATURE_FITS ? FITS : result == SIGNATURE_WRONG ? WRONG : MALFORMED;
}

static enum outcome check_token(const struct vault *vault, const struct release_access *rule, const struct access_parts *parts) {
    struct arena arena;
    struct str given = {NULL, 0};
    enum outcome outcome = NOT_TRIED;
    arena_init(&arena);
    if (rule->header.len)
        given = str_trim(header_of(parts, rule->header));
    if (rule->header.len ? given.len > 0 : query_find(parts->query, rule->query, &arena, &given))
        outcome = vault_equals(vault, rule->secret, given) ? FITS : WRONG;
    arena_release(&arena);
    return outcome;
}

static enum outcome check_rule(const struct vault *vault, const struct release_access *rule, const struct access_parts *parts) {
    struct str authorization = header_of(parts, STR("Authorization"));
    bool fits = false;
    switch (rule->type) {
    case ACCESS_PAGERDUTY_V3:
    case ACCESS_GITHUB_HMAC:
        return check_signature(vault, rule, parts);
    case ACCESS_SHARED_TOKEN:
        return check_token(vault, rule, parts);
    case ACCESS_BASIC:
        fits = check_basic(vault, rule->secret, authorization);
        break;
    case ACCESS_BEARER:
        fits = check_bearer(vault, rule->secret, authorization);
        break;
    }
    return fits ? FITS : authorization.ptr ? WRONG : NOT_TRIED;
}

static bool has_rule(const struct release_flow *flow, enum access_type type) {
    for (size_t i = 0; i < flow->access_count; i++)
        if (flow->access[i].type == type)
            return true;
    return false;
}

bool access_needs_body(const struct release_flow *flow) {
    return has_rule(flow, ACCESS_PAGERDUTY_V3) || has_rule(flow, ACCESS_GITHUB_HMAC);
}

static bool is_credentials(const struct release_access *rule) {
    return rule->type == ACCESS_BASIC || rule->type == ACCESS_BEARER;
}

static void refuse_credentials(const struct release_flow *flow, enum outcome outcome, struct access_verdict *v) {
    v->status = 401;
    v->challenge = !has_rule(flow, ACCESS_BEARER)  ? "Basic realm=\"Flowlet\", charset=\"UTF-8\""
                   : !has_rule(flow, ACCESS_BASIC) ? "Bearer realm=\"Flowlet\""
                                                   : "Bearer realm=\"Flowlet\", Basic realm=\"Flowlet\", charset=\"UTF-8\"";
    snprintf(v->reason, sizeof v->reason, "%s",
             outcome == WRONG ? "these credentials are wrong" : "credentials are needed: see WWW-Authenticate");
}

static void refuse_token(const struct release_access *rule, enum outcome outcome, struct access_verdict *v) {
    struct str place = rule->header.len ? rule->header : rule->query;
    v->status = 403;
    snprintf(v->reason, sizeof v->reason, "the token in the %s " STR_FMT " is %s", rule->header.len ? "header" : "query's",
             STR_ARG(place), outcome == WRONG ? "wrong" : "missing");
}

static void refuse_signature(const struct release_access *rule, enum outcome outcome, struct access_verdict *v) {
    const char *place = place_of(rule);
    v->status = outcome == WRONG ? 403 : 400;
    if (outcome == WRONG)
        snprintf(v->reason, sizeof v->reason, "no signature in %s fits the body: is the signing key the right one?", place);
    else if (outcome == MALFORMED)
        snprintf(v->reason, sizeof v->reason, "the header %s has no entry `%s=` with 64 hex digits", place,
                 rule->type == ACCESS_GITHUB_HMAC ? "sha256" : "v1");
    else
        snprintf(v->reason, sizeof v->reason, "the header %s is missing: requests must be signed", place);
}

static bool find_empty(const struct release_flow *flow, const struct vault *vault, struct access_verdict *v) {
    for (size_t i = 0; i < flow->access_count; i++) {
        struct str secret = flow->access[i].secret;
        if (vault_get(vault, secret))
            continue;
        v->status = error_http_status(ERR_SECRET_EMPTY);
        snprintf(v->reason, sizeof v->reason,
                 "the secret `" STR_FMT "` that guards this endpoint is empty: set it with `flowlet secret set " STR_FMT "`",
                 STR_ARG(secret), STR_ARG(secret));
        return true;
    }
    return false;
}

void access_check_parts(const struct release_flow *flow, const struct vault *vault, const struct access_parts *parts,
                        struct access_verdict *verdict) {
    *verdict = (struct access_verdict){.allowed = flow->access_count == 0};
    const struct release_access *closest = NULL;
    enum outcome most = NOT_TRIED;
    for (size_t i = 0; i < flow->access_count && !verdict->allowed; i++) {
        const struct release_access *rule = &flow->access[i];
        enum outcome outcome = check_rule(vault, rule, parts);
        verdict->allowed = outcome == FITS;
        /* Where nothing was tried, credentials are what a person can give. */
        if (!closest || outcome > most || (outcome == most && is_credentials(rule) && !is_credentials(closest)))
            closest = rule;
        if (outcome > most)
            most = outcome;
    }
    if (verdict->allowed || find_empty(flow, vault, verdict))
        return;
    if (is_credentials(closest))
        refuse_credentials(flow, most, verdict);
    else if (closest->type == ACCESS_SHARED_TOKEN)
        refuse_token(closest, most, verdict);
    else
        refuse_signature(closest, most, verdict);
}

void access_check(const struct release_flow *flow, const struct vault *vault, const struct httpd_request *rq,
                  struct access_verdict *verdict) {
    struct access_parts parts = {.query = httpd_query(rq), .body = httpd_body(rq)};
    parts.headers = httpd_headers(rq, &parts.header_count);
    access_check_parts(flow, vault, &parts, verdict);
}
