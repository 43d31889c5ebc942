// One plugin with many faults: each kind of command is one of them. Compiled by the tests, with VARIANT for plugins that are
// wrong before they execute anything.
#include "holdfast_plugin.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef VARIANT
#define VARIANT 0
#endif

enum {
    good = 0,
    newer_abi = 1,
    short_descriptor = 2,
    larger = 3,
    no_entry = 4,
    null_descriptor = 5,
    all_wrong = 6,
    crashes_early = 7,
    unresolved = 8,
    only_v2 = 9,
    wide_kinds = 10,
    hangs_early = 11,
    hardly_known = 12
};

static int32_t succeed(const hf_host *host) { return host->set_result(host, "{\"done\":true}", 13); }

static void *call_many_times(void *argument) {
    const hf_host *host = argument;
    for (int turn = 0; turn < 25; turn++) {
        char answer[64];
        size_t length = 0;
        host->log(host, HF_LOG_DEBUG, "from a thread");
        host->progress(host, turn, "turn");
        if (host->request(host, "test.double", "{\"number\":21}", 13, answer, sizeof answer, &length, NULL) != HF_OK)
            return (void *)(uintptr_t)host;
        if (strcmp(answer, "42") != 0 || length != 2) return (void *)(uintptr_t)host;
        if (host->cancelled(host)) return (void *)(uintptr_t)host;
    }
    return NULL;
}

static void *call_for_ever(void *argument) {
    const hf_host *host = argument;
    for (;;) {
        char answer[16];
        host->log(host, HF_LOG_INFO, "still here");
        host->set_result(host, "\"late\"", 6);
        host->request(host, "test.double", "{\"number\":1}", 12, answer, sizeof answer, NULL, NULL);
    }
    return NULL;
}

static int32_t from_threads(const hf_host *host) {
    pthread_t threads[8];
    for (int index = 0; index < 8; index++)
        pthread_create(&threads[index], NULL, call_many_times, (void *)(uintptr_t)host);
    int failures = 0;
    for (int index = 0; index < 8; index++) {
        void *result = NULL;
        pthread_join(threads[index], &result);
        failures += result != NULL;
    }
    return failures ? failures : succeed(host);
}

