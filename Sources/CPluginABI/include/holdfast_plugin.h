/* holdfast_plugin.h: the contract between Holdfast and a plugin.
 *
 * A plugin is a shared library that executes commands. It includes this file, links nothing of Holdfast, and exports one
 * function, HF_PLUGIN_ENTRY. This is a whole plugin:
 *
 *     #include "holdfast_plugin.h"
 *
 *     static int32_t execute(const hf_host *host, const hf_command *command) {
 *         host->log(host, HF_LOG_INFO, "on it");
 *         return host->set_result(host, "{\"done\":true}", 13);
 *     }
 *
 *     static const hf_plugin_kind kinds[] = {{.name = "lamp.blink", .flags = HF_KIND_REPEATABLE}};
 *
 *     static const hf_plugin_descriptor descriptor = {
 *         HF_PLUGIN_DESCRIPTOR_HEAD, .name = "lamp", .version = "1.0.0",
 *         .kinds = kinds, .kind_count = 1, .execute = execute,
 *     };
 *
 *     HF_PLUGIN_EXPORT const hf_plugin_descriptor *hf_plugin_entry_v1(void) { return &descriptor; }
 *
 * Build it with `cc -std=c11 -shared -fPIC -o lamp.so lamp.c`, look at it with `holdfast plugin check lamp.so`, try it with
 * `holdfast plugin run lamp.so --command command.json`.
 *
 * What happens to it: for each command a new process is started, with a user of its own, confined, and with nothing but
 * the plugin in it. The library is loaded, hf_plugin_entry_v1 is called once, then `execute` once, on the main thread. When
 * `execute` returns, the process ends. So a plugin keeps nothing in memory from one command to the next, and a crash, a
 * leak or a hang of it harms one command only. It keeps what it needs in its state directory.
 *
 * The rules that hold for everything below (docs/plugin-abi.md numbers them):
 *
 *   Text      is UTF-8 and ends with a NUL byte. Where a length stands beside it, the length does not count that byte.
 *             What is not UTF-8 is shown with replacement characters, and refused where JSON is expected.
 *   Memory    belongs to whoever made it. What the host hands out is valid until `execute` returns; what the plugin hands over
 *             is copied before the function returns. Nobody frees what the other one allocated.
 *   Threads   A plugin may start threads, and each may call host functions at any time until `execute` has returned.
 *             Afterwards they answer HF_ERROR_ENDED and do nothing. In a process that the plugin has forked they do the same.
 *   Errors    A function that can fail answers HF_OK (0) or a negative HF_ERROR_*. last_error says in words what
 *             was wrong with the last call of the same thread.
 *   Standard  output and standard error are a plugin's own; Holdfast logs what is printed there. Descriptor 3 is the host's.
 *   Versions  This is version 1 of the ABI. Within it structs only grow, at their end, and every struct says its size. A
 *             plugin that was built against an older header goes on working; one built against a newer header asks
 *             HF_HOST_HAS before it calls what an older host may lack.
 */
#ifndef HOLDFAST_PLUGIN_H
#define HOLDFAST_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this contract. It changes only when old plugins cannot be loaded any more, and then the entry function
 * has another name as well. */
#define HF_PLUGIN_ABI_VERSION 1u

/* The name of the one function that a plugin exports. */
#define HF_PLUGIN_ENTRY "hf_plugin_entry_v1"

/* The most bytes that a request's arguments or its answer have. A buffer of this size holds every answer. */
#define HF_ANSWER_MAX 49152

/* The most bytes that a result has, unless the device says otherwise. */
#define HF_RESULT_MAX 131072

/* What host functions and `execute` answer. Zero or greater is success. */
enum {
    HF_OK = 0,
    /* It was tried, and failed. */
    HF_ERROR_FAILED = -1,
    /* The plugin was not granted this. */
    HF_ERROR_REFUSED = -2,
    /* An argument is not what it has to be: a null pointer, text that is not JSON, a name that does not exist. */
    HF_ERROR_INVALID = -3,
    /* It is longer than allowed, or the answer is longer than the buffer: see each function. */
    HF_ERROR_TOO_LONG = -4,
    /* The command was cancelled, or its time is over. `execute` may answer this as well. */
    HF_ERROR_CANCELLED = -5,
    /* `execute` has returned, this is a forked process, or the host's socket is closed. */
    HF_ERROR_ENDED = -6,
    /* This version of Holdfast, or this device, offers no such thing. */
    HF_ERROR_UNSUPPORTED = -7
};

/* How much a line of the log matters. */
enum { HF_LOG_DEBUG = 0, HF_LOG_INFO = 1, HF_LOG_WARNING = 2, HF_LOG_ERROR = 3 };

