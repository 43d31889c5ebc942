// What a plugin host and whoever runs it say to each other, over a socketpair of packets (SOCK_SEQPACKET) that is
// descriptor 3 of the host. Both come from the same release: nothing here is promised to anyone else.
//
// A packet is a `struct hf_frame` and a body of at most HF_FRAME_BODY_MAX bytes. Texts in a body are UTF-8 and ended by a NUL
// byte each; "rest" is what follows them. The host is in one process with a plugin, so whatever it says may be the
// plugin's invention, and is believed as little as the plugin.
#pragma once
#include <stdint.h>

/// Raised when either side would misunderstand the other.
#define HF_FRAMES_VERSION 1

/// Longer than the longest answer and the names beside it.
#define HF_FRAME_BODY_MAX (52 * 1024)

struct hf_frame {
    /// An HF_FRAME_*.
    uint32_t type;
    /// What it says depends on the type.
    int32_t number;
    int64_t value;
};

enum hf_frame_type {
    // To the host. First the payload, then one of the two orders with the library's descriptor.

    /// rest: the next part of the payload.
    HF_FRAME_PAYLOAD = 1,
    /// number: HF_FRAMES_VERSION. value: the time left in nanoseconds. Texts: id, kind, state directory (empty: none),
    /// the most bytes of a result.
    HF_FRAME_EXECUTE = 2,
    /// number: HF_FRAMES_VERSION. Loads the library, says what is in it and what is wrong with it, and ends.
    HF_FRAME_INSPECT = 3,
    /// The plugin is to stop. number: 1 when its time is over. Text: why.
    HF_FRAME_CANCEL = 4,
    /// number: that of the request. value: HF_OK or HF_ERROR_*. rest: the answer, or what was wrong. A descriptor may
    /// come along.
    HF_FRAME_ANSWER = 5,

    // From the host.

    /// It was executed. number: HF_FRAMES_VERSION. value: HF_PLUGIN_ABI_VERSION.
    HF_FRAME_HELLO = 16,
    /// A fact of the descriptor: number: hf_fact. value: flags of a kind, a number. Texts: the fact, a summary.
    HF_FRAME_FACT = 17,
    /// The plugin cannot be used. number: hf_fault. Text: why.
    HF_FRAME_FAULT = 18,
    /// `execute` is called now. value: whether the kind is cancellable.
    HF_FRAME_STARTED = 19,
    /// number: the level. Text: the line.
    HF_FRAME_LOG = 20,
    /// number: percent or -1. Text: a few words.
    HF_FRAME_PROGRESS = 21,
    /// number: to be repeated in the answer. Text: name. rest: arguments.
    HF_FRAME_REQUEST = 22,
    /// rest: the next part of the result.
    HF_FRAME_RESULT = 23,
    /// Text: what the plugin says of its failure.
    HF_FRAME_FAILURE = 24,
    /// `execute` has returned, or the inspection is done: the last frame. number: what it returned. value: hf_result_state.
    HF_FRAME_DONE = 25,
};

enum hf_fact {
    HF_FACT_NAME = 1,
    HF_FACT_VERSION = 2,
    HF_FACT_SUMMARY = 3,
    HF_FACT_KIND = 4,
    HF_FACT_GRANT = 5,
    /// value: the size that the descriptor has.
    HF_FACT_SIZE = 6,
    /// value: its version of the ABI.
    HF_FACT_ABI = 7,
};

enum hf_fault {
    /// dlopen(3) refused it.
    HF_FAULT_LOAD = 1,
    /// There is no hf_plugin_entry_v1, or it returned null.
    HF_FAULT_ENTRY = 2,
    /// Its ABI version is none that this host knows.
    HF_FAULT_ABI = 3,
    /// The descriptor is too short, or says something impossible.
    HF_FAULT_DESCRIPTOR = 4,
    /// It does not execute the command's kind.
    HF_FAULT_KIND = 5,
    /// The host itself: no memory, no threads, an order that it does not understand.
    HF_FAULT_HOST = 6,
};

enum hf_result_state { HF_RESULT_NONE = 0, HF_RESULT_SET = 1, HF_RESULT_TOO_LONG = 2 };

/// What a host ends with.
enum hf_host_exit {
    HF_EXIT_DONE = 0,
    /// Descriptor 3 is no socket, or the order is not understood.
    HF_EXIT_USAGE = 64,
    /// The socket was closed, by the other side or by the plugin.
    HF_EXIT_CLOSED = 74,
};
