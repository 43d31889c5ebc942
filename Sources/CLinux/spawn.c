#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

// struct clone_args of clone(2), up to the field that CLONE_INTO_CGROUP needs.
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

#define HF_CLONE_PIDFD 0x00001000ULL
#define HF_CLONE_INTO_CGROUP 0x200000000ULL

// The child side. Only what is safe between fork and exec in any program: system calls on prepared memory. What
// changes identity is called raw, for glibc's wrappers would try to tell the threads that the child does not have.

static _Noreturn void fail(int exec_pipe, enum hf_spawn_step step) {
    struct hf_spawn_failure failure = {.step = step, .error = errno};
    // Eight bytes into an empty pipe: whole or, if the parent is gone, not at all.
    ssize_t ignored = write(exec_pipe, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

static int reset_signals(void) {
    // exec resets handlers, not what is ignored. Raw, since glibc hides the two signals that it keeps for itself, which
    // somebody may have made us ignore. All zero: SIG_DFL, no flags, no mask, whatever the architecture's layout.
    const uint64_t defaults[8] = {0};
    for (int number = 1; number <= 64; number++) {
        if (number == SIGKILL || number == SIGSTOP) continue;
        if (syscall(SYS_rt_sigaction, number, defaults, NULL, (size_t)8) < 0) return -1;
    }
    return 0;
}

static int open_output(const struct hf_spawn_request *request, int descriptor, int number) {
    int source = descriptor;
    if (request->output_fifo) {
        // Read and write: the writer never gets SIGPIPE, and never waits for a reader (fifo(7)).
        source = open(request->output_fifo, O_RDWR | O_CLOEXEC | O_NOCTTY);
    } else if (descriptor < 0) {
        source = open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    if (source < 0 || dup2(source, number) < 0) return -1;
    return source == number ? fcntl(number, F_SETFD, 0) : 0;
}

static int first_free_number(const struct hf_spawn_request *request) {
    int first = 3;
    for (size_t i = 0; i < request->inherited_count; i++)
        if (request->inherited[i].target >= first) first = request->inherited[i].target + 1;
    return first;
}

// Moves a descriptor out of the way of all the numbers that will be assigned.
static int move_up(int descriptor, int first) { return fcntl(descriptor, F_DUPFD_CLOEXEC, first); }

static int place_descriptors(const struct hf_spawn_request *request, int first) {
    int moved[16];
    if (request->inherited_count > sizeof moved / sizeof moved[0]) {
        errno = E2BIG;
        return -1;
    }
    for (size_t i = 0; i < request->inherited_count; i++)
        if ((moved[i] = move_up(request->inherited[i].source, first)) < 0) return -1;
    // All descriptors are close-on-exec at birth; this is for those of libraries that forget. ENOSYS before Linux 5.11.
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0 && errno != ENOSYS && errno != EINVAL) return -1;
    for (size_t i = 0; i < request->inherited_count; i++)
        if (dup2(moved[i], request->inherited[i].target) < 0) return -1;
    return 0;
}

static int write_oom_score(const char *text) {
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = write(file, text, strlen(text));
    int error = errno;
    close(file);
    errno = error;
    return count < 0 ? -1 : 0;
}

static int drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    // EINVAL: a kernel without ambient capabilities has none to clear.
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL) return -1;
    if (syscall(SYS_capget, &header, sets) < 0) return -1;
    int is_root = geteuid() == 0;
    for (int i = 0; i < 2; i++) {
        sets[i].inheritable = 0;
        if (!is_root) sets[i].permitted = sets[i].effective = 0;
    }
    return (int)syscall(SYS_capset, &header, sets);
}

