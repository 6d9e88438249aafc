/* server.c — see server.h. */
#include "serve/server.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/server.h"
#include "auth/tokens.h"
#include "base/log.h"
#include "net/names.h"
#include "net/transfer.h"
#include "run/runs.h"
#include "serve/practice.h"
#include "trigger/endpoints.h"
#include "trigger/cron.h"
#include "trigger/schedules.h"

#define URL_MAX 80
#define LINKS_URL_MAX 300
#define DRAIN_MS 10000 /* what runs that are not durable get after SIGTERM */

struct server {
    const struct options *options;
    struct loop *loop;
    struct seal_key key;
    struct tokens *tokens;
    struct outgoing *outgoing;
    struct proxies proxies;
    struct transfers *transfers;
    struct names *names;
    struct store *store;
    struct pool *pool;
    struct workspaces *workspaces;
    struct runs *runs;
    struct endpoints *endpoints;
    struct schedules *schedules;
    struct api *api;
    char public_url[URL_MAX]; /* where the endpoints answer */
    char links_url[LINKS_URL_MAX];
    uv_signal_t term, interrupt, hangup;
    size_t next_folder; /* of --workspace: published one after another */
    bool stopping, ready, failed;
    struct error *err; /* the caller's: why it failed */
};

static void fail(struct server *s, const struct error *err) {
    *s->err = *err;
    s->failed = true;
    loop_stop(s->loop);
}

/* ---- opening ---- */

static bool make_directory(const char *dir, struct error *err) {
    if (mkdir(dir, 0700) == 0 || errno == EEXIST)
        return true;
    return error_errno(err, dir);
}

