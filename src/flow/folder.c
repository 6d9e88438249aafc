/* folder.c — see folder.h. */
#include "flow/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES 100

static const struct str subfolders[] = {{"flows/", 6}, {"examples/", 9}};

struct folder *folder_new(void) {
    return mem_alloc(sizeof(struct folder));
}

void folder_free(struct folder *f) {
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++) {
        free(f->files[i].path);
        free(f->files[i].text);
    }
    free(f->files);
    free(f);
}

/* ---- paths ---- */

static bool is_file_name(struct str s) {
    if (s.len < 1 || s.len > NAME_MAX_BYTES || s.ptr[0] == '.')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
            return false;
    }
    return str_ends(s, STR(".json")) || str_ends(s, STR(".ts")) || str_ends(s, STR(".md"));
}

static bool path_check(struct str path, struct error *err) {
    struct str name = path;
    for (size_t i = 0; i < ARRAY_LEN(subfolders); i++)
        if (str_starts(path, subfolders[i]))
            name = str_of(path.ptr + subfolders[i].len, path.len - subfolders[i].len);
    if (!is_file_name(name))
        return error_set(err, ERR_INVALID,
                         "`" STR_FMT
                         "` is no part of a workspace: it holds NAME, flows/NAME and examples/NAME that end with .json, .ts or .md, in "
                         "letters, digits, _, - and dots; move it elsewhere",
                         STR_ARG(path));
    return true;
}

bool folder_flow_id(const char *path, struct str *id) {
    struct str p = str_from(path);
    if (!str_starts(p, STR("flows/")) || !str_ends(p, STR(".json")))
        return false;
    *id = str_of(p.ptr + 6, p.len - 6 - 5);
    return true;
}

/* ---- files ---- */

/* Where path is, or would be. */
static size_t find_place(const struct folder *f, struct str path, bool *found) {
    size_t low = 0, high = f->count;
    *found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int c = str_compare(str_from(f->files[middle].path), path);
        if (c == 0)
            *found = true;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct folder_file *folder_find(const struct folder *f, struct str path) {
    bool found;
    size_t at = find_place(f, path, &found);
    return found ? &f->files[at] : NULL;
}

static void insert(struct folder *f, size_t at, struct folder_file file) {
    if (f->count == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 16;
        f->files = mem_realloc(f->files, f->cap * sizeof *f->files);
    }
    memmove(&f->files[at + 1], &f->files[at], (f->count - at) * sizeof *f->files);
    f->files[at] = file;
    f->count++;
}

bool folder_set(struct folder *f, struct str path, struct str text, struct error *err) {
    bool found;
    size_t at = find_place(f, path, &found), before = found ? f->files[at].len : 0;
    if (!path_check(path, err))
        return false;
    if (text.len > FOLDER_FILE_MAX)
        return error_set(err, ERR_TOO_LARGE, STR_FMT ": larger than %u bytes", STR_ARG(path), FOLDER_FILE_MAX);
    if (f->total - before + text.len > FOLDER_TOTAL_MAX)
        return error_set(err, ERR_TOO_LARGE, "the files of the workspace are larger than %u bytes together", FOLDER_TOTAL_MAX);
    if (!found && f->count == FOLDER_FILES_MAX)
        return error_set(err, ERR_TOO_LARGE, "the workspace has more than %d files", FOLDER_FILES_MAX);
    if (!str_is_utf8(text) || (text.len && memchr(text.ptr, 0, text.len)))
        return error_set(err, ERR_INVALID, STR_FMT ": this is no UTF-8 text: save it as UTF-8", STR_ARG(path));
    if (!found)
        insert(f, at, (struct folder_file){.path = str_dup(path)});
    free(f->files[at].text);
    f->files[at].text = str_dup(text);
    f->files[at].len = text.len;
    f->total += text.len - before;
    return true;
}

void folder_remove(struct folder *f, struct str path) {
    bool found;
    size_t at = find_place(f, path, &found);
    if (!found)
        return;
    f->total -= f->files[at].len;
    free(f->files[at].path);
    free(f->files[at].text);
    memmove(&f->files[at], &f->files[at + 1], (--f->count - at) * sizeof *f->files);
}

struct folder *folder_copy(const struct folder *f) {
    struct folder *copy = folder_new();
    for (size_t i = 0; i < f->count; i++)
        insert(copy, i,
               (struct folder_file){str_dup(str_from(f->files[i].path)), str_dup(folder_text(&f->files[i])), f->files[i].len});
    copy->total = f->total;
    return copy;
}

/* ---- JSON ---- */

json_t *folder_to_json(const struct folder *f) {
    json_t *files = json_object();
    for (size_t i = 0; i < f->count; i++)
        json_object_set_new(files, f->files[i].path, jsonx_from_str(folder_text(&f->files[i])));
    return files;
}

bool folder_from_json(struct folder *f, const json_t *files, struct error *err) {
    const char *path;
    json_t *text;
    if (!json_is_object(files))
        return error_set(err, ERR_INVALID, "the files of a workspace must be an object {\"PATH\": \"TEXT\"}");
    json_object_foreach((json_t *)(uintptr_t)files, path, text) {
        if (!json_is_string(text))
            return error_set(err, ERR_INVALID, "%.200s: the text of a file must be a string", path);
        if (!folder_set(f, str_from(path), jsonx_string_value(text), err))
            return false;
    }
    return true;
}

/* ---- disk ---- */

static bool read_text(int fd, const char *path, struct buf *text, struct error *err) {
    struct stat st;
    char part[16384];
    ssize_t n;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return error_set(err, ERR_INVALID, "%s: this is no ordinary file: move it elsewhere", path);
    while ((n = read(fd, part, sizeof part)) > 0)
        if (!buf_add(text, str_of(part, (size_t)n)))
            return error_set(err, ERR_TOO_LARGE, "%s: larger than %u bytes", path, FOLDER_FILE_MAX);
    return n == 0 || error_errno(err, path);
}

static bool read_file(struct folder *f, int dir, const char *name, const char *path, struct error *err) {
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ELOOP ? error_set(err, ERR_INVALID, "%s: this is a link: put the file itself there", path)
                              : error_errno(err, path);
    struct buf text;
    buf_init(&text, FOLDER_FILE_MAX);
    bool ok = read_text(fd, path, &text, err) && folder_set(f, str_from(path), buf_str(&text), err);
    close(fd);
    buf_release(&text);
    return ok;
}

static bool read_dir(struct folder *f, int parent, const char *name, const char *prefix, struct error *err);

static bool read_entry(struct folder *f, int dir, const char *name, const char *prefix, struct error *err) {
    char path[300];
    struct stat st;
    snprintf(path, sizeof path, "%s%s", prefix, name);
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return error_errno(err, path);
    for (size_t i = 0; S_ISDIR(st.st_mode) && !prefix[0] && i < ARRAY_LEN(subfolders); i++)
        if (str_eq(str_from(name), str_of(subfolders[i].ptr, subfolders[i].len - 1)))
            return read_dir(f, dir, name, subfolders[i].ptr, err);
    if (S_ISDIR(st.st_mode))
        return error_set(err, ERR_INVALID, "%s: a workspace has no folders but flows and examples: move it elsewhere", path);
    return read_file(f, dir, name, path, err);
}

static bool read_dir(struct folder *f, int parent, const char *name, const char *prefix, struct error *err) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (prefix[0] ? O_NOFOLLOW : 0));
    if (fd < 0)
        return error_errno(err, name);
    DIR *dir = fdopendir(fd);
    struct dirent *entry;
    bool ok = true;
    while (ok && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            ok = read_entry(f, fd, entry->d_name, prefix, err);
    closedir(dir);
    return ok;
}

