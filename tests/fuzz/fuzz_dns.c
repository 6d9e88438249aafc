/* DNS answers of any bytes: refused, or records that all have a name, a type, a time to live and data. */
#include "net/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct names_answer answer = {0};
    struct error err;
    if (!names_parse(str_of(data, size), &answer, &err)) {
        ENSURE(!answer.records && err.code == ERR_PROTOCOL);
        return 0;
    }
    json_t *record;
    size_t i;
    ENSURE(answer.rcode && json_array_size(answer.records) <= NAMES_RECORDS_MAX);
    json_array_foreach(answer.records, i, record) {
        ENSURE(json_is_string(json_object_get(record, "name")) && json_object_size(record) >= 4);
        ENSURE(jsonx_int(record, "ttl", -1) >= 0 && names_type_number(jsonx_str(record, "type")) > 0);
    }
    json_decref(answer.records);
    return 0;
}
