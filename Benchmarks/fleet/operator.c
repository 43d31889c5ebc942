#include "operator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// So many commands may be under way at once; those beyond are not made, and counted.
#define CONNECTIONS 32
#define ANSWER_SECONDS 120

static struct operator_part *part; // the only one
static struct {
    struct connection connection;
    uint32_t number;
} creators[CONNECTIONS];
static struct connection reader;
static int64_t *created_at; // by the command's number; 0 when its device has it

static void make_command(void *context, int64_t due);

static void on_command(uint32_t number) {
    if (number >= part->created) return count_error("an unknown command");
    if (!created_at[number]) {
        part->twice++;
        return;
    }
    samples_add(&part->deliveries, monotonic_ns() - created_at[number]);
    created_at[number] = 0;
    part->delivered++;
}

void operator_prepare(struct operator_part *the_part) {
    part = the_part;
    part->fleet->on_command = on_command;
    for (int i = 0; i < CONNECTIONS; i++) connection_prepare(&creators[i].connection, &part->fleet->endpoint, 0, NULL);
    connection_prepare(&reader, &part->fleet->endpoint, 0, NULL);
}

static void begin_request(struct bytes *request, const char *method, const char *target) {
    bytes_print(request, "%s %s HTTP/1.1\r\nHost: %s:%s\r\nAuthorization: Bearer %s\r\n", method, target,
                part->fleet->endpoint.host, part->fleet->endpoint.port, part->bearer);
}

// MARK: Commands

void operator_begin_commands(struct operator_part *the_part) {
    if (the_part->commands_per_second > 0) make_command(the_part, monotonic_ns());
}

static void created(void *context, const struct answer *answer) {
    (void)context;
    if (answer->status == 201) {
        samples_add(&part->creations, answer->took);
        if (part->fleet->is_measured) samples_add(&part->fleet->requests, answer->took);
        return;
    }
    part->refused++;
    if (answer->status) count_error("command: status %d", answer->status);
}

static void make_command(void *context, int64_t due) {
    (void)context;
    if (part->commands_per_second <= 0) return;
    loop_at(due + (int64_t)(1e9 / part->commands_per_second), make_command, NULL);
    int place = 0;
    while (place < CONNECTIONS && !connection_is_free(&creators[place].connection)) place++;
    if (place == CONNECTIONS) {
        part->skipped++;
        return;
    }
    uint32_t number = part->created++;
    if (!(created_at = realloc(created_at, part->created * sizeof *created_at))) fail("no memory");
    const struct device *device = &part->fleet->devices[(uint32_t)random() % part->fleet->count];
    struct bytes content = {0}, request = {0};
    bytes_print(&content,
                "{\"id\": \"%s-0000-4000-8000-%012x\", \"kind\": \"runtime.health\", \"payload\": {}, \"devices\": "
                "[\"%s\"], \"expires_in_s\": 600}",
                part->fleet->run, number, device->identity.id);
    begin_request(&request, "POST", "/api/v1/commands");
    bytes_print(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", content.size,
                content.data);
    bytes_free(&content);
    created_at[number] = monotonic_ns();
    connection_request(&creators[place].connection, &request, created_at[number], ANSWER_SECONDS, created, NULL);
}

// MARK: Checks

struct reading {
    struct bytes body;
    int status;
    bool is_done;
};

static void was_read(void *context, const struct answer *answer) {
    struct reading *reading = context;
    reading->status = answer->status;
    reading->body.size = 0;
    bytes_add(&reading->body, answer->status ? answer->body : "", answer->body_size);
    reading->is_done = true;
}

// Asks once in a while only: an operator may not ask more than 50 times a second.
static bool ask(struct reading *reading, const char *target) {
    struct bytes request = {0};
    bool never = false;
    loop_until(&never, monotonic_ns() + SECOND / 40);
    begin_request(&request, "GET", target);
    bytes_print(&request, "\r\n");
    reading->is_done = false;
    connection_request(&reader, &request, monotonic_ns(), ANSWER_SECONDS, was_read, reading);
    loop_until(&reading->is_done, monotonic_ns() + (ANSWER_SECONDS + 1) * SECOND);
    if (reading->status != 200) count_error("an operator's GET: status %d", reading->status);
    return reading->status == 200;
}

