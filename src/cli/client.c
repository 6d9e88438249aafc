/* client.c — see client.h. */
#include "cli/client.h"

#include <curl/curl.h>
#include <stdarg.h>

#include "cli/progress.h"

struct only_client {
    struct client_options client;
};
const struct arg client_args[CLIENT_ARG_COUNT] = {CLIENT_ARGS(struct only_client)};

#define ANSWER_MAX ((size_t)256 * 1024 * 1024)
#define REQUEST_MAX ((size_t)64 * 1024 * 1024)
#define SMALL_FILE_MAX 4096
#define ASK_TIMEOUT_S 3700L /* `run` waits for the end, and a run may take an hour */

/* A file of one line; NULL when it is not there. */
static const char *read_line(struct arena *arena, const char *path, struct error *err) {
    struct buf text;
    buf_init(&text, SMALL_FILE_MAX);
    const char *line = NULL;
    if (file_read(path, &text, err)) {
        struct str rest = buf_str(&text), first;
        str_cut(&rest, '\n', &first);
        line = arena_strdup(arena, str_trim(first));
    }
    buf_release(&text);
    return line;
}

static bool find_token(struct client *k, struct error *err) {
    const char *token = getenv("FLOWLET_TOKEN");
    const char *path = k->options->token_file;
    if (!path && token && token[0]) {
        k->token = token;
        return true;
    }
    if (!path)
        path = arena_printf(k->arena, "%s/token", k->options->data);
    k->token = read_line(k->arena, path, err);
    if (k->token)
        return true;
    if (err->code == ERR_NOT_FOUND)
        error_set(err, ERR_UNAUTHORIZED,
                  "there is no token in %s: name the server's data by --data DIR, or the token's file by --token-file", path);
    return false;
}

bool client_open(struct client *k, struct cli *c, const struct client_options *options, struct error *err) {
    *k = (struct client){.options = options, .arena = &c->arena, .workspace = options->workspace ? options->workspace : ""};
    const char *server = options->server;
    if (!server)
        server = read_line(k->arena, arena_printf(k->arena, "%s/console", options->data), err);
    if (!server || !server[0])
        server = "http://127.0.0.1:8081";
    struct str trimmed = str_from(server);
    while (str_ends(trimmed, STR("/")))
        trimmed.len--;
    k->server = arena_strdup(k->arena, trimmed);
    return find_token(k, err);
}

const char *client_encode(struct client *k, struct str text) {
    struct buf out;
    buf_init(&out, text.len * 3 + 1);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
        buf_addf(&out, plain ? "%c" : "%%%02X", plain ? c : (uint8_t)c);
    }
    const char *encoded = arena_strdup(k->arena, buf_str(&out));
    buf_release(&out);
    return encoded;
}

/* ---- one request ---- */

static size_t collect(char *bytes, size_t size, size_t n, void *out) { return buf_add(out, str_of(bytes, size * n)) ? n : 0; }

/* Called about once a second. */
static int on_progress(void *arg, curl_off_t answer_all, curl_off_t answer_now, curl_off_t all, curl_off_t now) {
    (void)arg;
    (void)all;
    (void)now;
    progress_show("waiting for the server", answer_now, answer_all);
    return 0;
}

static bool send_request(struct client *k, const char *method, const char *path, struct str body, struct buf *answer,
                         struct error *err) {
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = NULL;
    ENSURE(curl);
    headers = curl_slist_append(headers, arena_printf(k->arena, "Authorization: Bearer %s", k->token));
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(curl, CURLOPT_URL, arena_printf(k->arena, "%s%s", k->server, path));
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, ASK_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    if (body.ptr) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.ptr);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    }
    progress_begin();
    CURLcode code = curl_easy_perform(curl);
    progress_end();
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    k->status = (int)status;
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (code == CURLE_OK)
        return true;
    return error_set(
        err, ERR_CONNECT_FAILED,
        "no answer from the server at %s (%s): is it running? Start it with `flowlet serve`, or name it by --server URL",
        k->server, curl_easy_strerror(code));
}

/* RFC 9457, with `code` of base/errors.def. */
static bool problem(const struct client *k, const json_t *answer, struct error *err) {
    struct str code = jsonx_str(answer, "code"), detail = jsonx_str(answer, "detail");
    if (k->status == 401)
        return error_set(
            err, ERR_UNAUTHORIZED,
            "the server at %s does not know this token: name its data by --data DIR, or the token's file by --token-file",
            k->server);
    if (!code.ptr)
        return error_set(err, ERR_PROTOCOL, "%s answers %d and is no Flowlet console: name the console listener by --server URL",
                         k->server, k->status);
    char *name = str_dup(code);
    error_set(err, error_from_name(name), STR_FMT, STR_ARG(detail));
    free(name);
    return false;
}

json_t *client_ask(struct client *k, const char *method, const char *path, json_t *body, json_t **refused, struct error *err) {
    struct buf text, answer;
    json_t *value = NULL;
    buf_init(&text, REQUEST_MAX);
    buf_init(&answer, ANSWER_MAX);
    if (body && !jsonx_write(body, &text)) {
        error_set(err, ERR_TOO_LARGE, "the request is larger than %zu MB", REQUEST_MAX >> 20);
        goto out;
    }
    if (!send_request(k, method, path, body ? buf_str(&text) : (struct str){NULL, 0}, &answer, err))
        goto out;
    struct error no_json;
    value = answer.len ? jsonx_parse(buf_str(&answer), &no_json) : json_object();
    if (k->status >= 200 && k->status < 300 && value)
        goto out;
    problem(k, value, err);
    if (refused && value)
        *refused = json_incref(value);
    json_decref(value);
    value = NULL;
out:
    json_decref(body);
    buf_release(&text);
    buf_release(&answer);
    return value;
}

/* ---- the workspace ---- */

static bool find_workspace(struct client *k, struct error *err) {
    if (k->workspace[0])
        return true;
    json_t *answer = client_ask(k, "GET", "/api/v1/workspaces", NULL, NULL, err);
    if (!answer)
        return false;
    const json_t *list = json_object_get(answer, "workspaces");
    if (json_array_size(list) == 1)
        k->workspace = arena_strdup(k->arena, jsonx_str(json_array_get(list, 0), "name"));
    else
        error_set(err, ERR_INVALID,
                  json_array_size(list) ? "the server has several workspaces: say which by --workspace NAME"
                                        : "the server has no workspace yet: `flowlet push DIR` publishes one");
    json_decref(answer);
    return k->workspace[0];
}

const char *client_path(struct client *k, struct error *err, const char *format, ...) {
    if (!find_workspace(k, err))
        return NULL;
    va_list args;
    char rest[1024];
    va_start(args, format);
    vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    return arena_printf(k->arena, "/api/v1/workspaces/%s%s", client_encode(k, str_from(k->workspace)), rest);
}
