// Batches of readings and events (docs/fleet-protocol.md, Telemetry).
#pragma once
#include "device.h"

// Sends what there is to send, when nothing is under way: events before readings.
void device_send(struct device *device, int64_t due);
void heartbeat_write(const struct device *device, struct bytes *content);
