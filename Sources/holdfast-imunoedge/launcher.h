// What the parts of holdfast-imunoedge share; main.c says what the program is for.
#ifndef HOLDFAST_IMUNOEDGE_LAUNCHER_H
#define HOLDFAST_IMUNOEDGE_LAUNCHER_H

#include <limits.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/// The two files of a worker, by the names that it is told.
struct worker_files {
    char heartbeat[PATH_MAX];
    char stop[PATH_MAX];
    /// The folder of all such files when they are ours, kept open; -1 when the configuration names other places.
    int folder;
};

/// What the helper needs. All descriptors are close-on-exec.
struct helper {
    const struct worker_files *files;
    /// The pidfd of the process that becomes the worker.
    int worker;
    /// NOTIFY_SOCKET; a length of 0 when there is none.
    struct sockaddr_un notify;
    socklen_t notify_length;
    /// The watchdog's period in microseconds; 0 when nobody waits for pings.
    uint64_t period;
};

/// Finds the places of the files, makes their folder, and removes what an earlier run has left. Ends the program with a
/// message when that is impossible: a worker that finds an old stop file would end at once, again and again.
void files_prepare(struct worker_files *files);

/// Creates the stop file, once.
void files_request_stop(const struct worker_files *files);

/// Removes both files.
void files_remove(const struct worker_files *files);

/// Reads NOTIFY_SOCKET and WATCHDOG_USEC (sd_notify(3), sd_watchdog_enabled(3)).
void helper_read_environment(struct helper *helper);

/// Watches the heartbeat from now on, so that no touch is missed however late the helper itself runs.
/// Returns the inotify descriptor; -1 when there is nothing to watch it for, or, said on standard error, when it cannot.
int helper_watch_heartbeat(const struct helper *helper);

/// Runs until the worker has ended. Expects all signals to be blocked.
_Noreturn void helper_run(const struct helper *helper, int watch);

/// Says what has failed, with errno's text, and ends the program.
_Noreturn void fail(int status, const char *what, const char *subject);

/// Says what has failed, with errno's text.
void complain(const char *what, const char *subject);

#endif
