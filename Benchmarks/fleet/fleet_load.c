// Simulates devices as central meets them (docs/fleet-protocol.md): real keys and signatures, real TLS, kept
// connections. What it measures, and what the numbers mean: ../README.md. Prints JSON, one object a line, the last one
// the report.
//
// Exit status: 0 it was measured, whatever came of it; 1 it could not be; 64 wrong usage.
#include <errno.h>
#include <getopt.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "operator.h"
#include "poll.h"
#include "telemetry.h"

static const char usage[] =
    "usage: fleet_load fleet|ingest|poll --devices N --seconds S OPTION...\n"
    "  fleet   each device waits for commands and sends a batch of readings every --interval seconds\n"
    "  ingest  each device sends batches one after the other\n"
    "  poll    each device asks for its commands, without waiting, over and over\n"
    "  --token TOKEN         enrolment token with enough uses\n"
    "  --operator TOKEN      bearer token of an operator: makes commands (fleet), checks at the end (fleet, ingest)\n"
    "  --plain HOST:PORT     there is central without TLS; devices say in X-Forwarded-For who they are\n"
    "  --interval S          30, of fleet\n"
    "  --readings N          in a batch: 5, with ingest 1000\n"
    "  --commands N          a second: 10, of fleet\n"
    "  --enrol-rate N        devices a second: 200\n"
    "  --look-at N           devices whose readings are counted at the end: 20, with ingest all\n"
    "  --step                wait for a line on standard input after each step, so that central can be looked at\n"
    "  --heartbeat           poll: heartbeats instead\n"
    "  --path PATH           poll: ask for this, unsigned; %d is the connection's number. With --plain, no --token\n"
    "  --header FIELD        poll: send this too; may come again\n";

static struct fleet fleet = {.interval = 30 * SECOND, .poll_seconds = 900};
static struct operator_part operator_part = {.fleet = &fleet, .commands_per_second = 10};
static struct poll_load poll_load = {.fleet = &fleet};
static double seconds = 30, enrol_rate = 200;
static uint32_t looked_at = UINT32_MAX;
static bool is_stepwise;

static bool is_mode(const char *mode, const char *name) { return strcmp(mode, name) == 0; }

static void read_address(const char *text) {
    const char *colon = strrchr(text, ':');
    if (!colon) fail("'%s' has no port", text);
    bool is_bracketed = *text == '[' && colon[-1] == ']';
    snprintf(fleet.endpoint.host, sizeof fleet.endpoint.host, "%.*s", (int)(colon - text) - 2 * is_bracketed,
             text + is_bracketed);
    snprintf(fleet.endpoint.port, sizeof fleet.endpoint.port, "%.7s", colon + 1);
}

// hf1.<base64url of JSON>: central's address, its pins and the secret.
static void read_token(const char *token) {
    char json[4096], url[512];
    bool has_mark = strncmp(token, "hf1.", 4) == 0;
    long size = has_mark ? base64_read(token + 4, strlen(token + 4), (uint8_t *)json, sizeof json - 1) : -1;
    if (size < 0) fail("--token: that is no enrolment token");
    json[size] = 0;
    if (!json_text(json, "secret", fleet.secret, sizeof fleet.secret) || !json_text(json, "url", url, sizeof url) ||
        strncmp(url, "https:", 6))
        fail("--token: cannot be read");
    // A slash may be escaped in JSON.
    char *host = url + 6 + strspn(url + 6, "\\/");
    host[strcspn(host, "\\/")] = 0;
    if (!fleet.is_plain) read_address(host);
    const char *pins = json_member(json, "pins");
    for (const char *pin = pins ? strchr(pins, '"') : NULL; pin && fleet.endpoint.pin_count < PINS_MAX;) {
        size_t length = strcspn(pin + 1, "\"");
        if (base64_read(pin + 1, length, fleet.endpoint.pins[fleet.endpoint.pin_count], 32) != 32) break;
        fleet.endpoint.pin_count++;
        pin += length + 2;
        pin = *pin == ',' ? strchr(pin, '"') : NULL;
    }
    if (!fleet.endpoint.pin_count) fail("--token: has no pin");
}

// Says where it stands; with --step, waits until somebody has looked.
static void step(const char *name) {
    printf("{\"step\": \"%s\", \"processor_s\": %.3f}\n", name, processor_seconds());
    fflush(stdout);
    char line[16];
    if (is_stepwise && !fgets(line, sizeof line, stdin)) fail("standard input has ended");
}

static void run_for(double time) {
    bool never = false;
    loop_until(&never, monotonic_ns() + (int64_t)(time * 1e9));
}

