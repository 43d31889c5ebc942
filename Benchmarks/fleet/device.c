#include "device.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry.h"

#define API "/api/v1"
#define ANSWER_SECONDS 60
#define POLL_GRACE_SECONDS 30
// Central lets an unknown address in 60 times at once. A fleet does not come from one address.
#define DEVICES_OF_ADDRESS 50
#define FIRST_SOURCE 0x7f010001u // 127.1.0.1
#define RETRY_MS 2000

static void ask_for_commands(struct device *device);
static void send_heartbeat(void *context, int64_t due);

void fleet_prepare(struct fleet *fleet) {
    if (!(fleet->devices = calloc(fleet->count, sizeof *fleet->devices))) fail("no memory");
    const struct sockaddr_in *address = (const struct sockaddr_in *)&fleet->endpoint.address;
    bool is_loopback = address->sin_family == AF_INET && ntohl(address->sin_addr.s_addr) >> 24 == 127;
    for (uint32_t i = 0; i < fleet->count; i++) {
        struct device *device = &fleet->devices[i];
        device->fleet = fleet;
        device->number = i;
        identity_make(&device->identity);
        uint32_t source = is_loopback ? FIRST_SOURCE + i / DEVICES_OF_ADDRESS : 0;
        connection_prepare(&device->waiting, &fleet->endpoint, source, &device->session);
        connection_prepare(&device->working, &fleet->endpoint, source, &device->session);
    }
}

void device_request(struct device *device, struct connection *connection, const char *method, const char *target,
                    const char *fields, const struct bytes *content, int64_t due, int64_t seconds, answered *answered) {
    const struct endpoint *endpoint = &device->fleet->endpoint;
    struct bytes request = {0};
    bytes_print(&request, "%s %s HTTP/1.1\r\nHost: %s:%s\r\nAccept: application/json\r\n%s", method, target,
                endpoint->host, endpoint->port, fields);
    if (device->fleet->is_plain)
        bytes_print(&request, "X-Forwarded-For: 10.1.%u.%u\r\n", device->number / DEVICES_OF_ADDRESS >> 8,
                    device->number / DEVICES_OF_ADDRESS & 255);
    identity_sign(&device->identity, method, target, content, &request);
    if (content) bytes_print(&request, "Content-Length: %zu\r\n", content->size);
    bytes_add(&request, "\r\n", 2);
    if (content) bytes_add(&request, content->data, content->size);
    connection_request(connection, &request, due, seconds, answered, device);
}

// Whether the answer has this status. Anything else is counted as an error.
static bool is_expected(struct device *device, const struct answer *answer, int status) {
    if (answer->status == status) {
        device->failures = 0;
        return true;
    }
    char type[64] = "";
    if (answer->status) {
        json_text(answer->body, "type", type, sizeof type);
        count_error("status %d %s", answer->status, type);
    }
    device->failures++;
    return false;
}

// Some time within the next seconds, later after each failure.
static int64_t later(const struct device *device) {
    int64_t most = (int64_t)RETRY_MS << (device->failures < 6 ? device->failures : 6);
    return monotonic_ns() + (500 + random() % most) * 1000000;
}

// MARK: Enrolment and heartbeat

static void enrolled(void *context, const struct answer *answer) {
    struct device *device = context;
    struct fleet *fleet = device->fleet;
    if (!is_expected(device, answer, 200) ||
        !json_text(answer->body, "device", device->identity.id, sizeof device->identity.id)) {
        loop_at(later(device), device_start, device);
        return;
    }
    samples_add(&fleet->enrolments, answer->took);
    send_heartbeat(device, monotonic_ns());
}

void device_start(void *context, int64_t due) {
    struct device *device = context;
    struct bytes content = {0};
    char key[48];
    base64_write(true, device->identity.public_key, sizeof device->identity.public_key, key);
    bytes_print(&content,
                "{\"secret\": \"%s\", \"public_key\": \"%s\", \"name\": \"load-%u\", "
                "\"facts\": {\"architecture\": \"x86_64\", \"kernel\": \"6.1.0\", \"model\": \"simulated\"}}",
                device->fleet->secret, key, device->number);
    device_request(device, &device->waiting, "POST", API "/enrol", "Content-Type: application/json\r\n", &content, due,
                   ANSWER_SECONDS, enrolled);
    bytes_free(&content);
}

