#include "telemetry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define BATCH_SECONDS 120

static void send_body(void *context, int64_t due);

// As the device does it: level 6, a window of 16 KiB.
static void compress_into(struct bytes *out, const struct bytes *in) {
    static z_stream stream;
    if (!stream.state && deflateInit2(&stream, 6, Z_DEFLATED, 14 + 16, 7, Z_DEFAULT_STRATEGY) != Z_OK)
        fail("zlib does not start");
    deflateReset(&stream);
    size_t room = deflateBound(&stream, in->size);
    if (!(out->data = realloc(out->data, room + 1))) fail("no memory");
    out->room = room + 1;
    stream.next_in = (Bytef *)in->data;
    stream.avail_in = (uInt)in->size;
    stream.next_out = (Bytef *)out->data;
    stream.avail_out = (uInt)room;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) fail("zlib does not compress");
    out->size = room - stream.avail_out;
}

// The batch's first line.
static void write_header(const struct device *device, struct bytes *text, const char *queue, uint64_t first,
                         uint64_t last, uint32_t checksum) {
    uint8_t digest[32];
    sha256(device->identity.public_key, sizeof device->identity.public_key, digest);
    bytes_print(text, "{\"spool\": \"");
    for (int i = 0; i < 16; i++) bytes_print(text, "%02x", digest[i]);
    bytes_print(text, "\", \"queue\": \"%s\", \"first\": %" PRIu64 ", \"last\": %" PRIu64, queue, first, last);
    if (first > 1) bytes_print(text, ", \"after\": \"%08x\"", checksum);
    bytes_print(text, ", \"sent_ms\": %lld}\n", (long long)wall_ms());
}

// Four workers with two values each, one value in a reading.
static void write_readings(struct device *device, struct bytes *text) {
    static const char *const workers[] = {"camera", "press", "climate", "gateway"}, *const names[] = {"fps", "load"};
    struct fleet *fleet = device->fleet;
    uint64_t first = device->last_reading + 1, last = device->last_reading + fleet->readings;
    write_header(device, text, "readings", first, last, device->reading_checksum);
    int64_t now = wall_ms(), up = monotonic_ns() / 1000000, span = fleet->interval ? fleet->interval / 1000000 : 1000;
    size_t begin = text->size;
    for (uint64_t number = first; number <= last; number++) {
        int64_t ago = (int64_t)(last - number) * span / (int64_t)fleet->readings;
        begin = text->size;
        bytes_print(text,
                    "{\"w\": \"%s\", \"t\": %" PRId64 ", \"b\": \"%s\", \"m\": %" PRId64
                    ", \"v\": {\"%s\": %ld.%02ld}}\n",
                    workers[number & 3], now - ago, fleet->boot, up - ago, names[number >> 2 & 1], random() % 100,
                    random() % 100);
    }
    device->reading_checksum = crc32c(text->data + begin, text->size - begin - 1);
    device->body_last = last;
    device->body_records = fleet->readings;
}

static void write_events(struct device *device, struct bytes *text) {
    struct fleet *fleet = device->fleet;
    uint64_t first = device->last_event + 1, last = device->last_event + device->executed_count;
    write_header(device, text, "events", first, last, device->event_checksum);
    size_t begin = text->size;
    for (size_t i = 0; i < device->executed_count; i++) {
        begin = text->size;
        bytes_print(text,
                    "{\"e\": \"command\", \"t\": %" PRId64 ", \"b\": \"%s\", \"m\": %" PRId64
                    ", \"id\": \"%s-0000-4000-8000-%012x\", \"state\": \"succeeded\", \"message\": \"\", "
                    "\"result\": null}\n",
                    wall_ms(), fleet->boot, monotonic_ns() / 1000000, fleet->run, device->executed[i]);
    }
    device->event_checksum = crc32c(text->data + begin, text->size - begin - 1);
    device->body_last = last;
    device->body_records = (uint32_t)device->executed_count;
    device->executed_count = 0;
}

static void retry_later(struct device *device, const struct answer *answer) {
    int64_t seconds = 1;
    const char *field = answer->status ? strcasestr(answer->head, "\r\nretry-after:") : NULL;
    if (field) seconds = atol(field + 14);
    loop_at(monotonic_ns() + seconds * SECOND + random() % SECOND, send_body, device);
}

static void batch_answered(void *context, const struct answer *answer) {
    struct device *device = context;
    struct fleet *fleet = device->fleet;
    int64_t now = monotonic_ns();
    if (answer->status != 200) {
        char type[64] = "";
        if (answer->status) {
            json_text(answer->body, "type", type, sizeof type);
            count_error("batch: status %d %s", answer->status, type);
        }
        return retry_later(device, answer);
    }
    double through = json_number(answer->body, "acknowledged", -1);
    if (through != (double)device->body_last) count_error("another number acknowledged than was sent");
    if (fleet->is_measured) {
        samples_add(device->is_events ? &fleet->reports : &fleet->batches, now - device->body_due);
        samples_add(&fleet->requests, now - device->body_due);
    }
    if (device->is_events) {
        device->last_event = device->body_last;
        fleet->reported += device->body_records;
    } else {
        device->last_reading = device->body_last;
        fleet->acknowledged += device->body_records;
    }
    bytes_free(&device->body);
    if (--fleet->in_flight == 0 && fleet->is_stopping) fleet->is_quiet = true;
    if (device->number >= fleet->kept) connection_close(&device->working);
    if (fleet->interval == 0 && !fleet->is_stopping) device->readings_due = now;
    device_send(device, now);
}

static void send_body(void *context, int64_t due) {
    (void)due;
    struct device *device = context;
    device_request(device, &device->working, "POST", "/api/v1/device/telemetry",
                   "Content-Type: application/x-ndjson\r\nContent-Encoding: gzip\r\n", &device->body, monotonic_ns(),
                   BATCH_SECONDS, batch_answered);
}

void device_send(struct device *device, int64_t due) {
    static struct bytes text;
    if (device->body.size || !(device->executed_count || device->readings_due)) return;
    text.size = 0;
    device->is_events = device->executed_count > 0;
    if (device->is_events) {
        device->body_due = due;
        write_events(device, &text);
    } else {
        device->body_due = device->readings_due;
        device->readings_due = 0;
        write_readings(device, &text);
    }
    compress_into(&device->body, &text);
    device->fleet->in_flight++;
    send_body(device, due);
}

void device_begin_readings(void *context, int64_t due) {
    struct device *device = context;
    struct fleet *fleet = device->fleet;
    if (fleet->is_stopping) return;
    if (device->readings_due) count_error("a batch was due before the last was sent");
    else device->readings_due = due;
    if (fleet->interval) loop_at(due + fleet->interval, device_begin_readings, device);
    device_send(device, due);
}