static _Noreturn void run_child(const struct hf_spawn_request *request, int exec_pipe) {
    const int first = first_free_number(request);
    int moved_pipe = move_up(exec_pipe, first);
    if (moved_pipe < 0) fail(exec_pipe, HF_STEP_DESCRIPTORS);
    exec_pipe = moved_pipe;
    if (setsid() < 0) fail(exec_pipe, HF_STEP_SESSION);
    if (reset_signals() < 0) fail(exec_pipe, HF_STEP_SIGNALS);

    // Inherited descriptors first: their sources may have low numbers, which standard input and output replace.
    int output = request->output, error = request->error;
    if (output >= 0 && (output = move_up(output, first)) < 0) fail(exec_pipe, HF_STEP_OUTPUT);
    if (error >= 0 && (error = move_up(error, first)) < 0) fail(exec_pipe, HF_STEP_OUTPUT);
    if (place_descriptors(request, first) < 0) fail(exec_pipe, HF_STEP_DESCRIPTORS);
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || (input != 0 && dup2(input, 0) < 0) || fcntl(0, F_SETFD, 0) < 0)
        fail(exec_pipe, HF_STEP_STANDARD_INPUT);
    if (open_output(request, output, 1) < 0) fail(exec_pipe, HF_STEP_OUTPUT);
    if (request->output_fifo ? dup2(1, 2) < 0 : open_output(request, error, 2) < 0) fail(exec_pipe, HF_STEP_OUTPUT);

    if (request->oom_score_adj && write_oom_score(request->oom_score_adj) < 0) fail(exec_pipe, HF_STEP_OOM_SCORE);
    for (size_t i = 0; i < request->limit_count; i++) {
        struct rlimit limit = {.rlim_cur = request->limits[i].soft, .rlim_max = request->limits[i].hard};
        if (setrlimit(request->limits[i].resource, &limit) < 0) fail(exec_pipe, HF_STEP_LIMITS);
    }
    if (request->file_mode_mask >= 0) umask((mode_t)request->file_mode_mask);
    if (request->has_niceness && setpriority(PRIO_PROCESS, 0, request->niceness) < 0) fail(exec_pipe, HF_STEP_NICENESS);
    if (request->has_identity) {
        // Groups first: afterwards there is no right to change them.
        if (syscall(SYS_setgroups, request->group_count, request->groups) < 0) fail(exec_pipe, HF_STEP_GROUPS);
        if (syscall(SYS_setresgid, request->gid, request->gid, request->gid) < 0) fail(exec_pipe, HF_STEP_GROUP);
        if (syscall(SYS_setresuid, request->uid, request->uid, request->uid) < 0) fail(exec_pipe, HF_STEP_USER);
    }
    if (drop_capabilities() < 0) fail(exec_pipe, HF_STEP_CAPABILITIES);
    // As the worker's user: what it may not enter it must not run in.
    if (request->working_directory && chdir(request->working_directory) < 0) fail(exec_pipe, HF_STEP_WORKING_DIRECTORY);
    if (request->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail(exec_pipe, HF_STEP_NO_NEW_PRIVILEGES);

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(request->executable, request->arguments, request->environment);
    fail(exec_pipe, HF_STEP_EXEC);
}

int hf_spawn(const struct hf_spawn_request *request, struct hf_spawned *result) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return -1;
    int pidfd = -1;
    struct clone_arguments arguments = {
        .flags = HF_CLONE_PIDFD | (request->cgroup >= 0 ? HF_CLONE_INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = request->cgroup >= 0 ? (uint64_t)request->cgroup : 0,
    };
    // No handler of the parent must run in the child before its signals are reset.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) run_child(request, ends[1]);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        errno = error;
        return -1;
    }
    result->pid = (int32_t)pid;
    result->pidfd = pidfd;
    result->exec_pipe = ends[0];
    return 0;
}

int hf_pidfd_open(int32_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0U); }

int hf_pidfd_signal(int32_t pidfd, int32_t signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0U);
}

int hf_pidfd_wait(int32_t pidfd, int32_t keep_zombie, int32_t *code, int32_t *status) {
    siginfo_t info;
    info.si_pid = 0;
    if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | (keep_zombie ? WNOWAIT : 0)) < 0) return -1;
    if (info.si_pid == 0) return 0;
    *code = info.si_code;
    *status = info.si_status;
    return 1;
}

// struct pidfd_info of <linux/pidfd.h>, first published version (64 bytes), which Debian 12's headers lack.
struct pidfd_information {
    uint64_t mask, cgroup;
    uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t exit_code;
};
#define HF_PIDFD_INFO_EXIT (1ULL << 3)
#define HF_PIDFD_GET_INFO _IOWR(0xFF, 11, struct pidfd_information)

int hf_pidfd_exit_code(int32_t pidfd, int32_t *wait_status) {
    struct pidfd_information information = {.mask = HF_PIDFD_INFO_EXIT};
    if (ioctl(pidfd, HF_PIDFD_GET_INFO, &information) < 0) return 0;
    if (!(information.mask & HF_PIDFD_INFO_EXIT)) return 0;
    *wait_status = information.exit_code;
    return 1;
}

int hf_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