/* What is true of a kind of command. */
enum {
    /* Several commands of this kind may run at the same time, each in a process of its own. Otherwise they wait for each
     * other. */
    HF_KIND_PARALLEL = 1u << 0,
    /* It does no harm to execute the same command twice. After a power cut in the midst of it, a repeatable command is
     * executed again; any other ends as `interrupted`, since nobody knows what it has done. */
    HF_KIND_REPEATABLE = 1u << 1,
    /* `execute` asks host->cancelled and ends soon when it is true. Any other kind is ended by a signal instead. */
    HF_KIND_CANCELLABLE = 1u << 2
};

typedef struct hf_host hf_host;
typedef struct hf_command hf_command;
typedef struct hf_plugin_kind hf_plugin_kind;
typedef struct hf_plugin_descriptor hf_plugin_descriptor;

/* ---------------------------------------------------------------------------------------------------------------------
 * What the plugin says of itself
 * ------------------------------------------------------------------------------------------------------------------ */

/* One kind of command that a plugin executes. */
struct hf_plugin_kind {
    /* HF_KIND_* or'ed. Bits that the host does not know make it refuse the plugin. */
    uint32_t flags;
    uint32_t reserved; /* 0 */
    /* Such as "lamp.blink": words of a-z, 0-9 and "-", joined by at least one dot, at most 64 bytes. */
    const char *name;
    /* One line for people, or null. */
    const char *summary;
};

/* What hf_plugin_entry_v1 returns. It and everything it points to stay as they are until the process ends: make them
 * static. */
struct hf_plugin_descriptor {
    /* sizeof(hf_plugin_descriptor), as the plugin was compiled. */
    uint32_t size;
    /* HF_PLUGIN_ABI_VERSION. */
    uint32_t abi_version;
    /* sizeof(hf_plugin_kind), as the plugin was compiled: how far apart the elements of `kinds` are. */
    uint32_t kind_size;
    /* How many there are; 1 to 32. */
    uint32_t kind_count;
    /* How many wished grants there are; 0 to 16. */
    uint32_t grant_count;
    uint32_t reserved; /* 0 */
    /* a-z, 0-9 and "-", beginning with a letter, at most 48 bytes. */
    const char *name;
    /* Such as "1.4.0": digits, letters, ".", "-" and "+", at most 32 bytes. */
    const char *version;
    /* One line for people, or null. */
    const char *summary;
    const hf_plugin_kind *kinds;
    /* What the plugin wants to be granted, by these names: "artifact" (fetch_artifact), "bundle" (activate_bundle,
     * restore_bundle, requests bundle.*), "model" (requests model.*), "tree-read" (ask_tree with what changes nothing),
     * "tree-control" (ask_tree with everything), "network" (sockets of its own). A wish grants nothing: the device's
     * configuration or a signed manifest does. Null when there are none. */
    const char *const *grants;
    /* Executes one command. Called once, on the main thread.
     *
     * Returns HF_OK when it has succeeded and host->set_result was called; anything else when it has failed, preferably after
     * host->set_failure. Must not throw, longjmp out of itself, or end the process. */
    int32_t (*execute)(const hf_host *host, const hf_command *command);
    /* The end in version 1. */
};

/* The first members of every descriptor. */
#ifdef __cplusplus
#define HF_PLUGIN_DESCRIPTOR_HEAD sizeof(hf_plugin_descriptor), HF_PLUGIN_ABI_VERSION, sizeof(hf_plugin_kind)
#else
#define HF_PLUGIN_DESCRIPTOR_HEAD                                                                                      \
    .size = sizeof(hf_plugin_descriptor), .abi_version = HF_PLUGIN_ABI_VERSION, .kind_size = sizeof(hf_plugin_kind)
#endif

/* ---------------------------------------------------------------------------------------------------------------------
 * What the plugin is to do
 * ------------------------------------------------------------------------------------------------------------------ */

struct hf_command {
    /* sizeof(hf_command), as the host was compiled. */
    uint32_t size;
    uint32_t reserved;
    /* The command's id: the same command has the same id, whenever it is executed again. */
    const char *id;
    /* One of the descriptor's kinds. */
    const char *kind;
    /* JSON text, checked to be valid; "null" when the command came without. At most 64 KiB. */
    const char *payload;
    size_t payload_length;
    /* The end in version 1. */
};

/* ---------------------------------------------------------------------------------------------------------------------
 * What the host does for the plugin
 * ------------------------------------------------------------------------------------------------------------------ */

/* A table of functions. Each takes the table itself as its first argument. */
struct hf_host {
    /* sizeof(hf_host), as the host was compiled. */
    uint32_t size;
    /* The newest ABI version that the host knows. */
    uint32_t abi_version;
    /* The host's own. */
    void *context;

