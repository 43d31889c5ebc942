#include "poll.h"

#include <stdio.h>
#include <string.h>

#include "telemetry.h"

#define ANSWER_SECONDS 60

static struct poll_load *load; // the only one

static void ask(struct device *device, int64_t due);

static void ask_again(void *device, int64_t due) { ask(device, due); }

static void answer_came(void *context, const struct answer *answer) {
    bool is_good = answer->status >= 200 && answer->status < 300;
    if (!is_good && answer->status) count_error("status %d", answer->status);
    if (is_good && load->is_measured) samples_add(&load->answers, answer->took);
    load->under_way--;
    if (load->is_stopping) load->is_quiet = load->under_way == 0;
    else if (is_good) ask(context, monotonic_ns());
    else loop_at(monotonic_ns() + SECOND, ask_again, context);
}

static void ask(struct device *device, int64_t due) {
    if (load->is_stopping) return;
    load->under_way++;
    if (load->is_heartbeat) {
        struct bytes content = {0};
        heartbeat_write(device, &content);
        device_request(device, &device->waiting, "POST", "/api/v1/device/heartbeat",
                       "Content-Type: application/json\r\n", &content, due, ANSWER_SECONDS, answer_came);
        bytes_free(&content);
    } else if (load->is_signed) {
        device_request(device, &device->waiting, "GET", "/api/v1/device/commands?after=0&wait=0", "", NULL, due,
                       ANSWER_SECONDS, answer_came);
    } else {
        struct bytes request = {0};
        const struct endpoint *endpoint = device->waiting.endpoint;
        const char *mark = strstr(load->path, "%d");
        bytes_print(&request, "GET %.*s", (int)(mark ? mark - load->path : (long)strlen(load->path)), load->path);
        if (mark) bytes_print(&request, "%u%s", device->number, mark + 2);
        bytes_print(&request, " HTTP/1.1\r\nHost: %s:%s\r\nAccept: application/json\r\n%s\r\n", endpoint->host,
                    endpoint->port, load->fields.size ? load->fields.data : "");
        connection_request(&device->waiting, &request, due, ANSWER_SECONDS, answer_came, device);
    }
}

void poll_begin(struct poll_load *the_load) {
    load = the_load;
    for (uint32_t i = 0; i < load->fleet->count; i++) ask(&load->fleet->devices[i], monotonic_ns());
}
