#include "run.h"

#include <stdio.h>

static const struct run *run;
static struct fleet *fleet;
static struct operator_part *part;
static struct poll_load *load;

static void set_up(const struct run *the_run) {
    run = the_run;
    part = run->operator_part;
    load = run->poll_load;
    fleet = part->fleet;
}

// Says where it stands; with --step, waits until somebody has looked.
static void step(const char *name) {
    printf("{\"step\": \"%s\", \"processor_s\": %.3f}\n", name, processor_seconds());
    fflush(stdout);
    char line[16];
    if (run->is_stepwise && !fgets(line, sizeof line, stdin)) fail("standard input has ended");
}

static void run_for(double time) {
    bool never = false;
    loop_until(&never, monotonic_ns() + (int64_t)(time * 1e9));
}

static void enrol_all(void) {
    int64_t begin = monotonic_ns();
    for (uint32_t i = 0; i < fleet->count; i++)
        loop_at(begin + (int64_t)(i * 1e9 / run->enrol_rate), device_start, &fleet->devices[i]);
    int64_t until = begin + (int64_t)((60 + 4 * fleet->count / run->enrol_rate) * 1e9);
    const bool *done = fleet->poll_seconds ? &fleet->all_are_waiting : &fleet->all_are_enrolled;
    if (!loop_until(done, until)) {
        struct bytes json = {0};
        errors_print(&json);
        fail("%u of %u devices are enrolled, %u wait; %s", fleet->enrolled, fleet->count, fleet->waiting, json.data);
    }
}

static void let_it_end(void) {
    fleet->is_stopping = true;
    fleet->is_quiet = fleet->in_flight == 0;
    loop_until(&fleet->is_quiet, monotonic_ns() + 60 * SECOND);
    run_for(0.5); // what was told late
}

static void add_samples(struct bytes *json, const char *name, struct samples *samples) {
    samples_print(json, name, samples);
    bytes_print(json, ", ");
}

static void begin_report(struct bytes *json, const char *mode, double time) {
    bytes_print(json, "{\"mode\": \"%s\", \"devices\": %u, \"seconds\": %.3f, \"tls\": %s, ", mode, fleet->count, time,
                fleet->endpoint.tls ? "true" : "false");
}

static void end_report(struct bytes *json) {
    errors_print(json);
    bytes_print(json, ", \"connects\": %llu, \"resumed\": %llu, \"closed_idle\": %llu, ", (unsigned long long)connects,
                (unsigned long long)resumed, (unsigned long long)closed_idle);
    add_samples(json, "connecting", &connect_times);
    add_samples(json, "generator_late", &loop_lateness);
    bytes_print(json, "\"processor_s\": %.3f}\n", processor_seconds());
    fputs(json->data, stdout);
    bytes_free(json);
}

static void begin_batches(bool is_ingest) {
    int64_t begin = monotonic_ns();
    for (uint32_t i = 0; i < fleet->count; i++)
        loop_at(begin + (int64_t)((double)i * (double)fleet->interval / fleet->count), device_begin_readings,
                &fleet->devices[i]);
    // The first batch of each opens its second connection: that is not measured.
    if (!is_ingest) run_for((double)fleet->interval / 1e9 + 1);
}

static void report_commands(struct bytes *json) {
    add_samples(json, "event_batches", &fleet->reports);
    add_samples(json, "command_creation", &part->creations);
    bytes_print(json, "\"commands\": {\"created\": %u, \"delivered\": %u, \"twice\": %u, ", part->created,
                part->delivered, part->twice);
    bytes_print(json, "\"skipped\": %u, \"refused\": %u, ", part->skipped, part->refused);
    samples_print(json, "delivery", &part->deliveries);
    bytes_print(json, "}, ");
}

void run_fleet(const struct run *the_run, bool is_ingest) {
    set_up(the_run);
    struct bytes json = {0};
    bool has_operator = *part->bearer;
    int64_t began_ms = wall_ms();
    double records = has_operator ? operator_metric(part, "records_total") : 0;
    if (is_ingest) fleet->poll_seconds = fleet->interval = 0;
    enrol_all();
    step("waiting");
    connect_times.count = loop_lateness.count = 0;
    begin_batches(is_ingest);
    step("measuring");
    fleet->is_measured = true;
    double processor = processor_seconds();
    uint64_t acknowledged = fleet->acknowledged;
    int64_t begin = monotonic_ns();
    if (has_operator && !is_ingest) operator_begin_commands(part);
    run_for(run->seconds);
    double time = (double)(monotonic_ns() - begin) / 1e9;
    acknowledged = fleet->acknowledged - acknowledged;
    processor = processor_seconds() - processor;
    part->commands_per_second = 0;
    step("measured");
    for (int i = 0; i < 50 && part->delivered < part->created; i++) run_for(0.1);
    begin_report(&json, is_ingest ? "ingest" : "fleet", time);
    bytes_print(&json, "\"waiting\": %u, \"readings\": %llu, \"readings_per_s\": %.0f, ", fleet->waiting,
                (unsigned long long)acknowledged, (double)acknowledged / time);
    bytes_print(&json, "\"measured_processor_s\": %.3f, ", processor);
    fleet->is_measured = false;
    let_it_end();
    add_samples(&json, "enrolments", &fleet->enrolments);
    add_samples(&json, "heartbeats", &fleet->heartbeats);
    add_samples(&json, "requests", &fleet->requests);
    add_samples(&json, "batches", &fleet->batches);
    if (part->created) report_commands(&json);
    if (has_operator) operator_check(part, &json, run->looked_at, began_ms, records);
    end_report(&json);
}

void run_poll(const struct run *the_run) {
    set_up(the_run);
    struct bytes json = {0};
    fleet->poll_seconds = 0;
    if (load->is_signed) enrol_all();
    poll_begin(load);
    run_for(3); // connections are made, caches are warm
    step("measuring");
    load->is_measured = true;
    int64_t begin = monotonic_ns();
    double processor = processor_seconds();
    run_for(run->seconds);
    double time = (double)(monotonic_ns() - begin) / 1e9;
    processor = processor_seconds() - processor;
    load->is_measured = false;
    step("measured");
    load->is_stopping = true;
    loop_until(&load->is_quiet, monotonic_ns() + 10 * SECOND);
    begin_report(&json, "poll", time);
    bytes_print(&json, "\"requests_per_s\": %.1f, \"measured_processor_s\": %.3f, ",
                (double)load->answers.count / time, processor);
    add_samples(&json, "answers", &load->answers);
    end_report(&json);
}