double operator_metric(struct operator_part *the_part, const char *name) {
    (void)the_part;
    struct reading reading = {0};
    double value = -1;
    size_t size = strlen(name);
    if (ask(&reading, "/metrics"))
        for (const char *line = reading.body.data; line; line = strchr(line, '\n')) {
            line += *line == '\n';
            const char *found = strstr(line, name), *end = strchr(line, '\n');
            if (*line == '#' || !found || !end || found > end || found[size] != ' ') continue;
            value = strtod(found + size, NULL);
        }
    bytes_free(&reading.body);
    return value;
}

static uint32_t occurrences(const char *text, const char *what) {
    uint32_t count = 0;
    for (; (text = strstr(text, what)); text++) count++;
    return count;
}

// Readings of the device that central can show: the last of the five numbers of each step of a minute, summed up.
static uint64_t stored_readings(const struct device *device, struct reading *reading, int64_t began_ms) {
    char target[256];
    uint64_t count = 0;
    snprintf(target, sizeof target, "/api/v1/devices/%s/telemetry?from=%lld&to=%lld&step_ms=60000&limit=100000",
             device->identity.id, (long long)began_ms - 3600000, (long long)wall_ms() + 60000);
    if (!ask(reading, target)) return 0;
    for (char *end = strchr(reading->body.data, ']'); end; end = strchr(end + 1, ']')) {
        const char *number = end;
        while (number > reading->body.data && number[-1] >= '0' && number[-1] <= '9') number--;
        if (number < end) count += strtoull(number, NULL, 10);
    }
    return count;
}

// Of this run, as central has it.
static uint32_t commands_succeeded(struct reading *reading) {
    char target[128] = "/api/v1/commands?limit=1000", next[64];
    uint32_t count = 0;
    while (ask(reading, target)) {
        for (const char *id = reading->body.data; (id = json_member(id, "id"));) {
            const char *counts = strncmp(id + 1, part->fleet->run, 8) ? NULL : json_member(id, "counts");
            if (counts && strncmp(counts, "{\"succeeded\":1}", 15) == 0) count++;
        }
        if (!json_text(reading->body.data, "next", next, sizeof next)) break;
        snprintf(target, sizeof target, "/api/v1/commands?limit=1000&before=%s", next);
    }
    return count;
}

void operator_check(struct operator_part *the_part, struct bytes *json, uint32_t devices, int64_t began_ms,
                    double records_before) {
    struct fleet *fleet = the_part->fleet;
    struct reading reading = {0};
    char target[128];
    double records = operator_metric(the_part, "records_total") - records_before;
    uint64_t missing = 0;
    uint32_t with_gaps = 0, forked = 0, count = devices < fleet->count ? devices : fleet->count;
    for (uint32_t i = 0; i < count; i++) {
        const struct device *device = &fleet->devices[(uint64_t)i * fleet->count / count];
        uint64_t stored = stored_readings(device, &reading, began_ms);
        missing += stored > device->last_reading ? stored - device->last_reading : device->last_reading - stored;
        snprintf(target, sizeof target, "/api/v1/devices/%s/gaps", device->identity.id);
        if (!ask(&reading, target) || !strstr(reading.body.data, "\"gaps\":[]")) with_gaps++;
    }
    if (ask(&reading, "/api/v1/devices?forked=true")) forked = occurrences(reading.body.data, "\"forked\":true");
    bytes_print(json,
                "\"checks\": {\"acknowledged\": %llu, \"reported\": %llu, \"stored\": %.0f, \"devices_looked_at\": %u, "
                "\"readings_wrong\": %llu, \"devices_with_gaps\": %u, \"devices_forked\": %u",
                (unsigned long long)fleet->acknowledged, (unsigned long long)fleet->reported, records, count,
                (unsigned long long)missing, with_gaps, forked);
    if (the_part->created) bytes_print(json, ", \"commands_succeeded\": %u", commands_succeeded(&reading));
    bytes_print(json, "}, ");
    bytes_free(&reading.body);
}