/* Idle connections hold a descriptor each. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool open_outgoing(struct server *s, struct error *err) {
    const struct options *o = s->options;
    s->outgoing = outgoing_new();
    for (size_t i = 0; i < o->allow_address.count; i++)
        if (!outgoing_allow(s->outgoing, o->allow_address.at[i], err))
            return false;
    for (size_t i = 0; i < o->resolve.count; i++)
        if (!outgoing_resolve_add(s->outgoing, o->resolve.at[i], err))
            return false;
    if (!outgoing_set_ca_file(s->outgoing, o->ca_file, err))
        return false;
    s->transfers = transfers_new(s->loop, s->outgoing);
    s->names = names_new(s->loop, s->outgoing);
    return true;
}

static void on_changed(void *arg, struct workspace *w) {
    struct server *s = arg;
    if (s->endpoints)
        endpoints_changed(s->endpoints, w);
    if (s->schedules)
        schedules_changed(s->schedules, w);
    if (w->removed)
        pool_drop(s->pool, w->name);
    else if (s->ready && w->release && w->release->flow_count)
        pool_warm(s->pool, w->name);
}

static bool open_runs(struct server *s, struct error *err) {
    store_keep_history(s->store, s->options->history_days * 24 * 60 * 60 * 1000, s->options->history_mb * 1024 * 1024);
    struct pool_options pool = {.workers = (unsigned)s->options->workers,
                                .allow_unconfined = s->options->allow_unconfined,
                                .memory_limit_bytes = 64 * 1024 * 1024,
                                .cpu_limit_ms = 10000};
    s->pool = pool_open(s->loop, &pool, &runs_pool_handler, &s->runs, err);
    if (!s->pool)
        return false;
    struct workspaces_env workspaces = {.loop = s->loop,
                                        .store = s->store,
                                        .pool = s->pool,
                                        .key = &s->key,
                                        .schedule_check = cron_check,
                                        .changed = on_changed,
                                        .arg = s};
    s->workspaces = workspaces_open(&workspaces, err);
    if (!s->workspaces)
        return false;
    struct runs_env runs = {.loop = s->loop,
                            .store = s->store,
                            .pool = s->pool,
                            .workspaces = s->workspaces,
                            .key = &s->key,
                            .ops = {.loop = s->loop, .transfers = s->transfers, .names = s->names},
                            .links_url = s->links_url,
                            .max_runs = (unsigned)s->options->max_runs};
    s->runs = runs_open(&runs, err);
    return s->runs != NULL;
}

static void add_listener(struct server *s, struct httpd *h, const struct arg_place *place) {
    char text[ADDRESS_TEXT_MAX];
    struct sockaddr_storage at;
    struct error err;
    snprintf(text, sizeof text, strchr(place->address, ':') ? "[%s]:%u" : "%s:%u", place->address, httpd_port(h));
    if (address_parse(str_from(text), &at, &err))
        outgoing_add_listener(s->outgoing, (const struct sockaddr *)&at);
}

static bool in_pairs(const struct options *o, struct error *err) {
    if (!o->listen_cert != !o->listen_key)
        return error_set(err, ERR_INVALID, "--listen-cert and --listen-key go together: give both, or neither");
    return !o->console_cert == !o->console_key ||
           error_set(err, ERR_INVALID, "--console-cert and --console-key go together: give both, or neither");
}

static struct httpd_options listener(const struct server *s, const struct arg_place *place, const char *cert, const char *key) {
    return (struct httpd_options){.address = place->address,
                                  .tls_cert = cert,
                                  .tls_key = key,
                                  .port = place->port,
                                  .max_connections = (unsigned)s->options->max_connections,
                                  .header_max = 16 * 1024,
                                  .body_max = 1024 * 1024,
                                  .bodies_max = 64 * 1024 * 1024,
                                  .timeout_s = 15,
                                  .idle_s = 75};
}

static void url_of(const struct arg_place *place, const struct httpd *h, const char *cert, char out[URL_MAX]) {
    snprintf(out, URL_MAX, strchr(place->address, ':') ? "%s://[%s]:%u" : "%s://%s:%u", cert ? "https" : "http", place->address,
             httpd_port(h));
}

/* Without a slash at its end. */
static bool set_links_url(struct server *s, struct error *err) {
    struct str url = str_from(s->options->public_url ? s->options->public_url : s->public_url);
    while (url.len && url.ptr[url.len - 1] == '/')
        url.len--;
    bool ok = url.len < sizeof s->links_url && (str_starts(url, STR("http://")) || str_starts(url, STR("https://")));
    for (size_t i = 0; ok && i < url.len; i++)
        ok = url.ptr[i] > ' ' && url.ptr[i] < 127 && !strchr("\"\\<>?#", url.ptr[i]);
    if (!ok)
        return error_set(err, ERR_INVALID, "--public-url takes a URL like https://flows.example.com, of less than %d bytes",
                         LINKS_URL_MAX);
    snprintf(s->links_url, sizeof s->links_url, STR_FMT, STR_ARG(url));
    return true;
}

static bool open_listeners(struct server *s, struct error *err) {
    struct endpoints_env endpoints = {.loop = s->loop,
                                      .runs = s->runs,
                                      .store = s->store,
                                      .key = &s->key,
                                      .workspaces = s->workspaces,
                                      .proxies = &s->proxies,
                                      .listen =
                                          listener(s, &s->options->listen, s->options->listen_cert, s->options->listen_key)};
    s->endpoints = endpoints_open(&endpoints, err);
    if (!s->endpoints)
        return false;
    add_listener(s, endpoints_httpd(s->endpoints), &s->options->listen);
    url_of(&s->options->listen, endpoints_httpd(s->endpoints), s->options->listen_cert, s->public_url);
    if (!set_links_url(s, err))
        return false;
    s->schedules = schedules_open(s->loop, s->store, s->runs, s->workspaces);
    struct api_env api = {.loop = s->loop,
                          .store = s->store,
                          .pool = s->pool,
                          .workspaces = s->workspaces,
                          .runs = s->runs,
                          .endpoints = s->endpoints,
                          .key = &s->key,
                          .schedules = s->schedules,
                          .tokens = s->tokens,
                          .public_url = s->links_url,
                          .listen = listener(s, &s->options->console, s->options->console_cert, s->options->console_key)};
    s->api = api_open(&api, err);
    if (s->api)
        add_listener(s, api_httpd(s->api), &s->options->console);
    return s->api != NULL;
}

/* ---- the folders of --workspace ---- */

