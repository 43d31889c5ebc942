// The process beside the worker: from touches of a file to WATCHDOG=1, from a signal to a file.

#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

void helper_read_environment(struct helper *helper) {
    const char *path = getenv("NOTIFY_SOCKET");
    helper->notify_length = 0;
    helper->period = 0;
    if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof helper->notify.sun_path) return;
    memset(&helper->notify, 0, sizeof helper->notify);
    helper->notify.sun_family = AF_UNIX;
    memcpy(helper->notify.sun_path, path, strlen(path));
    if (*path == '@') helper->notify.sun_path[0] = '\0'; // an abstract name (unix(7))
    helper->notify_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    const char *period = getenv("WATCHDOG_USEC");
    if (period) helper->period = strtoull(period, NULL, 10);
}

int helper_watch_heartbeat(const struct helper *helper) {
    if (helper->period == 0) return -1;
    char folder[PATH_MAX];
    strcpy(folder, helper->files->heartbeat);
    char *slash = strrchr(folder, '/');
    if (!slash) {
        strcpy(folder, ".");
    } else if (slash == folder) {
        folder[1] = '\0';
    } else {
        *slash = '\0';
    }
    // The folder, not the file: a worker may well replace it.
    uint32_t touches = IN_ATTRIB | IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO;
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch >= 0 && inotify_add_watch(watch, folder, touches | IN_ONLYDIR) >= 0) return watch;
    // Tolerated: the limit of inotify(7) is per user and shared with others; a worker without watchdog is better than none.
    complain("the heartbeat is not supervised, for it is impossible to watch", folder);
    if (watch >= 0) close(watch);
    return -1;
}

static void ping(const struct helper *helper) {
    static const char message[] = "WATCHDOG=1";
    int messenger = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (messenger < 0) return;
    // Without waiting: a full queue holds pings enough. And while no runtime is there, nobody wants one.
    sendto(messenger, message, sizeof message - 1, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&helper->notify,
           helper->notify_length);
    close(messenger);
}

// Takes what has happened in the heartbeat's folder. Returns whether the file was touched.
static int take_touches(int watch, const char *file) {
    _Alignas(struct inotify_event) char buffer[4096];
    int is_touched = 0;
    for (;;) {
        ssize_t count = read(watch, buffer, sizeof buffer);
        if (count <= 0) return is_touched;
        for (char *place = buffer; place < buffer + count;) {
            const struct inotify_event *event = (const struct inotify_event *)place;
            if (event->len > 0 && strcmp(event->name, file) == 0) is_touched = 1;
            place += sizeof *event + event->len;
        }
    }
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// The worker's stop plan begins with SIGWINCH, for that ends no program; SIGTERM goes to all of its processes, and by then
// the file is useful still. Everything else is the worker's business.
static int open_stop_signals(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGWINCH);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

void helper_run(const struct helper *helper, int watch) {
    prctl(PR_SET_NAME, "hf-imunoedge");
    const char *slash = strrchr(helper->files->heartbeat, '/');
    const char *name = slash ? slash + 1 : helper->files->heartbeat;
    int signals = open_stop_signals();
    // Not every worker has the habit, and nothing tells which: until its first touch the worker counts as alive as long as
    // its process is. From then on only touches count.
    int has_habit = 0;
    int64_t half = helper->period == 0 ? 0 : (int64_t)(helper->period / 2000) + 1;
    int64_t next = now_ms() + half;
    // Whoever touches it all the time is not worth a ping each time: the next touches wait in the kernel.
    int64_t rest = half / 8 < 1000 ? half / 8 : 1000;
    int64_t rested = 0;
    struct pollfd sources[] = {
        {.fd = helper->worker, .events = POLLIN}, {.fd = signals, .events = POLLIN}, {.fd = watch, .events = POLLIN}};
    for (;;) {
        int is_resting = sources[2].fd < 0 && watch >= 0;
        int timeout = -1;
        if (is_resting || (half > 0 && !has_habit)) {
            int64_t left = (is_resting ? rested : next) - now_ms();
            timeout = left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
        }
        int ready = poll(sources, 3, timeout);
        if (ready < 0 && errno != EINTR) fail(1, "cannot wait for", helper->files->heartbeat);
        if (ready < 0) continue;
        if (sources[0].revents) {
            files_remove(helper->files);
            _exit(0);
        }
        if (sources[1].revents) {
            struct signalfd_siginfo signal;
            while (read(signals, &signal, sizeof signal) == sizeof signal) files_request_stop(helper->files);
        }
        int64_t now = now_ms();
        if (sources[2].revents && now < rested) {
            sources[2].fd = -1;
            continue;
        }
        if (is_resting && now >= rested) sources[2].fd = watch;
        if (sources[2].revents && take_touches(watch, name)) {
            has_habit = 1;
            ping(helper);
            rested = now + rest;
        } else if (half > 0 && !has_habit && now >= next) {
            ping(helper);
            next = now + half;
        }
    }
}
