// The least that a supervisor can do, as the yardstick: `respawn COUNT PROGRAM ARGUMENT`. Keeps COUNT processes of PROGRAM
// alive, each with ARGUMENT whose "%" is replaced by its number: clone3 without vfork, exec, wait on a pidfd, again.
// TERM ends them all, then this program.
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct worker {
    int pidfd;
    char argument[256];
};

static int events;
static sigset_t no_signals;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void spawn(struct worker *worker, char *program) {
    struct clone_args how = {
        .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&worker->pidfd, .exit_signal = SIGCHLD};
    long child = syscall(SYS_clone3, &how, sizeof how);
    if (child < 0) fail("clone3");
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &no_signals, NULL);
        execve(program, (char *[]){program, worker->argument, NULL}, environ);
        _exit(127);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = worker};
    if (epoll_ctl(events, EPOLL_CTL_ADD, worker->pidfd, &event) < 0) fail("epoll_ctl");
}

static void reap(struct worker *worker) {
    siginfo_t how;
    while (waitid(P_PIDFD, (id_t)worker->pidfd, &how, WEXITED) < 0)
        if (errno != EINTR) fail("waitid");
    // Closing alone would leave it in the set while a child that is not yet at its exec holds a copy (epoll(7), Q6).
    epoll_ctl(events, EPOLL_CTL_DEL, worker->pidfd, NULL);
    close(worker->pidfd);
}

int main(int argc, char **argv) {
    if (argc != 4 || atoi(argv[1]) < 1) {
        fprintf(stderr, "usage: respawn COUNT PROGRAM ARGUMENT\n");
        return 64;
    }
    int count = atoi(argv[1]);
    char *mark = strchr(argv[3], '%');
    struct worker *workers = calloc((size_t)count, sizeof *workers);
    struct rlimit descriptors;
    getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
    if (!workers || (events = epoll_create1(EPOLL_CLOEXEC)) < 0) fail("start");

    sigset_t terminate;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    sigprocmask(SIG_BLOCK, &terminate, &no_signals);
    int signals = signalfd(-1, &terminate, SFD_CLOEXEC);
    epoll_ctl(events, EPOLL_CTL_ADD, signals, &(struct epoll_event){.events = EPOLLIN});

    for (int i = 0; i < count; i++) {
        int before = mark ? (int)(mark - argv[3]) : (int)strlen(argv[3]);
        snprintf(workers[i].argument, sizeof workers[i].argument, "%.*s%d%s", before, argv[3], i, mark ? mark + 1 : "");
        spawn(&workers[i], argv[2]);
    }
    for (;;) {
        struct epoll_event ready[64];
        int some = epoll_wait(events, ready, 64, -1);
        for (int i = 0; i < some; i++) {
            struct worker *worker = ready[i].data.ptr;
            if (!worker) { // TERM
                for (int j = 0; j < count; j++) syscall(SYS_pidfd_send_signal, workers[j].pidfd, SIGTERM, NULL, 0);
                for (int j = 0; j < count; j++) reap(&workers[j]);
                return 0;
            }
            reap(worker);
            spawn(worker, argv[2]);
        }
    }
}
