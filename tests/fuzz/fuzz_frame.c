/* Frames from any bytes, in pieces of any size: refused, or legal ones, and what is written of these reads back the same.
 * The first byte says which side reads, the second how large the pieces are. */
#include "js/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct frame *frame, bool to_worker) {
    struct buf out;
    struct str rest = frame->payload, section;
    struct frame_reader in;
    struct frame again;
    struct error err;
    buf_init(&out, 2 * FRAME_JOINED_MAX);
    frame_reader_init(&in, to_worker);
    struct frame_writer w = frame_begin(&out, frame->kind, frame->run);
    while (frame_take_section(&rest, &section))
        frame_section(&w, section);
    ENSURE(frame_end(&w));
    if (out.len < FRAME_PART_MAX) {
        ENSURE(frame_reader_feed(&in, buf_str(&out), &err));
        ENSURE(frame_reader_next(&in, &again, &err) == 1);
        ENSURE(again.kind == frame->kind && again.run == frame->run);
        ENSURE(str_eq(again.payload, str_of(frame->payload.ptr, frame->payload.len - rest.len)));
        ENSURE(frame_reader_next(&in, &again, &err) == 0);
    }
    frame_reader_release(&in);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    bool to_worker = data[0] & 1;
    size_t step = data[1] + 1u;
    struct frame_reader in;
    struct frame frame;
    struct error err;
    int got = 0;
    frame_reader_init(&in, to_worker);
    for (size_t at = 2; at < size && got >= 0; at += step) {
        ENSURE(frame_reader_feed(&in, str_of(data + at, size - at < step ? size - at : step), &err));
        while ((got = frame_reader_next(&in, &frame, &err)) > 0) {
            ENSURE(frame.run <= FRAME_RUN_MAX && frame.payload.len <= FRAME_JOINED_MAX);
            ENSURE(to_worker ? frame.kind < FRAME_READY : frame.kind >= FRAME_READY);
            write_again(&frame, to_worker);
        }
        ENSURE(in.parts.count <= FRAME_OPEN_MAX && in.open_bytes <= FRAME_OPEN_BYTES_MAX);
    }
    frame_reader_release(&in);
    return 0;
}
