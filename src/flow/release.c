/* release.c — see release.h: what a release says of its flows, and its blob. Building is in build.c. */
#include "flow/release.h"

#include "flow/release_own.h"

#define BODY_MAX_BYTES (1024 * 1024)
#define FORMAT 2

static const char *const flow_types[] = {"endpoint", "cron", "reusable", NULL};
static const char *const access_types[] = {"basic", "bearer", "pagerduty-v3", "github-hmac", "shared-token", NULL};
static const char *const secret_types[] = {"password", "basic", "signing-key", "smtp", NULL};
static const char *const overlaps[] = {"skip", "queue", "allow", NULL};
static const char *const misseds[] = {"once", "all", "skip", NULL};

const char *flow_type_name(enum flow_type t) { return flow_types[t]; }
const char *access_type_name(enum access_type t) { return access_types[t]; }
const char *secret_type_name(enum secret_type t) { return secret_types[t]; }
const char *cron_overlap_name(enum cron_overlap o) { return overlaps[o]; }
const char *cron_missed_name(enum cron_missed m) { return misseds[m]; }

/* The first where there is none of this name. */
static unsigned index_of(const char *const *names, struct str name) {
    unsigned i = 0;
    while (names[i] && !str_is(name, names[i]))
        i++;
    return names[i] ? i : 0;
}

enum flow_type flow_type_of(struct str name) { return (enum flow_type)index_of(flow_types, name); }

/* ---- life ---- */

struct release *release_new(void) {
    struct release *r = mem_alloc(sizeof *r);
    arena_init(&r->arena);
    r->refs = 1;
    return r;
}

struct release *release_ref(struct release *r) {
    r->refs++;
    return r;
}

void release_unref(struct release *r) {
    if (!r || --r->refs)
        return;
    arena_release(&r->arena);
    free(r);
}

static void drop_json(void *json) { json_decref(json); }

const json_t *release_keep(struct release *r, json_t *value) {
    arena_defer(&r->arena, drop_json, value);
    return value;
}

/* A text that names neither `Math` nor `crypto` draws no random numbers: they are the library's only ways to them. */
static bool draws_itself(const struct release_flow *f) {
    static const struct str names[] = {STR("Math"), STR("crypto")};
    bool found = false;
    for (size_t i = 0; i < ARRAY_LEN(names) && !found; i++) {
        found = str_find(f->plan, names[i]) != SIZE_MAX;
        for (size_t k = 0; k < f->unit_count && !found; k++)
            found = str_find(f->units[k].text, names[i]) != SIZE_MAX;
    }
    return found;
}

static void mark_random(struct release *r) {
    for (size_t i = 0; i < r->flow_count; i++)
        r->flows[i].draws = draws_itself(&r->flows[i]);
    for (size_t i = 0; i < r->flow_count; i++)
        for (size_t k = 0; k < r->flows[i].call_count; k++)
            r->flows[i].draws |= r->flows[r->flows[i].calls[k]].draws;
}

void release_number(struct release *r) {
    static uint64_t last;
    last++;
    for (size_t i = 0; i < r->flow_count; i++)
        r->flows[i].number = last << 16 | i;
    mark_random(r);
}

/* ---- finding ---- */

const struct release_flow *release_find_flow(const struct release *r, struct str id) {
    for (size_t i = 0; i < r->flow_count; i++)
        if (str_eq(r->flows[i].id, id))
            return &r->flows[i];
    return NULL;
}

const struct release_setting *release_find_setting(const struct release *r, struct str name) {
    for (size_t i = 0; i < r->setting_count; i++)
        if (str_eq(r->settings[i].name, name))
            return &r->settings[i];
    return NULL;
}

const struct release_secret *release_find_secret(const struct release *r, struct str name) {
    for (size_t i = 0; i < r->secret_count; i++)
        if (str_eq(r->secrets[i].name, name))
            return &r->secrets[i];
    return NULL;
}

/* ---- from JSON to fields ---- */

static void describe_parameters(struct release_flow *f, struct arena *arena) {
    const json_t *types = json_object_get(f->start, "parameters");
    struct str rest = f->path, segment;
    size_t most = 1;
    for (size_t i = 0; i < f->path.len; i++)
        most += f->path.ptr[i] == '/';
    f->parameters = arena_alloc(arena, most * sizeof *f->parameters);
    while (str_cut(&rest, '/', &segment)) {
        if (segment.len < 2 || segment.ptr[0] != '{')
            continue;
        struct str name = str_of(segment.ptr + 1, segment.len - 2);
        const json_t *type = json_object_getn(types, name.ptr, name.len);
        f->parameters[f->parameter_count++] = (struct release_parameter){name, str_is(jsonx_str(type, "type"), "integer")};
    }
}