/* What confines the workers, and what does not hold on this machine. */
static void say_layers(const struct server *s) {
    struct error err;
    json_t *report = jsonx_parse(pool_layers(s->pool), &err), *layer;
    struct buf holds, lacks;
    size_t i;
    buf_init(&holds, 4096);
    buf_init(&lacks, 4096);
    json_array_foreach(json_object_get(report, "layers"), i, layer) {
        struct buf *to = jsonx_bool(layer, "holds", false) ? &holds : &lacks;
        buf_adds(to, to->len ? ", " : "");
        buf_add(to, jsonx_str(layer, "name"));
    }
    log_info("server", "event=sealed holds=\"%s\" lacks=\"%s\"", holds.ptr, lacks.ptr);
    buf_release(&holds);
    buf_release(&lacks);
    json_decref(report);
}

/* DIR/console tells the command line where we are. */
static void say_ready(struct server *s) {
    char console[URL_MAX];
    struct error err;
    struct buf path;
    url_of(&s->options->console, api_httpd(s->api), s->options->console_cert, console);
    buf_init(&path, 8192);
    buf_addf(&path, "%s/console", s->options->data);
    if (!file_write(path.ptr, str_from(console), 0644, &err))
        log_warn("server", "event=console_not_written error=%s", log_quote(str_from(err.text)));
    buf_release(&path);
    s->ready = true;
    schedules_start(s->schedules);
    say_layers(s);
    printf("ready listen=%s console=%s\n", s->public_url, console);
    fflush(stdout);
    practice_print(s->workspaces, s->public_url);
}

static void publish_next(struct server *s);

static void print_findings(const struct findings *findings) {
    struct buf text;
    buf_init(&text, 1024 * 1024);
    findings_print(findings, &text);
    fputs(text.ptr, stderr);
    buf_release(&text);
}

static void on_published(void *arg, struct release *release, const struct findings *findings, const struct error *err) {
    struct server *s = arg;
    if (findings)
        print_findings(findings);
    if (err) {
        fail(s, err);
    } else if (!release) {
        struct error broken;
        error_set(&broken, ERR_INVALID, "%s was not published: mend the errors above", s->options->workspace.at[s->next_folder]);
        fail(s, &broken);
    } else {
        pool_warm(s->pool, release->workspace);
        s->next_folder++;
        publish_next(s);
    }
}

static bool workspace_name(const struct folder *folder, struct buf *name, struct error *err) {
    const struct folder_file *file = folder_find(folder, STR("workspace.json"));
    if (!file)
        return error_set(err, ERR_NOT_FOUND, "there is no workspace.json: is this a workspace's folder? flowlet init makes one");
    json_t *json = jsonx_parse(folder_text(file), err);
    bool ok = json && buf_add(name, jsonx_str(json, "name")) && name->len;
    if (json && !ok)
        error_set(err, ERR_INVALID, "workspace.json: /name must say what the workspace is called");
    json_decref(json);
    return ok;
}

static void publish_next(struct server *s) {
    const struct arg_list *folders = &s->options->workspace;
    if (s->next_folder == folders->count) {
        struct error unfit;
        if (pool_wait(s->pool, &unfit))
            say_ready(s);
        else
            fail(s, &unfit);
        return;
    }
    const char *path = folders->at[s->next_folder];
    struct folder *folder = folder_new();
    struct workspace *w = NULL;
    struct error err;
    struct buf name;
    buf_init(&name, 100);
    if (folder_read(folder, path, &err) && workspace_name(folder, &name, &err))
        w = workspaces_add(s->workspaces, buf_str(&name), s->options->practice ? 'p' : 'l', &err);
    if (w) {
        workspace_publish(w, folder, &(struct save){STR("server"), STR("--workspace")}, on_published, s);
    } else {
        error_wrap(&err, "%s", path);
        fail(s, &err);
    }
    buf_release(&name);
    folder_free(folder);
}

/* ---- stopping ---- */

static void stop_loop(void *arg) { loop_stop(((struct server *)arg)->loop); }

static void on_endpoints_drained(void *arg) {
    struct server *s = arg;
    api_release_waiting(s->api);
    httpd_drain(api_httpd(s->api), stop_loop, s);
}