    /* Writes a line to the log, with the command's id. Line breaks become spaces, more than 4096 bytes are cut off. A plugin that
     * writes more than a few hundred lines a second loses some; how many is logged. */
    void (*log)(const hf_host *host, int32_t level, const char *text);

    /* Says how far it has come: 0 to 100, or -1 when that cannot be said, and a few words, or null. Operators see it as it
     * comes; of a fast sequence they see some, and always the last. */
    void (*progress)(const hf_host *host, int32_t percent, const char *text);

    /* Whether the plugin is to stop: the command was cancelled, or its time is over. Cheap enough to be asked often. Once 1, it
     * stays 1. A plugin that goes on is killed a few seconds later. */
    int32_t (*cancelled)(const hf_host *host);

    /* The time that is left for the command, in nanoseconds; 0 when it is over. */
    int64_t (*deadline)(const hf_host *host);

    /* The absolute path of a directory that only this plugin reads and writes, and that is still there for its next command; null
     * when there is none. */
    const char *(*state_directory)(const hf_host *host);

    /* Sets the command's result: one JSON value, `length` bytes, at most HF_RESULT_MAX. Called again, the last one counts.
     * HF_ERROR_TOO_LONG: longer than allowed; the command fails unless a shorter one is set. */
    int32_t (*set_result)(const hf_host *host, const char *json, size_t length);

    /* Says why the command fails, in words for an operator, at most 1024 bytes. Counts when `execute` does not return HF_OK. */
    void (*set_failure)(const hf_host *host, const char *text);

    /* What was wrong with this thread's last host function, as text in a buffer of `capacity` bytes, cut off to fit and always
     * ended by a NUL byte; empty when nothing was wrong. Returns the length of the whole text. */
    size_t (*last_error)(const hf_host *host, char *buffer, size_t capacity);

    /* Asks the host for something by name, and waits for the answer. The functions below are such requests in a handy form;
     * docs/plugin-abi.md lists all names. The argument is a JSON object, `length` bytes, at most HF_ANSWER_MAX.
     *
     * The answer, a JSON value, is written to `answer` (`capacity` bytes, null with 0 when it is not wanted) with a NUL byte behind it
     * if there is room, and its length to `answer_length` unless that is null. Some requests answer with an open, close-on-exec file
     * descriptor as well, which is then the plugin's to close; -1 is written when there is none. `descriptor` may be null.
     *
     * HF_ERROR_TOO_LONG when `answer_length` is greater than `capacity`: what was asked for is done, and the answer is lost. */
    int32_t (*request)(const hf_host *host, const char *name, const char *arguments, size_t length, char *answer, size_t capacity,
                       size_t *answer_length, int32_t *descriptor);

    /* Fetches an artifact (grant "artifact") and answers with a read-only descriptor of the whole, verified file, which is
     * the plugin's to close. `name` is what central calls it, `sha256` 64 lower-case hexadecimal digits. */
    int32_t (*fetch_artifact)(const hf_host *host, const char *name, const char *sha256, int32_t *descriptor);

    /* Makes a staged version of a bundle the current one (grant "bundle"). The host verifies it first. The answer as in
     * `request`. */
    int32_t (*activate_bundle)(const hf_host *host, const char *name, const char *version, char *answer, size_t capacity,
                               size_t *answer_length);

    /* Makes a version that is still kept the current one again; the last good one when `version` is null (grant "bundle"). */
    int32_t (*restore_bundle)(const hf_host *host, const char *name, const char *version, char *answer, size_t capacity,
                              size_t *answer_length);

    /* Calls a method of the interface io.holdfast.Runtime, such as "Status" (grants "tree-read", "tree-control"). `parameters` is a
     * JSON object of `length` bytes; null with 0 for none. */
    int32_t (*ask_tree)(const hf_host *host, const char *method, const char *parameters, size_t length, char *answer,
                        size_t capacity, size_t *answer_length);

    /* Reports a reading or an event: a JSON object as docs/telemetry.md describes it, `length` bytes. HF_OK: it will be
     * delivered. Always granted. */
    int32_t (*emit)(const hf_host *host, const char *json, size_t length);
    /* The end in version 1. */
};

/* Whether the host's table is long enough to have a member: HF_HOST_HAS(host, emit). True for everything above. */
#define HF_HOST_HAS(host, member) ((host)->size >= offsetof(hf_host, member) + sizeof((host)->member))

/* The sizes in the first release of version 1: the least that either side may claim. */
#define HF_PLUGIN_DESCRIPTOR_MIN (24u + 6u * (uint32_t)sizeof(void *))
#define HF_PLUGIN_KIND_MIN (8u + 2u * (uint32_t)sizeof(void *))

