// The plugin that the driver measures: a command that does nothing, and one that crashes and says when.
#include "holdfast_plugin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int32_t execute(const hf_host *host, const hf_command *command) {
    if (strcmp(command->kind, "bench.crash") == 0) {
        struct timespec now;
        char text[32];
        clock_gettime(CLOCK_MONOTONIC, &now);
        snprintf(text, sizeof text, "%" PRId64, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
        host->log(host, HF_LOG_INFO, text);
        int *volatile nowhere = (int *)8;
        *nowhere = 1;
    }
    return host->set_result(host, "{}", 2);
}

static const hf_plugin_kind kinds[] = {
    {.name = "bench.empty", .flags = HF_KIND_PARALLEL},
    {.name = "bench.crash", .flags = HF_KIND_PARALLEL},
};

static const hf_plugin_descriptor descriptor = {
    HF_PLUGIN_DESCRIPTOR_HEAD, .name = "bench", .version = "1.0.0", .kinds = kinds, .kind_count = 2, .execute = execute,
};

HF_PLUGIN_EXPORT const hf_plugin_descriptor *hf_plugin_entry_v1(void) { return &descriptor; }