static void on_drained(void *arg) {
    struct server *s = arg;
    httpd_drain(endpoints_httpd(s->endpoints), on_endpoints_drained, s);
}

/* No new requests; what is being answered is; durable runs go on at the next start. */
static void on_signal(uv_signal_t *signal, int number) {
    struct server *s = signal->data;
    (void)number;
    if (s->stopping || !s->ready) {
        loop_stop(s->loop);
        return;
    }
    s->stopping = true;
    log_info("server", "event=stopping runs=%zu", runs_open_count(s->runs));
    schedules_stop(s->schedules);
    runs_drain(s->runs, DRAIN_MS, on_drained, s);
}

static void reload(struct httpd *h, const char *cert) {
    struct error err;
    if (!cert)
        return;
    if (httpd_reload_certificate(h, &err))
        log_info("server", "event=certificate_read file=%s", log_quote(str_from(cert)));
    else
        log_error("server", "event=certificate_kept msg=\"the one before stays in use\" error=%s", log_quote(str_from(err.text)));
}

static void on_hangup(uv_signal_t *signal, int number) {
    struct server *s = signal->data;
    (void)number;
    if (!s->ready)
        return;
    reload(endpoints_httpd(s->endpoints), s->options->listen_cert);
    reload(api_httpd(s->api), s->options->console_cert);
}

static void catch_signals(struct server *s) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk, not the end */
    uv_signal_init(loop_uv(s->loop), &s->term);
    uv_signal_init(loop_uv(s->loop), &s->interrupt);
    uv_signal_init(loop_uv(s->loop), &s->hangup);
    s->term.data = s->interrupt.data = s->hangup.data = s;
    uv_signal_start(&s->term, on_signal, SIGTERM);
    uv_signal_start(&s->interrupt, on_signal, SIGINT);
    uv_signal_start(&s->hangup, on_hangup, SIGHUP);
}

static void close_all(struct server *s) {
    if (s->schedules)
        schedules_stop(s->schedules);
    if (s->endpoints)
        httpd_refuse(endpoints_httpd(s->endpoints));
    if (s->api) {
        httpd_refuse(api_httpd(s->api));
        api_release_waiting(s->api);
    }
    store_close(s->store); /* every commit under way is told to its run first */
    runs_close(s->runs);   /* and every caller who waits, that it ends */
    s->runs = NULL;
    if (s->pool) {
        pool_close(s->pool, stop_loop, s); /* so do those of the toolbox hear of it */
        loop_run(s->loop);
    }
    api_close(s->api);
    tokens_close(s->tokens);
    schedules_close(s->schedules);
    s->schedules = NULL;
    endpoints_close(s->endpoints);
    s->endpoints = NULL;
    workspaces_close(s->workspaces);
    transfers_free(s->transfers);
    names_free(s->names);
    outgoing_free(s->outgoing);
    uv_close((uv_handle_t *)&s->term, NULL);
    uv_close((uv_handle_t *)&s->interrupt, NULL);
    uv_close((uv_handle_t *)&s->hangup, NULL);
    loop_free(s->loop);
}

bool server_run(const struct options *options, struct error *err) {
    struct server s = {.options = options, .loop = loop_new(), .err = err};
    ENSURE(sodium_init() >= 0);
    raise_descriptor_limit();
    catch_signals(&s);
    bool ok = in_pairs(options, err) && make_directory(options->data, err) && seal_key_open(&s.key, options->data, err) &&
              open_outgoing(&s, err) && proxies_parse(&s.proxies, &options->trusted_proxy, err);
    ok = ok && (s.store = store_open(s.loop, options->data, err)) && (s.tokens = tokens_open(s.store, options->data, err)) &&
         open_runs(&s, err) && open_listeners(&s, err) && runs_resume(s.runs, err);
    if (ok) {
        publish_next(&s);
        loop_run(s.loop); /* which a failure has told to end at once */
    }
    close_all(&s);
    sodium_memzero(&s.key, sizeof s.key);
    return ok && !s.failed;
}
