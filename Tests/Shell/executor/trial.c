// A plugin for tests: one kind for each thing that a plugin may do wrong, and some that it may do right.
#define _GNU_SOURCE
#include "holdfast_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

static char result[65536];
static size_t used;

static void add(const char *format, ...) {
    va_list values;
    va_start(values, format);
    int count = vsnprintf(result + used, sizeof result - used, format, values);
    va_end(values);
    if (count > 0) used += (size_t)count;
}

static int32_t finish(const hf_host *host) { return host->set_result(host, result, used); }

/// How an attempt has ended, as a member of the result: "done", or the name of the error.
static void tell(const char *what, int worked) {
    const char *error = strerrorname_np(errno);
    add("%s\"%s\":\"%s\"", used > 1 ? "," : "", what, worked ? "done" : error ? error : "?");
}

static void try_open(const char *what, const char *path, int flags) {
    int file = open(path, flags, 0600);
    tell(what, file >= 0);
    if (file >= 0) close(file);
}

/// The text behind "key":" in the payload; the tests' keys and values need no more of JSON.
static const char *payload_text(const hf_command *command, const char *key, char *buffer, size_t size) {
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\":\"", key);
    const char *found = strstr(command->payload, pattern);
    if (!found) return "";
    found += strlen(pattern);
    size_t length = strcspn(found, "\"");
    if (length >= size) length = size - 1;
    memcpy(buffer, found, length);
    buffer[length] = 0;
    return buffer;
}

static long payload_number(const hf_command *command, const char *key) {
    char text[32];
    return atol(payload_text(command, key, text, sizeof text));
}

static int32_t attack(const hf_host *host, const hf_command *command) {
    char state[1024], runtime[1024], path[2048];
    payload_text(command, "state_dir", state, sizeof state);
    payload_text(command, "runtime_dir", runtime, sizeof runtime);
    add("{");
    snprintf(path, sizeof path, "%s/uplink/identity.pem", state);
    try_open("read_key", path, O_RDONLY);
    snprintf(path, sizeof path, "%s/bundles/planted", state);
    try_open("write_bundles", path, O_WRONLY | O_CREAT);
    snprintf(path, sizeof path, "%s/plugins/other/planted", state);
    try_open("write_other", path, O_WRONLY | O_CREAT);
    snprintf(path, sizeof path, "%s/control.sock", runtime);
    try_open("control_socket", path, O_RDONLY);
    try_open("read_shadow", "/etc/shadow", O_RDONLY);
    try_open("read_passwd", "/etc/passwd", O_RDONLY);
    try_open("write_etc", "/etc/holdfast-planted", O_WRONLY | O_CREAT);
    for (int index = 0; index < 3; index++) {
        static const char *const keys[] = {"holdfastd", "uplink", "worker"};
        char name[32];
        long pid = payload_number(command, keys[index]);
        snprintf(name, sizeof name, "signal_%s", keys[index]);
        errno = ESRCH;
        tell(name, pid > 1 && kill((pid_t)pid, SIGKILL) == 0);
    }
    tell("signal_parent", kill(getppid(), SIGKILL) == 0);
    tell("signal_all", kill(-1, SIGTERM) == 0);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        for (;;) pause();
    }
    tell("fork", child > 0);
    int internet = socket(AF_INET, SOCK_STREAM, 0);
    tell("internet", internet >= 0);
    tell("become_root", setuid(0) == 0);
    snprintf(path, sizeof path, "%s/notes", host->state_directory(host) ? host->state_directory(host) : "/nowhere");
    try_open("own_state", path, O_WRONLY | O_CREAT);
    try_open("own_tmp", "/tmp/notes", O_WRONLY | O_CREAT);
    char answer[65536];
    size_t length = 0;
    int32_t status = host->ask_tree(host, "Status", NULL, 0, answer, sizeof answer, &length);
    add(",\"ask_status\":%d", status);
    status = host->ask_tree(host, "StopWorker", "{\"name\":\"worker\"}", 17, answer, sizeof answer, &length);
    add(",\"ask_stop\":%d", status);
    status = host->activate_bundle(host, "x", "1.0.0", answer, sizeof answer, &length);
    add(",\"activate_bundle\":%d", status);
    status = host->emit(host, "{\"value\":1}", 11);
    add(",\"emit\":%d,\"uid\":%d}", status, (int)getuid());
    return finish(host);
}

