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

#include "run.h"

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
static struct run run = {.operator_part = &operator_part, .poll_load = &poll_load, .seconds = 30, .enrol_rate = 200,
                         .looked_at = UINT32_MAX};

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
        case SECONDS: run.seconds = atof(optarg); break;
        case INTERVAL: fleet.interval = (int64_t)(atof(optarg) * 1e9); break;
        case READINGS: fleet.readings = (uint32_t)atoi(optarg); break;
        case COMMANDS: operator_part.commands_per_second = atof(optarg); break;
        case ENROL_RATE: run.enrol_rate = atof(optarg); break;
        case LOOK_AT: run.looked_at = (uint32_t)atoi(optarg); break;
        case STEP: run.is_stepwise = true; break;
        case HEARTBEAT: poll_load.is_heartbeat = true; break;
        case PATH: poll_load.path = optarg; break;
        case HEADER: bytes_print(&poll_load.fields, "%s\r\n", optarg); break;
        default: fputs(usage, stderr); return 64;
    }
    bool is_poll = is_mode(mode, "poll"), is_ingest = is_mode(mode, "ingest");
    if (!(is_poll || is_ingest || is_mode(mode, "fleet")) || optind != count || !fleet.count || run.enrol_rate <= 0 ||
        fleet.interval <= 0 || (token ? poll_load.path != NULL : !(is_poll && poll_load.path && fleet.is_plain))) {
        fputs(usage, stderr);
        return 64;
    }
    if (token) read_token(token);
    poll_load.is_signed = token != NULL;
    if (!fleet.readings) fleet.readings = is_ingest ? 1000 : 5;
    if (run.looked_at == UINT32_MAX) run.looked_at = is_ingest ? fleet.count : 20;
    signal(SIGPIPE, SIG_IGN);
    share_descriptors();
    uint8_t name[10];
    if (RAND_bytes(name, sizeof name) != 1) fail("OpenSSL has no random bytes");
    for (int i = 0; i < 4; i++) snprintf(fleet.run + 2 * i, 3, "%02x", name[i]);
    for (int i = 0; i < 6; i++) snprintf(fleet.boot + 2 * i, 3, "%02x", name[4 + i]);
    loop_start();
    endpoint_prepare(&fleet.endpoint, !fleet.is_plain);
    fleet_prepare(&fleet);
    if (*operator_part.bearer) operator_prepare(&operator_part);
    if (is_poll) run_poll(&run);
    else run_fleet(&run, is_ingest);
    return 0;
}
