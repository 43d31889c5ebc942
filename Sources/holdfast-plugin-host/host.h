// What the parts of holdfast-plugin-host share; main.c says what the program is for.
#ifndef HOLDFAST_PLUGIN_HOST_H
#define HOLDFAST_PLUGIN_HOST_H

#include "CPluginFrames.h"
#include "holdfast_plugin.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

// MARK: channel.c: descriptor 3

/// Whoever runs the host.
enum { channel_descriptor = 3 };

/// Remembers which socket descriptor 3 is. Ends the program when it is none of packets.
void channel_open(void);

/// A packet as it was received. The body is ended by a NUL byte that does not count.
struct packet {
    struct hf_frame head;
    size_t length;
    /// -1 for none; whoever takes it sets it to -1.
    int descriptor;
    char body[HF_FRAME_BODY_MAX + 1];
};

/// Receives a packet, waiting for one unless told not to. Returns 1 when there is one, 0 when none has come yet, -1 when no more
/// will.
int channel_receive(struct packet *packet, int is_waiting);

/// A piece of a body.
static inline struct iovec piece(const void *bytes, size_t length) {
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
}

/// Sends a packet whose body is up to three pieces. Returns 0, or -1 when the socket is closed, or no longer the host's.
int channel_send(uint32_t type, int32_t number, int64_t value, const struct iovec *pieces, size_t count);

/// Sends a packet with one text, cut off after `longest` bytes. Null is an empty text.
int channel_send_text(uint32_t type, int32_t number, int64_t value, const char *text, size_t longest);

// MARK: order.c: what is to be done

struct order {
    int is_inspection;
    /// The sealed library.
    int library;
    const char *id;
    const char *kind;
    /// Null for none.
    const char *state_directory;
    size_t longest_result;
    /// On the monotonic clock, in nanoseconds.
    int64_t deadline;
    char *payload;
    size_t payload_length;
};

/// Waits for the order. Ends the program when none comes, or one that it does not understand.
void order_receive(struct order *order);

int64_t now_ns(void);

// MARK: library.c: what is in the plugin

/// Loads the library and says what is wrong with it. Null when there is no descriptor to speak of.
const hf_plugin_descriptor *library_load(int library);

/// Looks at a descriptor and says everything that is wrong with it. Returns how much that is.
int descriptor_check(const hf_plugin_descriptor *descriptor, int is_inspection);

/// Says what the plugin says of itself.
void descriptor_describe(const hf_plugin_descriptor *descriptor);

const hf_plugin_kind *descriptor_kind(const hf_plugin_descriptor *descriptor, uint32_t index);

/// Says that the plugin cannot be used, and why: as printf(3).
void fault(enum hf_fault code, const char *format, ...) __attribute__((format(printf, 2, 3)));

// MARK: functions.c: what the plugin may call

/// The table of host functions, for a command.
const hf_host *functions_begin(const struct order *order);

/// From here on every host function answers HF_ERROR_ENDED. Sends the result and what the plugin says of its failure, and says that
/// it is done. Returns 0, or -1 when the socket is closed.
int functions_end(int32_t status);

/// Whether this is still the process that the host began in.
int is_host_process(void);

// MARK: text.c: JSON for requests

/// A text that grows. Once memory is short it stays as it was, and `is_broken` is set.
struct text {
    char *bytes;
    size_t length;
    size_t capacity;
    int is_broken;
};

void text_append(struct text *text, const char *bytes, size_t length);
/// A JSON string; null becomes `null`.
void text_append_quoted(struct text *text, const char *string);

#endif
