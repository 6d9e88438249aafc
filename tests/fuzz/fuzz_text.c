/* UTF-8 and UTF-16 from any bytes: what is well-formed comes back as it was, the rest becomes well-formed, and decoding never
 * makes more units than there were bytes. */
#include "worker/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str in = str_of(data, size);
    uint16_t *units = mem_alloc((size + 1) * sizeof *units);
    char *bytes = mem_alloc(3 * size + 1);
    bool well_formed;
    size_t n = text_to_utf16(in, units, &well_formed), m = text_to_utf8(units, n, bytes);
    ENSURE(n <= size && m == text_utf8_size(units, n) && str_is_utf8(str_of(bytes, m)));
    ENSURE(well_formed == str_is_utf8(in));
    ENSURE(!well_formed || str_eq(in, str_of(bytes, m)));
    n = size / 2; /* the same bytes as units, surrogates without their other half among them */
    if (n)
        memcpy(units, data, n * 2);
    m = text_to_utf8(units, n, bytes);
    ENSURE(m <= 3 * n && m == text_utf8_size(units, n) && str_is_utf8(str_of(bytes, m)));
    free(units);
    free(bytes);
    return 0;
}
