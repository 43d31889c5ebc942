// What is counted and timed, and the report of it.
#pragma once
#include "bytes.h"

struct samples {
    int64_t *ns;
    size_t count, room;
};

void samples_add(struct samples *samples, int64_t ns);
// "NAME": {"count": ..., "p50_ms": ..., "p99_ms": ..., "max_ms": ...}
void samples_print(struct bytes *json, const char *name, struct samples *samples);

// Counts an error of that kind: an HTTP status, or how a connection failed.
__attribute__((format(printf, 1, 2))) void count_error(const char *format, ...);
uint64_t error_count(void);
// "errors": {KIND: COUNT, ...}
void errors_print(struct bytes *json);

// Processor time of this process so far.
double processor_seconds(void);