// Asks for everything, and answers with what it got.
static int32_t ask(const hf_host *host) {
    static char answer[HF_ANSWER_MAX];
    char words[128] = "", text[256] = "", file[32] = "";
    size_t length = 0;
    int32_t descriptor = -7;
    int32_t fetched = host->fetch_artifact(
        host, "models/ear \"1\"", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", &descriptor);
    ssize_t count = descriptor >= 0 ? read(descriptor, file, sizeof file - 1) : -1;
    file[count > 0 ? count : 0] = '\0';
    int is_closed_on_exec = descriptor >= 0 && (fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
    int32_t refused = host->activate_bundle(host, "shop", "2.0", answer, sizeof answer, &length);
    host->last_error(host, words, sizeof words);
    int32_t restored = host->restore_bundle(host, "shop", NULL, answer, sizeof answer, &length);
    size_t restored_length = length;
    int32_t tree = host->ask_tree(host, "Status", NULL, 0, answer, 4, &length);
    int32_t emitted = host->emit(host, "{\"fps\":30}", 10);
    int32_t unknown = host->request(host, "no.such.thing", NULL, 0, NULL, 0, NULL, NULL);
    int32_t broken = host->request(host, "test.double", "{", 1, NULL, 0, NULL, NULL);
    int32_t bad_name = host->fetch_artifact(host, "../etc/shadow", "00", &descriptor);
    snprintf(text, sizeof text, "[%d,\"%s\",%d,%d,\"%s\",%d,%zu,%d,%zu,%d,%d,%d,%d]", fetched, file,
             is_closed_on_exec != 0, refused, words, restored, restored_length, tree, length, emitted, unknown, broken,
             bad_name);
    return host->set_result(host, text, strlen(text));
}

static int32_t be_given_nothing(const hf_host *host) {
    char small[4] = "xyz";
    host->log(host, 77, NULL);
    host->progress(host, 1000, NULL);
    host->set_failure(host, NULL);
    host->last_error(host, NULL, 0);
    int32_t descriptor = 5;
    int are_refused = host->set_result(host, NULL, 3) == HF_ERROR_INVALID &&
                      host->request(host, NULL, NULL, 0, NULL, 0, NULL, NULL) == HF_ERROR_INVALID &&
                      host->fetch_artifact(host, NULL, NULL, &descriptor) == HF_ERROR_INVALID &&
                      host->activate_bundle(host, NULL, NULL, NULL, 0, NULL) == HF_ERROR_INVALID &&
                      host->restore_bundle(host, NULL, NULL, NULL, 0, NULL) == HF_ERROR_INVALID &&
                      host->ask_tree(host, NULL, NULL, 0, NULL, 0, NULL) == HF_ERROR_INVALID &&
                      host->emit(host, NULL, 0) == HF_ERROR_INVALID;
    size_t whole = host->last_error(host, small, sizeof small);
    return are_refused && whole > 3 && strlen(small) == 3 ? succeed(host) : HF_ERROR_FAILED;
}

static int32_t execute(const hf_host *host, const hf_command *command) {
    const char *kind = command->kind;
#define IS(name) (strcmp(kind, "test." name) == 0)
    if (IS("echo")) {
        host->log(host, HF_LOG_WARNING, "two\nlines");
        host->progress(host, 50, "half");
        host->progress(host, 100, "all");
        printf("printed %s\n", command->id);
        return host->set_result(host, command->payload, command->payload_length);
    }
    if (IS("segfault")) *(volatile int *)16 = 1;
    if (IS("abort")) abort();
    if (IS("hang"))
        for (;;) pause();
    if (IS("deaf"))
        for (;;) pause();
    if (IS("wait")) {
        while (!host->cancelled(host)) usleep(2000);
        host->set_failure(host, host->deadline(host) == 0 ? "no time left" : "asked to stop");
        return HF_ERROR_CANCELLED;
    }
    if (IS("wake")) {
        int32_t status = host->request(host, "test.never", NULL, 0, NULL, 0, NULL, NULL);
        host->set_failure(host, status == HF_ERROR_CANCELLED && host->cancelled(host) ? "woken" : "not woken");
        return status;
    }
    if (IS("finish-anyway")) {
        while (!host->cancelled(host)) usleep(2000);
        return succeed(host);
    }
    if (IS("fork")) {
        if (fork() == 0)
            for (;;) pause();
        return succeed(host);
    }
    if (IS("fork-both")) {
        if (fork() == 0) {
            host->set_result(host, "\"the child\"", 11);
            return host->cancelled(host) ? HF_OK : HF_ERROR_FAILED;
        }
        wait(NULL);
        return succeed(host);
    }
    if (IS("close")) {
        for (int descriptor = 0; descriptor < 256; descriptor++) close(descriptor);
        for (;;) pause();
    }
    if (IS("close-return")) {
        for (int descriptor = 0; descriptor < 256; descriptor++) close(descriptor);
        return succeed(host);
    }
    if (IS("replace")) {
        char path[4096];
        snprintf(path, sizeof path, "%s/mine", host->state_directory(host));
        int mine[2];
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, mine);
        dup2(mine[0], 3);
        host->log(host, HF_LOG_INFO, "not into my socket");
        char stolen[256];
        ssize_t count = recv(mine[1], stolen, sizeof stolen, MSG_DONTWAIT);
        FILE *file = fopen(path, "w");
        if (count > 0) fwrite(stolen, 1, (size_t)count, file);
        fclose(file);
        return succeed(host);
    }
    if (IS("exit")) exit(0);
    if (IS("no-result")) return HF_OK;
    if (IS("fail")) {
        host->set_failure(host, "the lamp\nis broken");
        return HF_ERROR_FAILED;
    }
    if (IS("fail-silently")) return 3;
    if (IS("megabytes")) {
        char *bytes = malloc(8 << 20);
        memset(bytes, '1', 8 << 20);
        return host->set_result(host, bytes, 8 << 20) == HF_ERROR_TOO_LONG ? HF_OK : succeed(host);
    }
    if (IS("longest")) {
        size_t length = HF_RESULT_MAX;
        char *bytes = malloc(length);
        memset(bytes, 'x', length);
        bytes[0] = bytes[length - 1] = '"';
        return host->set_result(host, bytes, length);
    }
    if (IS("flood")) {
        for (int line = 0; line < 20000; line++) {
            host->log(host, HF_LOG_INFO, "flood");
            host->progress(host, line / 200, "flood");
        }
        return succeed(host);
    }
    if (IS("not-utf8")) {
        host->log(host, HF_LOG_INFO, "caf\xe9");
        host->progress(host, -1, "\xff");
        return host->set_result(host, "\"caf\xe9\"", 6);
    }
    if (IS("not-json")) return host->set_result(host, "{done}", 6);
    if (IS("threads")) return from_threads(host);
    if (IS("late")) {
        pthread_t thread;
        for (int index = 0; index < 4; index++) pthread_create(&thread, NULL, call_for_ever, (void *)(uintptr_t)host);
        return succeed(host);
    }
    if (IS("ask")) return ask(host);
    if (IS("nothing")) return be_given_nothing(host);
    if (IS("garbage")) {
        write(3, "zzzz", 4);
        for (;;) pause();
    }
    if (IS("signal")) kill(getpid(), SIGTERM);
    if (IS("state")) {
        char text[4200];
        snprintf(text, sizeof text, "[\"%s\",%d]", host->state_directory(host), host->deadline(host) > 0);
        return host->set_result(host, text, strlen(text));
    }
    return HF_ERROR_INVALID;
}

// With more at its end than today's header has.
struct larger_descriptor {
    hf_plugin_descriptor today;
    void *tomorrow[4];
};
struct wide_kind {
    hf_plugin_kind today;
    void *tomorrow;
};

#define KIND(kind_name, kind_flags) {.name = "test." kind_name, .flags = kind_flags}
static const hf_plugin_kind kinds[] = {
    KIND("echo", HF_KIND_PARALLEL | HF_KIND_REPEATABLE),
    KIND("segfault", 0),
    KIND("abort", 0),
    KIND("hang", 0),
    KIND("deaf", HF_KIND_CANCELLABLE),
    KIND("wait", HF_KIND_CANCELLABLE),
    KIND("wake", HF_KIND_CANCELLABLE),
    KIND("finish-anyway", HF_KIND_CANCELLABLE),
    KIND("fork", 0),
    KIND("fork-both", 0),
    KIND("close", 0),
    KIND("close-return", 0),
    KIND("replace", 0),
    KIND("exit", 0),
    KIND("no-result", 0),
    KIND("fail", 0),
    KIND("fail-silently", 0),
    KIND("megabytes", 0),
    KIND("longest", 0),
    KIND("flood", 0),
    KIND("not-utf8", 0),
    KIND("not-json", 0),
    KIND("threads", 0),
    KIND("late", 0),
    KIND("ask", 0),
    KIND("nothing", 0),
    KIND("garbage", 0),
    KIND("signal", 0),
    KIND("state", 0),
};
enum { kind_count = sizeof kinds / sizeof *kinds };

static const char *const grants[] = {"artifact", "bundle"};

#define BASE                                                                                                           \
    HF_PLUGIN_DESCRIPTOR_HEAD, .name = "behaviours", .version = "1.0.0", .summary = "Every fault.", .kinds = kinds,    \
        .kind_count = kind_count, .grants = grants, .grant_count = 2, .execute = execute

static struct larger_descriptor descriptor = {.today = {BASE},
                                              .tomorrow = {(void *)1, (void *)1, (void *)1, (void *)1}};
static struct wide_kind wide = {.today = KIND("echo", 0), .tomorrow = (void *)1};
static const char *const strange_grants[] = {"root", NULL};
static const hf_plugin_kind strange_kinds[] = {{.name = "Lamp", .flags = 0},
                                               {.name = "lamp.blink", .flags = 0x80, .reserved = 3},
                                               {.name = "lamp.blink"},
                                               {.name = NULL}};

#if VARIANT == 8
int not_to_be_found_anywhere(int);
int nor_is_this(int);
int use_them(int a) { return not_to_be_found_anywhere(a) + nor_is_this(a); }
#endif

__attribute__((constructor)) static void begin(void) {
    if (VARIANT == crashes_early) *(volatile int *)16 = 1;
    if (VARIANT == hangs_early)
        for (;;) pause();
}

#if VARIANT == 9
HF_PLUGIN_EXPORT const hf_plugin_descriptor *hf_plugin_entry_v2(void) { return &descriptor.today; }
#elif VARIANT != 4
HF_PLUGIN_EXPORT
#endif
#if VARIANT == 4 || VARIANT == 9
__attribute__((unused)) static
#endif
    const hf_plugin_descriptor *
    hf_plugin_entry_v1(void) {
    static struct wide_kind wide_kinds_table[2];
    switch (VARIANT) {
    case newer_abi: descriptor.today.abi_version = 2; break;
    case short_descriptor: descriptor.today.size = 40; break;
    case larger: descriptor.today.size = sizeof descriptor; break;
    case null_descriptor: return NULL;
    case hardly_known:
        descriptor.today.grants = strange_grants;
        descriptor.today.grant_count = 1;
        break;
    case wide_kinds:
        wide_kinds_table[0] = wide;
        wide_kinds_table[1] = wide;
        wide_kinds_table[1].today.name = "test.state";
        descriptor.today.kinds = &wide_kinds_table[0].today;
        descriptor.today.kind_size = sizeof wide;
        descriptor.today.kind_count = 2;
        break;
    case all_wrong:
        descriptor.today.name = "All Wrong";
        descriptor.today.version = "1 0";
        descriptor.today.reserved = 9;
        descriptor.today.execute = NULL;
        descriptor.today.kinds = strange_kinds;
        descriptor.today.kind_count = 4;
        descriptor.today.grants = strange_grants;
        break;
    default: break;
    }
    return &descriptor.today;
}
