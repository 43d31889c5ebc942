// What is to be done: the payload in parts, then the order with the library's descriptor.

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void misunderstood(const char *what) {
    fault(HF_FAULT_HOST, "the plugin host was given %s", what);
    _exit(HF_EXIT_USAGE);
}

static void append_payload(struct order *order, const struct packet *packet) {
    char *grown = realloc(order->payload, order->payload_length + packet->length + 1);
    if (!grown) misunderstood("a payload that does not fit into its memory");
    memcpy(grown + order->payload_length, packet->body, packet->length);
    order->payload = grown;
    order->payload_length += packet->length;
    order->payload[order->payload_length] = '\0';
}

// Texts of the order, kept for as long as the process lives.
static const char *next_text(char **place, const char *end) {
    if (*place >= end) misunderstood("an order that is too short");
    const char *text = *place;
    *place += strlen(text) + 1;
    return text;
}

static void take_order(struct order *order, struct packet *packet) {
    if (packet->head.number != HF_FRAMES_VERSION) misunderstood("an order of another version of Holdfast");
    if (packet->descriptor < 0) misunderstood("an order without a library");
    order->library = packet->descriptor;
    order->is_inspection = packet->head.type == HF_FRAME_INSPECT;
    if (order->is_inspection) return;
    int64_t now = now_ns();
    int64_t left = packet->head.value > 0 ? packet->head.value : 0;
    order->deadline = left > INT64_MAX - now ? INT64_MAX : now + left;
    char *texts = malloc(packet->length + 1);
    if (!texts) misunderstood("an order that does not fit into its memory");
    memcpy(texts, packet->body, packet->length + 1);
    char *place = texts;
    const char *end = texts + packet->length;
    order->id = next_text(&place, end);
    order->kind = next_text(&place, end);
    order->state_directory = next_text(&place, end);
    if (!*order->state_directory) order->state_directory = NULL;
    order->longest_result = (size_t)strtoull(next_text(&place, end), NULL, 10);
    if (!order->payload) {
        order->payload = strdup("null");
        if (!order->payload) misunderstood("an order that does not fit into its memory");
        order->payload_length = 4;
    }
}

void order_receive(struct order *order) {
    static struct packet packet;
    *order = (struct order){.library = -1};
    for (;;) {
        if (channel_receive(&packet, 1) < 0) _exit(HF_EXIT_CLOSED);
        switch (packet.head.type) {
        case HF_FRAME_PAYLOAD: append_payload(order, &packet); break;
        case HF_FRAME_EXECUTE:
        case HF_FRAME_INSPECT: take_order(order, &packet); return;
        default: misunderstood("an order that it does not know");
        }
    }
}