static void enrol_all(void) {
    int64_t begin = monotonic_ns();
    for (uint32_t i = 0; i < fleet.count; i++)
        loop_at(begin + (int64_t)(i * 1e9 / enrol_rate), device_start, &fleet.devices[i]);
    int64_t until = begin + (int64_t)((60 + 4 * fleet.count / enrol_rate) * 1e9);
    const bool *done = fleet.poll_seconds ? &fleet.all_are_waiting : &fleet.all_are_enrolled;
    if (!loop_until(done, until)) {
        struct bytes json = {0};
        errors_print(&json);
        fail("%u of %u devices are enrolled, %u wait; %s", fleet.enrolled, fleet.count, fleet.waiting, json.data);
    }
}

static void let_it_end(void) {
    fleet.is_stopping = true;
    fleet.is_quiet = fleet.in_flight == 0;
    loop_until(&fleet.is_quiet, monotonic_ns() + 60 * SECOND);
    run_for(0.5); // what was told late
}

static void add_samples(struct bytes *json, const char *name, struct samples *samples) {
    samples_print(json, name, samples);
    bytes_print(json, ", ");
}

static void begin_report(struct bytes *json, const char *mode, double time) {
    bytes_print(json, "{\"mode\": \"%s\", \"devices\": %u, \"seconds\": %.3f, \"tls\": %s, ", mode, fleet.count, time,
                fleet.endpoint.tls ? "true" : "false");
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
    for (uint32_t i = 0; i < fleet.count; i++)
        loop_at(begin + (int64_t)((double)i * (double)fleet.interval / fleet.count), device_begin_readings,
                &fleet.devices[i]);
    // The first batch of each opens its second connection: that is not measured.
    if (!is_ingest) run_for((double)fleet.interval / 1e9 + 1);
}

static void report_commands(struct bytes *json) {
    add_samples(json, "event_batches", &fleet.reports);
    add_samples(json, "command_creation", &operator_part.creations);
    bytes_print(json, "\"commands\": {\"created\": %u, \"delivered\": %u, \"twice\": %u, ", operator_part.created,
                operator_part.delivered, operator_part.twice);
    bytes_print(json, "\"skipped\": %u, \"refused\": %u, ", operator_part.skipped, operator_part.refused);
    samples_print(json, "delivery", &operator_part.deliveries);
    bytes_print(json, "}, ");
}

static void run_fleet(bool is_ingest) {
    struct bytes json = {0};
    bool has_operator = *operator_part.bearer;
    int64_t began_ms = wall_ms();
    double records = has_operator ? operator_metric(&operator_part, "records_total") : 0;
    if (is_ingest) fleet.poll_seconds = fleet.interval = 0;
    enrol_all();
    step("waiting");
    connect_times.count = loop_lateness.count = 0;
    begin_batches(is_ingest);
    step("measuring");
    fleet.is_measured = true;
    double processor = processor_seconds();
    uint64_t acknowledged = fleet.acknowledged;
    int64_t begin = monotonic_ns();
    if (has_operator && !is_ingest) operator_begin_commands(&operator_part);
    run_for(seconds);
    double time = (double)(monotonic_ns() - begin) / 1e9;
    acknowledged = fleet.acknowledged - acknowledged;
    processor = processor_seconds() - processor;
    operator_part.commands_per_second = 0;
    step("measured");
    for (int i = 0; i < 50 && operator_part.delivered < operator_part.created; i++) run_for(0.1);
    begin_report(&json, is_ingest ? "ingest" : "fleet", time);
    bytes_print(&json, "\"waiting\": %u, \"readings\": %llu, \"readings_per_s\": %.0f, ", fleet.waiting,
                (unsigned long long)acknowledged, (double)acknowledged / time);
    bytes_print(&json, "\"measured_processor_s\": %.3f, ", processor);
    fleet.is_measured = false;
    let_it_end();
    add_samples(&json, "enrolments", &fleet.enrolments);
    add_samples(&json, "heartbeats", &fleet.heartbeats);
    add_samples(&json, "requests", &fleet.requests);
    add_samples(&json, "batches", &fleet.batches);
    if (operator_part.created) report_commands(&json);
    if (has_operator) operator_check(&operator_part, &json, looked_at, began_ms, records);
    end_report(&json);
}

static void run_poll(void) {
    struct bytes json = {0};
    fleet.poll_seconds = 0;
    if (poll_load.is_signed) enrol_all();
    poll_begin(&poll_load);
    run_for(3); // connections are made, caches are warm
    step("measuring");
    poll_load.is_measured = true;
    int64_t begin = monotonic_ns();
    double processor = processor_seconds();
    run_for(seconds);
    double time = (double)(monotonic_ns() - begin) / 1e9;
    processor = processor_seconds() - processor;
    poll_load.is_measured = false;
    step("measured");
    poll_load.is_stopping = true;
    loop_until(&poll_load.is_quiet, monotonic_ns() + 10 * SECOND);
    begin_report(&json, "poll", time);
    bytes_print(&json, "\"requests_per_s\": %.1f, \"measured_processor_s\": %.3f, ",
                (double)poll_load.answers.count / time, processor);
    add_samples(&json, "answers", &poll_load.answers);
    end_report(&json);
}

