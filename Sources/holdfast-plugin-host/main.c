// Executes one command in one plugin, and ends. Started for each command, with the rights of the plugin, by those who
// check and confine it: holdfast-executor, and `holdfast plugin run` for authors.
//
//   holdfast-plugin-host          descriptor 3: a socket of packets (CPluginFrames.h)
//
// Over the socket come the library, as a sealed file that nobody can change any more, and the command. The library is loaded
// from its descriptor, checked, and its one function called; what it asks of the host is passed on and answered over the
// same socket. With another order the library is only loaded, and what it says of itself is passed on.
//
// The plugin may do what it likes with this process: close descriptors, start threads, fork, end it. Nothing here has to hold
// against that but one thing: whoever runs us hears how it ended. There is no Swift in here, so that a plugin may bring its own.
//
// Exit status: 0 done, and said so; 64 wrong usage; 74 the socket was closed. A plugin that ends the process may choose any.

#include "host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const hf_plugin_kind *find_kind(const hf_plugin_descriptor *descriptor, const char *name) {
    for (uint32_t index = 0; index < descriptor->kind_count; index++) {
        const hf_plugin_kind *kind = descriptor_kind(descriptor, index);
        if (strcmp(kind->name, name) == 0) return kind;
    }
    return NULL;
}

static void execute(const hf_plugin_descriptor *descriptor, const struct order *order) {
    const hf_plugin_kind *kind = find_kind(descriptor, order->kind);
    if (!kind) {
        fault(HF_FAULT_KIND, "%s does not execute commands of the kind %.80s", descriptor->name, order->kind);
        return;
    }
    const hf_host *host = functions_begin(order);
    hf_command command = {
        .size = sizeof command,
        .id = order->id,
        .kind = order->kind,
        .payload = order->payload,
        .payload_length = order->payload_length,
    };
    channel_send(HF_FRAME_STARTED, 0, (kind->flags & HF_KIND_CANCELLABLE) != 0, NULL, 0);
    int32_t status = descriptor->execute(host, &command);
    // A plugin that forks and lets the copy return too has executed once all the same.
    if (!is_host_process()) _exit(HF_EXIT_DONE);
    // What it has printed; _exit leaves out everything else that a plugin may have registered for the end.
    fflush(NULL);
    if (functions_end(status) != 0) _exit(HF_EXIT_CLOSED);
}

int main(void) {
    channel_open();
    channel_send(HF_FRAME_HELLO, HF_FRAMES_VERSION, HF_PLUGIN_ABI_VERSION, NULL, 0);
    struct order order;
    order_receive(&order);
    const hf_plugin_descriptor *descriptor = library_load(order.library);
    if (order.is_inspection) {
        if (descriptor) {
            descriptor_describe(descriptor);
            descriptor_check(descriptor, 1);
        }
        channel_send(HF_FRAME_DONE, 0, 0, NULL, 0);
    } else if (descriptor && descriptor_check(descriptor, 0) == 0) {
        execute(descriptor, &order);
    }
    _exit(HF_EXIT_DONE);
}