bool folder_read(struct folder *f, const char *dir, struct error *err) {
    if (!read_dir(f, AT_FDCWD, dir, "", err))
        return false;
    if (!folder_find(f, STR("workspace.json")))
        return error_set(err, ERR_NOT_FOUND, "%s: there is no workspace.json in it: name the folder of a workspace", dir);
    return true;
}

static bool make_dir(const char *path, struct error *err) {
    return mkdir(path, 0777) == 0 || errno == EEXIST || error_errno(err, path);
}

/* What the folder no longer has of its subfolder. */
static bool delete_others(const struct folder *f, const char *dir, struct str subfolder, struct error *err) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, subfolder.ptr);
    DIR *flows = opendir(path);
    struct dirent *entry;
    bool ok = true;
    if (!flows)
        return errno == ENOENT || error_errno(err, path);
    while (ok && (entry = readdir(flows))) {
        struct str name = str_from(entry->d_name);
        char own[300];
        snprintf(own, sizeof own, "%s%s", subfolder.ptr, entry->d_name);
        if (is_file_name(name) && !str_ends(name, STR(".md")) && !folder_find(f, str_from(own)))
            ok = unlinkat(dirfd(flows), entry->d_name, 0) == 0 || error_errno(err, own);
    }
    closedir(flows);
    return ok;
}

/* Where a file is to be put into it. */
static bool make_subfolder(const struct folder *f, const char *dir, struct str subfolder, struct error *err) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, subfolder.ptr);
    for (size_t i = 0; i < f->count; i++)
        if (str_starts(str_from(f->files[i].path), subfolder))
            return make_dir(path, err);
    return true;
}

static bool write_one(const struct folder_file *file, const char *dir, struct error *err) {
    char path[4096];
    struct buf now;
    struct error ignored;
    buf_init(&now, FOLDER_FILE_MAX);
    snprintf(path, sizeof path, "%s/%s", dir, file->path);
    bool same = file_read(path, &now, &ignored) && str_eq(buf_str(&now), folder_text(file));
    bool ok = same || file_write(path, folder_text(file), 0644, err);
    buf_release(&now);
    return ok;
}

bool folder_write(const struct folder *f, const char *dir, struct error *err) {
    if (strlen(dir) > 3500)
        return error_set(err, ERR_INVALID, "the folder's path is too long");
    if (!make_dir(dir, err))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(subfolders); i++)
        if (!make_subfolder(f, dir, subfolders[i], err))
            return false;
    for (size_t i = 0; i < f->count; i++)
        if (!write_one(&f->files[i], dir, err))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(subfolders); i++)
        if (!delete_others(f, dir, subfolders[i], err))
            return false;
    return true;
}