static void heartbeat_answered(void *context, const struct answer *answer) {
    struct device *device = context;
    struct fleet *fleet = device->fleet;
    if (!is_expected(device, answer, 200)) {
        loop_at(later(device), send_heartbeat, device);
        return;
    }
    samples_add(&fleet->heartbeats, answer->took);
    if (++fleet->enrolled == fleet->count) fleet->all_are_enrolled = true;
    if (fleet->poll_seconds == 0) return;
    fleet->poll_seconds = (int64_t)json_number(answer->body, "poll_s", 900);
    ask_for_commands(device);
}

void heartbeat_write(const struct device *device, struct bytes *content) {
    bytes_print(content,
                "{\"boot\": \"%s\", \"up_s\": %.1f, \"now_ms\": %lld, \"version\": \"0.1.0\", "
                "\"facts\": {\"architecture\": \"x86_64\", \"kernel\": \"6.1.0\", \"model\": \"simulated\"}, "
                "\"labels\": {\"load\": \"%s\"}, \"forked\": false, "
                "\"state\": {\"level\": \"normal\", \"workers\": {\"ready\": 4}}, \"spools\": {}}",
                device->fleet->boot, (double)monotonic_ns() / 1e9, (long long)wall_ms(), device->fleet->run);
}

static void send_heartbeat(void *context, int64_t due) {
    struct device *device = context;
    struct bytes content = {0};
    heartbeat_write(device, &content);
    device_request(device, &device->waiting, "POST", API "/device/heartbeat", "Content-Type: application/json\r\n",
                   &content, due, ANSWER_SECONDS, heartbeat_answered);
    bytes_free(&content);
}

// MARK: Commands

static void ask_again(void *context, int64_t due) {
    (void)due;
    ask_for_commands(context);
}

// Commands stand in the order of their numbers, each with its id before its sequence or behind it.
static void take_commands(struct device *device, const char *body) {
    struct fleet *fleet = device->fleet;
    for (const char *place = body; (place = json_member(place, "id"));) {
        const char *id = place + 1; // behind the quotation mark
        uint32_t number;
        // Of another run there are none: its devices have other ids.
        if (strncmp(id, fleet->run, 8) == 0 && strcspn(id, "\"") == 36 && sscanf(id + 24, "%12" SCNx32, &number) == 1) {
            device->executed = realloc(device->executed, (device->executed_count + 1) * sizeof *device->executed);
            if (!device->executed) fail("no memory");
            device->executed[device->executed_count++] = number;
            fleet->on_command(number);
        } else {
            count_error("an unknown command");
        }
    }
    for (const char *place = body; (place = json_member(place, "sequence"));) {
        uint64_t sequence = strtoull(place, NULL, 10);
        if (sequence > device->highest_command) device->highest_command = sequence;
        else count_error("a command again");
    }
}

static void commands_came(void *context, const struct answer *answer) {
    struct device *device = context;
    struct fleet *fleet = device->fleet;
    if (device->is_waiting) fleet->waiting--;
    device->is_waiting = false;
    if (answer->status != 204 && !is_expected(device, answer, 200)) {
        loop_at(later(device), ask_again, device);
        return;
    }
    int64_t now = monotonic_ns();
    if (answer->status == 200) take_commands(device, answer->body);
    ask_for_commands(device);
    if (answer->status == 200) device_send(device, now);
}

static void ask_for_commands(struct device *device) {
    struct fleet *fleet = device->fleet;
    char target[96];
    if (fleet->is_stopping) return;
    snprintf(target, sizeof target, API "/device/commands?after=%" PRIu64 "&wait=%" PRId64, device->highest_command,
             fleet->poll_seconds);
    device->is_waiting = true;
    if (++fleet->waiting == fleet->count) fleet->all_are_waiting = true;
    device_request(device, &device->waiting, "GET", target, "", NULL, monotonic_ns(),
                   fleet->poll_seconds + POLL_GRACE_SECONDS, commands_came);
}