static void describe_endpoint(struct release_flow *f, struct arena *arena) {
    const json_t *access = json_object_get(f->start, "access");
    json_t *rule;
    size_t i;
    f->method = jsonx_str(f->start, "method");
    f->path = jsonx_str(f->start, "path");
    f->at_once = str_is(jsonx_str(f->start, "answer"), "at once");
    f->deduplicate = json_object_get(f->start, "deduplicate");
    f->body_max_bytes = jsonx_int(json_object_get(f->start, "body"), "max_bytes", BODY_MAX_BYTES);
    const json_t *limits = json_object_get(f->start, "limits");
    f->requests_per_minute = jsonx_int(limits, "requests_per_minute", 0);
    f->per_client = str_is(jsonx_str(limits, "per"), "client");
    f->calls_at_once = jsonx_int(limits, "at_once", 0);
    f->cors = json_object_get(f->start, "cors");
    f->access = arena_alloc(arena, json_array_size(access) * sizeof *f->access);
    json_array_foreach(access, i, rule) f->access[f->access_count++] =
        (struct release_access){.type = (enum access_type)index_of(access_types, jsonx_str(rule, "type")),
                                .secret = jsonx_str(rule, "secret"),
                                .header = jsonx_str(rule, "header"),
                                .query = jsonx_str(rule, "query")};
    describe_parameters(f, arena);
}

void release_describe_flow(struct release_flow *f, struct arena *arena) {
    const json_t *limits = json_object_get(f->start, "limits");
    f->run_ms = jsonx_int(limits, "run_ms", 30000);
    f->cpu_ms = jsonx_int(limits, "cpu_ms", 10000);
    f->memory_mb = jsonx_int(limits, "memory_mb", 64);
    if (f->type == FLOW_ENDPOINT)
        describe_endpoint(f, arena);
    struct str bodies = jsonx_str(f->start, "bodies");
    f->bodies = str_is(bodies, "drop") ? BODIES_DROP : str_is(bodies, "sample") ? BODIES_SAMPLE : BODIES_KEEP;
    f->durable = f->type != FLOW_ENDPOINT || f->at_once || f->responds || jsonx_bool(f->start, "durable", false);
    f->every = jsonx_str(f->start, "every");
    f->line = jsonx_str(f->start, "line");
    f->zone = jsonx_str(f->start, "zone");
    f->overlap = (enum cron_overlap)index_of(overlaps, jsonx_str(f->start, "overlap"));
    f->missed = (enum cron_missed)index_of(misseds, jsonx_str(f->start, "missed"));
}

void release_describe_declarations(struct release *r, const json_t *settings, const json_t *secrets) {
    const char *name;
    json_t *it;
    const json_t *text_schema = release_keep(r, json_pack("{s:s}", "type", "string"));
    r->settings = arena_alloc(&r->arena, json_object_size(settings) * sizeof *r->settings);
    r->secrets = arena_alloc(&r->arena, json_object_size(secrets) * sizeof *r->secrets);
    json_object_foreach((json_t *)(uintptr_t)settings, name, it) {
        const json_t *schema = json_object_get(it, "schema");
        r->settings[r->setting_count++] = (struct release_setting){
            .name = arena_str(&r->arena, str_from(name)),
            .title = jsonx_str(it, "title"),
            .description = jsonx_str(it, "description"),
            .schema = schema ? schema : text_schema,
            .default_value = json_object_get(it, "default"),
            .practice = json_object_get(it, "practice"),
            .required = jsonx_bool(it, "required", false),
        };
    }
    json_object_foreach((json_t *)(uintptr_t)secrets, name, it) r->secrets[r->secret_count++] = (struct release_secret){
        .name = arena_str(&r->arena, str_from(name)),
        .title = jsonx_str(it, "title"),
        .description = jsonx_str(it, "description"),
        .type = (enum secret_type)index_of(secret_types, jsonx_str(it, "type")),
        .required = jsonx_bool(it, "required", false),
        .practice = json_object_get(it, "practice"),
    };
}

struct str *release_names(struct arena *arena, const json_t *set, size_t *count) {
    const char *name;
    json_t *unused;
    struct str *names = arena_alloc(arena, json_object_size(set) * sizeof *names);
    *count = 0;
    json_object_foreach((json_t *)(uintptr_t)set, name, unused) names[(*count)++] = arena_str(arena, str_from(name));
    return names;
}

/* ---- the blob ---- */

static json_t *set_of(const struct str *names, size_t count) {
    json_t *set = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_setn_new(set, names[i].ptr, names[i].len, json_true());
    return set;
}

