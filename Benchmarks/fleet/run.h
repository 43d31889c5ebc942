// The loads, from enrolment to the report.
#pragma once
#include "operator.h"
#include "poll.h"

struct run {
    struct operator_part *operator_part; // has the fleet
    struct poll_load *poll_load;
    double seconds, enrol_rate; // devices a second
    uint32_t looked_at;         // devices whose readings are counted at the end
    bool is_stepwise;           // waits for a line on standard input after each step
};

// Devices that wait and send batches now and then; or, for `is_ingest`, one batch after the other.
void run_fleet(const struct run *run, bool is_ingest);
void run_poll(const struct run *run);