// Two connections for each device, as far as the descriptors go: who gets none closes the second one after each batch.
static void share_descriptors(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    // Central needs some for its files, and those that open a connection for a moment.
    int64_t kept = (int64_t)limit.rlim_max - fleet.count - 256;
    if (kept < 0)
        fail("%u devices need %u descriptors, and %llu are allowed: ulimit -Hn", fleet.count, fleet.count + 256,
             (unsigned long long)limit.rlim_max);
    fleet.kept = kept < fleet.count ? (uint32_t)kept : fleet.count;
}

int main(int count, char **arguments) {
    enum { TOKEN = 256, OPERATOR, PLAIN, DEVICES, SECONDS, INTERVAL, READINGS, COMMANDS, ENROL_RATE, LOOK_AT, STEP,
           HEARTBEAT, PATH, HEADER };
    static const struct option options[] = {
        {"token", 1, 0, TOKEN}, {"operator", 1, 0, OPERATOR}, {"plain", 1, 0, PLAIN}, {"devices", 1, 0, DEVICES},
        {"seconds", 1, 0, SECONDS}, {"interval", 1, 0, INTERVAL}, {"readings", 1, 0, READINGS},
        {"commands", 1, 0, COMMANDS}, {"enrol-rate", 1, 0, ENROL_RATE}, {"look-at", 1, 0, LOOK_AT},
        {"step", 0, 0, STEP}, {"heartbeat", 0, 0, HEARTBEAT}, {"path", 1, 0, PATH}, {"header", 1, 0, HEADER}, {0}};
    const char *mode = count > 1 ? arguments[1] : "", *token = NULL;
    optind = 2;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) switch (option) {
        case TOKEN: token = optarg; break;
        case OPERATOR: snprintf(operator_part.bearer, sizeof operator_part.bearer, "%s", optarg); break;
        case PLAIN: fleet.is_plain = true; read_address(optarg); break;
        case DEVICES: fleet.count = (uint32_t)atoi(optarg); break;
        case SECONDS: seconds = atof(optarg); break;
        case INTERVAL: fleet.interval = (int64_t)(atof(optarg) * 1e9); break;
        case READINGS: fleet.readings = (uint32_t)atoi(optarg); break;
        case COMMANDS: operator_part.commands_per_second = atof(optarg); break;
        case ENROL_RATE: enrol_rate = atof(optarg); break;
        case LOOK_AT: looked_at = (uint32_t)atoi(optarg); break;
        case STEP: is_stepwise = true; break;
        case HEARTBEAT: poll_load.is_heartbeat = true; break;
        case PATH: poll_load.path = optarg; break;
        case HEADER: bytes_print(&poll_load.fields, "%s\r\n", optarg); break;
        default: fputs(usage, stderr); return 64;
    }
    bool is_poll = is_mode(mode, "poll"), is_ingest = is_mode(mode, "ingest");
    if (!(is_poll || is_ingest || is_mode(mode, "fleet")) || optind != count || !fleet.count || enrol_rate <= 0 ||
        fleet.interval <= 0 || (token ? poll_load.path != NULL : !(is_poll && poll_load.path && fleet.is_plain))) {
        fputs(usage, stderr);
        return 64;
    }
    if (token) read_token(token);
    poll_load.is_signed = token != NULL;
    if (!fleet.readings) fleet.readings = is_ingest ? 1000 : 5;
    if (looked_at == UINT32_MAX) looked_at = is_ingest ? fleet.count : 20;
    signal(SIGPIPE, SIG_IGN);
    share_descriptors();
    uint8_t run[10];
    if (RAND_bytes(run, sizeof run) != 1) fail("OpenSSL has no random bytes");
    for (int i = 0; i < 4; i++) snprintf(fleet.run + 2 * i, 3, "%02x", run[i]);
    for (int i = 0; i < 6; i++) snprintf(fleet.boot + 2 * i, 3, "%02x", run[4 + i]);
    loop_start();
    endpoint_prepare(&fleet.endpoint, !fleet.is_plain);
    fleet_prepare(&fleet);
    if (*operator_part.bearer) operator_prepare(&operator_part);
    if (is_poll) run_poll();
    else run_fleet(is_ingest);
    return 0;
}
