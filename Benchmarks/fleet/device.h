// A simulated device, as docs/fleet-protocol.md says and holdfast-uplink does it: one connection waits for commands, a
// second one is for all else.
#pragma once
#include "connection.h"
#include "signing.h"

struct fleet;

struct device {
    struct fleet *fleet;
    uint32_t number;
    struct identity identity;
    struct connection waiting, working;
    SSL_SESSION *session;
    uint32_t failures; // in a row
    bool is_waiting;
    uint64_t highest_command;

    // Readings. What is under way stays until it is acknowledged.
    int64_t readings_due; // 0 when there are none to send
    uint64_t last_reading, last_event;
    uint32_t reading_checksum, event_checksum;
    struct bytes body;
    bool is_events; // what `body` holds
    uint64_t body_last;
    int64_t body_due;
    uint32_t body_records;
    // Commands of which the end is to be told, by their numbers.
    uint32_t *executed;
    size_t executed_count;
};

// What all devices share, and what is measured.
struct fleet {
    struct endpoint endpoint;
    struct device *devices;
    uint32_t count;
    char secret[64];
    char run[9], boot[13]; // of this run: 8 and 12 hexadecimal digits
    bool is_plain;         // behind a proxy, which says in X-Forwarded-For who it is
    uint32_t readings;     // in a batch
    int64_t interval;      // between two batches, in ns; 0 is back to back
    uint32_t kept;         // devices that keep their second connection open
    int64_t poll_seconds;
    bool is_stopping;

    uint32_t enrolled, waiting, in_flight;
    bool all_are_waiting, all_are_enrolled, is_quiet;
    bool is_measured; // requests begun from now on count
    uint64_t acknowledged, reported;
    struct samples enrolments, heartbeats, batches, reports;
    struct samples requests; // all that do not wait, operators' too
    // A device has a command that this generator made, by its number.
    void (*on_command)(uint32_t number);
};

// Makes devices and their keys.
void fleet_prepare(struct fleet *fleet);
// The device enrols, says that it is there, and waits for commands, if the fleet is to wait.
void device_start(void *device, int64_t due);
// The device sends batches from now on.
void device_begin_readings(void *device, int64_t due);
// Signs and sends. Content goes along when there is some; it stays the caller's.
void device_request(struct device *device, struct connection *connection, const char *method, const char *target,
                    const char *fields, const struct bytes *content, int64_t due, int64_t seconds, answered *answered);
