/* write_api FILE — writes the operations in docs/api.md anew after a row has changed: `make docs`. */
#include "api/route.h"

int main(int argc, char **argv) {
    struct buf before, after;
    struct error err;
    ENSURE(argc == 2);
    buf_init(&before, 1 << 22);
    buf_init(&after, 1 << 22);
    ENSURE(file_read(argv[1], &before, &err));
    size_t begin = str_find(buf_str(&before), STR(API_REFERENCE_BEGIN)), end = str_find(buf_str(&before), STR(API_REFERENCE_END));
    ENSURE(begin < end && end < before.len);
    buf_add(&after, str_of(before.ptr, begin + strlen(API_REFERENCE_BEGIN)));
    api_reference(&after);
    buf_add(&after, str_of(before.ptr + end, before.len - end));
    ENSURE(buf_ok(&after) && file_write(argv[1], buf_str(&after), 0644, &err));
    buf_release(&before);
    buf_release(&after);
    return 0;
}
