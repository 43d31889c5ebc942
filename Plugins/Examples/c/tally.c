// tally: counts, and remembers it from one command to the next in its state directory.
//
//   tally.add    {"by": 2}   ->  {"tally": 7}
//   tally.reset              ->  {"tally": 0}

#include "holdfast_plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t fail(const hf_host *host, const char *what, const char *path) {
    char words[1024];
    snprintf(words, sizeof words, "%s %.512s: %s", what, path, strerror(errno));
    host->set_failure(host, words);
    return HF_ERROR_FAILED;
}

static int path_of(const hf_host *host, const char *name, char *path, size_t capacity) {
    const char *folder = host->state_directory(host);
    return folder && snprintf(path, capacity, "%s/%s", folder, name) < (int)capacity ? 0 : -1;
}

static long read_tally(const char *path) {
    long tally = 0;
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "%ld", &tally) != 1) tally = 0;
    fclose(file);
    return tally;
}

// Written beside and renamed: a power cut leaves the old number or the new one.
static int write_tally(const char *path, const char *beside, long tally) {
    FILE *file = fopen(beside, "w");
    if (!file) return -1;
    int is_written = fprintf(file, "%ld\n", tally) > 0;
    if (fclose(file) != 0 || !is_written) return -1;
    return rename(beside, path);
}

// A real plugin takes a JSON library; for one number this will do.
static long number_in(const hf_command *command, const char *key, long otherwise) {
    const char *place = strstr(command->payload, key);
    if (!place || !(place = strchr(place, ':'))) return otherwise;
    return strtol(place + 1, NULL, 10);
}

static int32_t execute(const hf_host *host, const hf_command *command) {
    char path[1024], beside[1024];
    if (path_of(host, "tally", path, sizeof path) < 0 || path_of(host, "tally.new", beside, sizeof beside) < 0) {
        host->set_failure(host, "there is no state directory to keep the tally in");
        return HF_ERROR_FAILED;
    }
    long tally = 0;
    if (strcmp(command->kind, "tally.add") == 0) tally = read_tally(path) + number_in(command, "\"by\"", 1);
    if (write_tally(path, beside, tally) != 0) return fail(host, "cannot write", beside);

    char json[64];
    int length = snprintf(json, sizeof json, "{\"tally\":%ld}", tally);
    // Telemetry of its own; that nobody takes it is no reason to fail.
    if (host->emit(host, json, (size_t)length) != HF_OK) host->log(host, HF_LOG_WARNING, "the tally was not reported");
    return host->set_result(host, json, (size_t)length);
}

static const hf_plugin_kind kinds[] = {
    {.name = "tally.add", .summary = "Adds to the tally."},
    {.name = "tally.reset", .flags = HF_KIND_REPEATABLE, .summary = "Begins anew."},
};

static const hf_plugin_descriptor descriptor = {
    HF_PLUGIN_DESCRIPTOR_HEAD,
    .name = "tally",
    .version = "1.0.0",
    .summary = "Counts, and remembers it.",
    .kinds = kinds,
    .kind_count = sizeof kinds / sizeof *kinds,
    .execute = execute,
};

HF_PLUGIN_EXPORT const hf_plugin_descriptor *hf_plugin_entry_v1(void) { return &descriptor; }
