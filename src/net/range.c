/* range.c — see range.h. */
#include "net/range.h"

#include <arpa/inet.h>

void range_map_v4(const void *v4, uint8_t out[16]) {
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    memcpy(out + 12, v4, 4);
}

bool range_parse(const char *text, struct range *out) {
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    int64_t bits = -1;
    uint8_t v4[4];
    if (len >= sizeof address || (slash && (!str_to_int64(str_from(slash + 1), &bits) || bits < 0)))
        return false;
    memcpy(address, text, len);
    address[len] = 0;
    bool four = inet_pton(AF_INET, address, v4) == 1;
    if (four)
        range_map_v4(v4, out->net);
    else if (inet_pton(AF_INET6, address, out->net) != 1)
        return false;
    int64_t most = four ? 32 : 128;
    if (bits > most)
        return false;
    out->bits = (unsigned)(bits < 0 ? 128 : bits + 128 - most);
    return true;
}

bool range_has(const struct range *r, const uint8_t a[16]) {
    unsigned whole = r->bits / 8, rest = r->bits % 8;
    if (memcmp(r->net, a, whole) != 0)
        return false;
    return rest == 0 || ((r->net[whole] ^ a[whole]) >> (8 - rest)) == 0;
}
