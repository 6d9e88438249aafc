/* JSON of any bytes: what our reader takes, jansson's takes as well, and it means the same; what is written reads back. */
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error err;
    struct buf out, other;
    json_t *value = jsonx_parse(str_of(data, size), &err);
    json_t *same = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!value) {
        ENSURE(!same || strstr(err.text, "deeper"));
        json_decref(same);
        return 0;
    }
    buf_init(&out, 1 << 20);
    buf_init(&other, 1 << 20);
    ENSURE(same && json_equal(value, same));
    ENSURE(jsonx_write(value, &out) && jsonx_write(same, &other) && str_eq(buf_str(&out), buf_str(&other)));
    json_t *again = jsonx_parse(buf_str(&out), &err);
    ENSURE(again && json_equal(again, value));
    json_decref(again);
    json_decref(same);
    json_decref(value);
    buf_release(&out);
    buf_release(&other);
    return 0;
}