static int32_t wait_until_cancelled(const hf_host *host) {
    host->progress(host, 10, "waiting");
    while (!host->cancelled(host)) usleep(1000);
    host->set_failure(host, "stopped in good order");
    return HF_ERROR_CANCELLED;
}

static int32_t execute(const hf_host *host, const hf_command *command) {
    const char *kind = strchr(command->kind, '.') + 1;
    if (strcmp(kind, "echo") == 0) return host->set_result(host, command->payload, command->payload_length);
    if (strcmp(kind, "attack") == 0) return attack(host, command);
    if (strcmp(kind, "wait") == 0) return wait_until_cancelled(host);
    if (strcmp(kind, "crash") == 0) {
        fprintf(stderr, "about to crash\n");
        int *volatile nowhere = (int *)8;
        *nowhere = 1;
    }
    if (strcmp(kind, "abort") == 0) abort();
    if (strcmp(kind, "hang") == 0) for (;;) pause();
    if (strcmp(kind, "spin") == 0) for (volatile unsigned turn = 0;; turn++) {}
    if (strcmp(kind, "exit") == 0) _exit(7);
    if (strcmp(kind, "nothing") == 0) return HF_OK;
    if (strcmp(kind, "close") == 0) {
        for (int descriptor = 0; descriptor < 256; descriptor++) close(descriptor);
        for (;;) pause();
    }
    if (strcmp(kind, "leak") == 0) {
        for (;;) {
            char *block = malloc(1 << 20);
            if (!block) abort();
            memset(block, 1, 1 << 20);
        }
    }
    if (strcmp(kind, "flood") == 0) {
        for (int line = 0; line < 200000; line++) {
            printf("line %d of a flood that nobody wants to read\n", line);
            host->log(host, HF_LOG_INFO, "and a logged one");
            host->progress(host, line % 100, "flooding");
        }
        return host->set_result(host, "true", 4);
    }
    if (strcmp(kind, "large") == 0) {
        static char text[4 << 20];
        memset(text, 'x', sizeof text);
        text[0] = text[sizeof text - 1] = '"';
        return host->set_result(host, text, sizeof text);
    }
    if (strcmp(kind, "nonsense") == 0) {
        for (int packet = 0; packet < 1000; packet++) {
            if (send(3, result, 1000, 0) < 0) break;
        }
        for (;;) pause();
    }
    if (strcmp(kind, "sleep") == 0) {
        host->progress(host, 50, "half way");
        usleep(300000);
        return host->set_result(host, "\"slept\"", 7);
    }
    host->set_failure(host, "it does not know the kind");
    return HF_ERROR_FAILED;
}

static const hf_plugin_kind kinds[] = {
    {.name = "trial.echo", .flags = HF_KIND_REPEATABLE | HF_KIND_PARALLEL, .summary = "answers with its payload"},
    {.name = "trial.sleep", .flags = HF_KIND_PARALLEL},
    {.name = "trial.wait", .flags = HF_KIND_CANCELLABLE | HF_KIND_REPEATABLE},
    {.name = "trial.attack"},
    {.name = "trial.crash"},
    {.name = "trial.abort"},
    {.name = "trial.hang"},
    {.name = "trial.spin"},
    {.name = "trial.exit"},
    {.name = "trial.nothing"},
    {.name = "trial.close"},
    {.name = "trial.leak"},
    {.name = "trial.flood"},
    {.name = "trial.large"},
    {.name = "trial.nonsense"},
};

static const char *const grants[] = {"tree-read", "bundle"};

static const hf_plugin_descriptor descriptor = {
    HF_PLUGIN_DESCRIPTOR_HEAD,
    .name = "trial",
    .version = "1.2.3",
    .kinds = kinds,
    .kind_count = sizeof kinds / sizeof kinds[0],
    .grants = grants,
    .grant_count = 2,
    .execute = execute,
};

HF_PLUGIN_EXPORT const hf_plugin_descriptor *hf_plugin_entry_v1(void) { return &descriptor; }
