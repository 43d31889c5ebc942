// The same small request over and over, on as many connections as there are.
#pragma once
#include "device.h"

struct poll_load {
    struct fleet *fleet;
    // What a device asks, signed, when it has enrolled: for commands without waiting, or a heartbeat.
    bool is_signed, is_heartbeat;
    // Else: the path, in which "%d" is the connection's number, and fields, each with its end.
    const char *path;
    struct bytes fields;
    bool is_stopping;
    uint32_t under_way;
    bool is_quiet;
    bool is_measured;
    struct samples answers;
};

// Begins on all connections.
void poll_begin(struct poll_load *load);
