// The operator's part: makes commands, and looks at the end whether everything is there.
#pragma once
#include "device.h"

struct operator_part {
    struct fleet *fleet;
    char bearer[128];
    double commands_per_second;
    uint32_t created, delivered, twice, skipped, refused;
    struct samples creations, deliveries;
};

void operator_prepare(struct operator_part *part);
// Makes commands for random devices until `commands_per_second` becomes 0.
void operator_begin_commands(struct operator_part *part);
// What is in central's metric of that name now, or -1.
double operator_metric(struct operator_part *part, const char *name);
// Asks central whether it has what the devices sent, and adds what it says to the report.
void operator_check(struct operator_part *part, struct bytes *json, uint32_t devices, int64_t began_ms,
                    double records_before);
