// One thread that waits for descriptors and times (epoll(7)).
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "report.h"

#define SECOND INT64_C(1000000000)

int64_t monotonic_ns(void);
int64_t wall_ms(void);

// Called whenever the descriptor becomes readable or writable (edge-triggered); may be called without a reason.
struct watch {
    void (*ready)(struct watch *watch);
};

void loop_start(void);
void loop_watch(int descriptor, struct watch *watch);
// Calls once, at that time of monotonic_ns(), with the time it was meant for.
void loop_at(int64_t at, void (*fire)(void *context, int64_t due), void *context);
// Runs until `*is_done`, or until that time. Returns `*is_done`.
bool loop_until(const bool *is_done, int64_t at);
// How late times were served: what the generator itself adds.
extern struct samples loop_lateness;
