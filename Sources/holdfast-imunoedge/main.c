// Runs a worker that was written for ImunoEdge, unchanged:
//
//   holdfast-imunoedge PROGRAM [ARGUMENT...]
//
// Such a worker touches the file named by IMUNOEDGE_HEARTBEAT_FILE to say that it lives, and ends when the file named by
// IMUNOEDGE_STOP_SIGNAL appears; it may do either, or neither. Both variables are set here unless they are already.
//
// This process becomes the worker itself, by execve: its pid, its exit status, its signals and its CPU time are the
// worker's, and nothing has to be passed on. A helper stays beside it, in the same process group but no child of it (a
// worker that waits for all its children must not wait for ours). The helper turns touches into WATCHDOG=1 and, on
// SIGWINCH, which other programs ignore, creates the stop file. It ends when the worker does; if it is killed alone, the
// watchdog finds the worker silent and both are started again.
//
// Exit status: the worker's own; 1 its files cannot be prepared, 64 wrong usage, 126 the program cannot be run, 127 there
// is no such program.

#include "launcher.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { exit_unprepared = 1, exit_usage = 64, exit_not_runnable = 126, exit_not_found = 127 };

// The helper is a grandchild whose parent ends at once.
static void start_helper(const struct helper *helper, int watch) {
    pid_t middle = fork();
    if (middle < 0) fail(exit_unprepared, "cannot start a helper for", helper->files->heartbeat);
    if (middle == 0) {
        pid_t child = fork();
        if (child < 0) fail(exit_unprepared, "cannot start a helper for", helper->files->heartbeat);
        if (child == 0) helper_run(helper, watch);
        _exit(0);
    }
    int status = 0;
    while (waitpid(middle, &status, 0) < 0 && errno == EINTR) {}
    if (status != 0) _exit(exit_unprepared);
}

int main(int argc, char **argv) {
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: holdfast-imunoedge PROGRAM [ARGUMENT...]\n"
                        "Runs a worker that was written for ImunoEdge; see migrating-from-imunoedge.md.\n");
        return exit_usage;
    }
    // A request to stop must not pass by while there is no helper yet.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);

    struct worker_files files;
    files_prepare(&files);
    struct helper helper = {.files = &files};
    helper_read_environment(&helper);
    helper.worker = (int)syscall(SYS_pidfd_open, getpid(), 0U);
    if (helper.worker < 0) fail(exit_unprepared, "cannot watch the process of", argv[1]);
    start_helper(&helper, helper_watch_heartbeat(&helper));

    sigset_t pending;
    if (sigpending(&pending) == 0 && sigismember(&pending, SIGWINCH) == 1) files_request_stop(&files);
    sigprocmask(SIG_SETMASK, &before, NULL);
    execvp(argv[1], argv + 1);
    fail(errno == ENOENT || errno == ENOTDIR ? exit_not_found : exit_not_runnable, "cannot run", argv[1]);
}
