#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define KINDS 32

static struct {
    char name[96];
    uint64_t count;
} kinds[KINDS];

void samples_add(struct samples *samples, int64_t ns) {
    if (samples->count == samples->room) {
        samples->room = samples->room ? samples->room * 2 : 1024;
        if (!(samples->ns = realloc(samples->ns, samples->room * sizeof *samples->ns))) fail("no memory");
    }
    samples->ns[samples->count++] = ns;
}

static int by_value(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

void samples_print(struct bytes *json, const char *name, struct samples *samples) {
    bytes_print(json, "\"%s\": {\"count\": %zu", name, samples->count);
    if (samples->count) {
        qsort(samples->ns, samples->count, sizeof *samples->ns, by_value);
        double last = (double)(samples->count - 1);
        bytes_print(json, ", \"p50_ms\": %.3f, \"p90_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f",
                    (double)samples->ns[(size_t)(last * 0.5)] / 1e6, (double)samples->ns[(size_t)(last * 0.9)] / 1e6,
                    (double)samples->ns[(size_t)(last * 0.99)] / 1e6, (double)samples->ns[samples->count - 1] / 1e6);
    }
    bytes_print(json, "}");
}

void count_error(const char *format, ...) {
    char name[sizeof kinds[0].name];
    va_list list;
    va_start(list, format);
    vsnprintf(name, sizeof name, format, list);
    va_end(list);
    int place = 0;
    while (place < KINDS - 1 && kinds[place].count && strcmp(kinds[place].name, name)) place++;
    // Too many kinds: the last counts all others.
    if (!kinds[place].count) snprintf(kinds[place].name, sizeof name, "%s", place < KINDS - 1 ? name : "others");
    kinds[place].count++;
}

uint64_t error_count(void) {
    uint64_t count = 0;
    for (int i = 0; i < KINDS; i++) count += kinds[i].count;
    return count;
}

void errors_print(struct bytes *json) {
    bytes_print(json, "\"errors\": {");
    for (int i = 0; i < KINDS && kinds[i].count; i++) {
        for (char *mark = kinds[i].name; *mark; mark++)
            if (*mark == '"' || *mark == '\\' || (unsigned char)*mark < ' ') *mark = '\'';
        bytes_print(json, "%s\"%s\": %llu", i ? ", " : "", kinds[i].name, (unsigned long long)kinds[i].count);
    }
    bytes_print(json, "}");
}

double processor_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