/* ---------------------------------------------------------------------------------------------------------------------
 * What a plugin exports
 * ------------------------------------------------------------------------------------------------------------------ */

#if defined(__GNUC__)
#define HF_PLUGIN_EXPORT_ATTRIBUTE __attribute__((visibility("default")))
#else
#define HF_PLUGIN_EXPORT_ATTRIBUTE
#endif
#ifdef __cplusplus
#define HF_PLUGIN_EXPORT extern "C" HF_PLUGIN_EXPORT_ATTRIBUTE
#else
#define HF_PLUGIN_EXPORT HF_PLUGIN_EXPORT_ATTRIBUTE
#endif

/* The plugin's descriptor. Called once, right after the library was loaded. */
typedef const hf_plugin_descriptor *(*hf_plugin_entry)(void);

/* ---------------------------------------------------------------------------------------------------------------------
 * What is promised, to the byte. P: the size of a pointer.
 * ------------------------------------------------------------------------------------------------------------------ */

#ifdef __cplusplus
#define HF_ASSERT(condition, text) static_assert(condition, text)
#else
#define HF_ASSERT(condition, text) _Static_assert(condition, text)
#endif
#define HF_AT(type, member, place) HF_ASSERT(offsetof(type, member) == (place), #type "." #member " has moved")
#define HF_P sizeof(void *)

HF_AT(hf_plugin_kind, flags, 0);
HF_AT(hf_plugin_kind, reserved, 4);
HF_AT(hf_plugin_kind, name, 8);
HF_AT(hf_plugin_kind, summary, 8 + HF_P);
HF_ASSERT(sizeof(hf_plugin_kind) == 8 + 2 * HF_P, "hf_plugin_kind has another size");

HF_AT(hf_plugin_descriptor, size, 0);
HF_AT(hf_plugin_descriptor, abi_version, 4);
HF_AT(hf_plugin_descriptor, kind_size, 8);
HF_AT(hf_plugin_descriptor, kind_count, 12);
HF_AT(hf_plugin_descriptor, grant_count, 16);
HF_AT(hf_plugin_descriptor, reserved, 20);
HF_AT(hf_plugin_descriptor, name, 24);
HF_AT(hf_plugin_descriptor, version, 24 + HF_P);
HF_AT(hf_plugin_descriptor, summary, 24 + 2 * HF_P);
HF_AT(hf_plugin_descriptor, kinds, 24 + 3 * HF_P);
HF_AT(hf_plugin_descriptor, grants, 24 + 4 * HF_P);
HF_AT(hf_plugin_descriptor, execute, 24 + 5 * HF_P);
HF_ASSERT(sizeof(hf_plugin_descriptor) == 24 + 6 * HF_P, "hf_plugin_descriptor has another size");

HF_AT(hf_command, size, 0);
HF_AT(hf_command, reserved, 4);
HF_AT(hf_command, id, 8);
HF_AT(hf_command, kind, 8 + HF_P);
HF_AT(hf_command, payload, 8 + 2 * HF_P);
HF_AT(hf_command, payload_length, 8 + 3 * HF_P);
HF_ASSERT(sizeof(hf_command) == 8 + 4 * HF_P, "hf_command has another size");

HF_AT(hf_host, size, 0);
HF_AT(hf_host, abi_version, 4);
HF_AT(hf_host, context, 8);
HF_AT(hf_host, log, 8 + HF_P);
HF_AT(hf_host, progress, 8 + 2 * HF_P);
HF_AT(hf_host, cancelled, 8 + 3 * HF_P);
HF_AT(hf_host, deadline, 8 + 4 * HF_P);
HF_AT(hf_host, state_directory, 8 + 5 * HF_P);
HF_AT(hf_host, set_result, 8 + 6 * HF_P);
HF_AT(hf_host, set_failure, 8 + 7 * HF_P);
HF_AT(hf_host, last_error, 8 + 8 * HF_P);
HF_AT(hf_host, request, 8 + 9 * HF_P);
HF_AT(hf_host, fetch_artifact, 8 + 10 * HF_P);
HF_AT(hf_host, activate_bundle, 8 + 11 * HF_P);
HF_AT(hf_host, restore_bundle, 8 + 12 * HF_P);
HF_AT(hf_host, ask_tree, 8 + 13 * HF_P);
HF_AT(hf_host, emit, 8 + 14 * HF_P);
HF_ASSERT(sizeof(hf_host) == 8 + 15 * HF_P, "hf_host has another size");

#undef HF_AT
#undef HF_ASSERT
#undef HF_P

#ifdef __cplusplus
}
#endif

#endif