static json_t *flow_json(const struct release_flow *f) {
    json_t *units = json_array(), *calls = json_array();
    for (size_t i = 0; i < f->unit_count; i++)
        json_array_append_new(units, json_pack("[o, o]", jsonx_from_str(f->units[i].key), jsonx_from_str(f->units[i].text)));
    for (size_t i = 0; i < f->call_count; i++)
        json_array_append_new(calls, json_integer((json_int_t)f->calls[i]));
    return json_pack("{s:o, s:o, s:s, s:O, s:b, s:i, s:o, s:o, s:o, s:o, s:o}", "id", jsonx_from_str(f->id), "name",
                     jsonx_from_str(f->name), "type", flow_type_name(f->type), "start", f->start, "responds", f->responds,
                     "needs", (int)f->needs, "plan", jsonx_from_str(f->plan), "units", units, "calls", calls, "settings",
                     set_of(f->settings, f->setting_count), "secrets", set_of(f->secrets, f->secret_count));
}

bool release_write(const struct release *r, struct buf *out) {
    json_t *flows = json_array();
    for (size_t i = 0; i < r->flow_count; i++)
        json_array_append_new(flows, flow_json(&r->flows[i]));
    json_t *blob = json_pack("{s:i, s:O, s:O, s:o}", "format", FORMAT, "workspace", r->json, "values", r->values, "flows", flows);
    bool ok = jsonx_write(blob, out);
    json_decref(blob);
    return ok;
}

static bool load_units(struct release_flow *f, const json_t *units, struct arena *arena) {
    size_t i;
    json_t *unit;
    f->units = arena_alloc(arena, json_array_size(units) * sizeof *f->units);
    json_array_foreach(units, i, unit) f->units[f->unit_count++] =
        (struct release_unit){jsonx_string_value(json_array_get(unit, 0)), jsonx_string_value(json_array_get(unit, 1))};
    return true;
}

static bool load_flow(struct release *r, struct release_flow *f, const json_t *json) {
    size_t i;
    json_t *call;
    *f = (struct release_flow){
        .id = jsonx_str(json, "id"),
        .name = jsonx_str(json, "name"),
        .type = flow_type_of(jsonx_str(json, "type")),
        .start = json_object_get(json, "start"),
        .responds = jsonx_bool(json, "responds", false),
        .needs = (unsigned)jsonx_int(json, "needs", 0),
        .plan = jsonx_str(json, "plan"),
    };
    load_units(f, json_object_get(json, "units"), &r->arena);
    const json_t *calls = json_object_get(json, "calls");
    f->calls = arena_alloc(&r->arena, json_array_size(calls) * sizeof *f->calls);
    json_array_foreach(calls, i, call) {
        if (json_integer_value(call) < 0 || (size_t)json_integer_value(call) >= r->flow_count)
            return false;
        f->calls[f->call_count++] = (size_t)json_integer_value(call);
    }
    f->settings = release_names(&r->arena, json_object_get(json, "settings"), &f->setting_count);
    f->secrets = release_names(&r->arena, json_object_get(json, "secrets"), &f->secret_count);
    release_describe_flow(f, &r->arena);
    return f->id.len && f->plan.len && json_is_object(f->start);
}

struct release *release_load(struct str blob, struct error *err) {
    json_t *json = jsonx_parse(blob, err), *it;
    struct release *r;
    size_t i;
    bool ok = true;
    if (!json) {
        error_wrap(err, "the stored release");
        return NULL;
    }
    r = release_new();
    release_keep(r, json);
    const json_t *flows = json_object_get(json, "flows");
    if (jsonx_int(json, "format", 0) != FORMAT) {
        error_set(err, ERR_NEWER, "the stored release is of another version of Flowlet: push the workspace again");
        ok = false;
        goto out;
    }
    r->json = json_object_get(json, "workspace");
    r->values = json_object_get(json, "values");
    r->workspace = jsonx_str(r->json, "name");
    r->title = jsonx_str(r->json, "title");
    r->hosts = json_object_get(r->json, "hosts");
    release_describe_declarations(r, json_object_get(r->json, "settings"), json_object_get(r->json, "secrets"));
    r->flow_count = json_array_size(flows);
    r->flows = arena_alloc(&r->arena, r->flow_count * sizeof *r->flows);
    json_array_foreach(flows, i, it) ok &= load_flow(r, &r->flows[i], it);
    ok &= r->workspace.len > 0 && json_is_object(r->values);
    release_number(r);
    if (!ok)
        error_set(err, ERR_CORRUPT, "the stored release is damaged: push the workspace again");
out:
    if (!ok) {
        release_unref(r);
        r = NULL;
    }
    return r;
}
