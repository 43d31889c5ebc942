// The child side of a spawn. Between clone3 and execve only async-signal-safe code runs, and nothing that depends on
// glibc's idea of the thread: after a raw clone3 its cached tid and thread list are those of the parent, so the set*id
// wrappers, which signal all threads and wait for them, would hang. Hence raw system calls.

#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The kernel's, not glibc's: 64 signals.
typedef uint64_t kernel_sigset;

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static const kernel_sigset all_signals = ~(kernel_sigset)0;
static const kernel_sigset no_signals = 0;

static noreturn void fail(int report, int32_t step, int error) {
    struct hf_spawn_report message = {.step = step, .error = error};
    // Smaller than PIPE_BUF and the pipe is empty: it is written whole.
    ssize_t written = write(report, &message, sizeof message);
    (void)written;
    for (;;) syscall(SYS_exit_group, 127);
}

static void reset_handlers(void) {
    // Ignored signals stay ignored across execve, SIGPIPE first of all. Zeros are SIG_DFL in every layout of the
    // kernel's struct sigaction; the raw call reaches the two signals that glibc keeps for itself as well.
    char defaults[64] = {0};
    for (int signal = 1; signal <= 64; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP) continue;
        syscall(SYS_rt_sigaction, signal, defaults, NULL, sizeof(kernel_sigset));
    }
}

static int enter_cgroup(int directory) {
    int file = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    // "0" is the writer.
    if (write(file, "0", 1) != 1) return -1;
    return close(file);
}

static int place(int descriptor, int target) {
    // dup3 refuses equal numbers; then it only has to survive the exec.
    if (descriptor == target) return fcntl(descriptor, F_SETFD, 0);
    return dup3(descriptor, target, 0);
}

static int is_kept(const struct hf_spawn_request *request, int descriptor) {
    if (descriptor <= 2 || descriptor == request->report) return 1;
    for (size_t index = 0; index < request->descriptor_count; index++) {
        if (request->descriptors[index].target == descriptor) return 1;
    }
    return 0;
}

// For kernels before 5.9: what /proc lists, without the allocations of opendir(3).
static int close_listed(const struct hf_spawn_request *request) {
    struct entry {
        uint64_t inode;
        int64_t offset;
        uint16_t length;
        uint8_t type;
        char name[];
    };
    int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -1;
    _Alignas(struct entry) char buffer[2048];
    for (;;) {
        long count = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
        if (count < 0) return -1;
        if (count == 0) break;
        for (long position = 0; position < count;) {
            struct entry *entry = (struct entry *)(buffer + position);
            position += entry->length;
            if (entry->name[0] < '0' || entry->name[0] > '9') continue;
            int descriptor = 0;
            for (const char *digit = entry->name; *digit; digit++) descriptor = descriptor * 10 + (*digit - '0');
            if (descriptor != directory && !is_kept(request, descriptor)) close(descriptor);
        }
    }
    return close(directory);
}

static int close_others(const struct hf_spawn_request *request) {
    unsigned next = 3;
    for (;;) {
        unsigned kept = ~0U;
        if ((unsigned)request->report >= next) kept = (unsigned)request->report;
        for (size_t index = 0; index < request->descriptor_count; index++) {
            unsigned target = (unsigned)request->descriptors[index].target;
            if (target >= next && target < kept) kept = target;
        }
        if (kept > next && syscall(SYS_close_range, next, kept == ~0U ? ~0U : kept - 1, 0) < 0) {
            return errno == ENOSYS ? close_listed(request) : -1;
        }
        if (kept == ~0U) return 0;
        next = kept + 1;
    }
}

// The open file for 1 or 2 of the child, above the numbers that will be given out.
static int open_output(const struct hf_spawn_request *request, int descriptor, int base) {
    if (!request->output_path && descriptor >= 0) return fcntl(descriptor, F_DUPFD_CLOEXEC, base);
    // O_RDWR: opening a FIFO does not wait for a reader, and a writer that is a reader too never gets SIGPIPE.
    const char *path = request->output_path ? request->output_path : "/dev/null";
    int opened = open(path, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
    return opened < 0 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, base);
}

static int32_t arrange_descriptors(struct hf_spawn_request *request) {
    // First everything moves above the numbers that will be given out, so that no target overwrites a source.
    int base = 3;
    for (size_t index = 0; index < request->descriptor_count; index++) {
        if (request->descriptors[index].target >= base) base = request->descriptors[index].target + 1;
    }
    int report = fcntl(request->report, F_DUPFD_CLOEXEC, base);
    if (report < 0) return HF_STEP_DESCRIPTOR;
    request->report = report;
    for (size_t index = 0; index < request->descriptor_count; index++) {
        int moved = fcntl(request->descriptors[index].source, F_DUPFD_CLOEXEC, base);
        if (moved < 0) return HF_STEP_DESCRIPTOR;
        request->descriptors[index].source = moved;
    }
    int output = open_output(request, request->output, base);
    if (output < 0) return HF_STEP_OUTPUT;
    int error = request->output_path ? output : open_output(request, request->error, base);
    if (error < 0) return HF_STEP_OUTPUT;

    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || place(input, 0) < 0) return HF_STEP_INPUT;
    if (place(output, 1) < 0 || place(error, 2) < 0) return HF_STEP_OUTPUT;
    for (size_t index = 0; index < request->descriptor_count; index++) {
        if (place(request->descriptors[index].source, request->descriptors[index].target) < 0) {
            return HF_STEP_DESCRIPTOR;
        }
    }
    if (close_others(request) < 0) return HF_STEP_CLOSE;
    return HF_STEP_NONE;
}

static int write_oom_score(const char *text) {
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    size_t length = strlen(text);
    if (write(file, text, length) != (ssize_t)length) return -1;
    return close(file);
}

static int drop_capabilities(void) {
    // Refused only by kernels without ambient capabilities.
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    memset(sets, 0, sizeof sets);
    if (syscall(SYS_geteuid) == 0) {
        // Root keeps what root has by execve anyway; nothing is to be inherited from us.
        if (syscall(SYS_capget, &header, sets) < 0) return -1;
        for (int index = 0; index < _LINUX_CAPABILITY_U32S_3; index++) sets[index].inheritable = 0;
    }
    return (int)syscall(SYS_capset, &header, sets);
}

static int32_t change_identity(const struct hf_spawn_request *request) {
    if (request->has_identity) {
        // The user last: without it nothing else may be changed.
        if (syscall(SYS_setgroups, request->group_count, request->groups) < 0) return HF_STEP_GROUPS;
        if (syscall(SYS_setresgid, request->gid, request->gid, request->gid) < 0) return HF_STEP_GROUP;
        prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
        if (syscall(SYS_setresuid, request->uid, request->uid, request->uid) < 0) return HF_STEP_USER;
    }
    if (drop_capabilities() < 0) return HF_STEP_CAPABILITIES;
    if (request->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return HF_STEP_NO_NEW_PRIVILEGES;
    return HF_STEP_NONE;
}

static noreturn void run_child(struct hf_spawn_request *request) {
    reset_handlers();
    if (syscall(SYS_setsid) < 0) fail(request->report, HF_STEP_SESSION, errno);
    if (request->cgroup >= 0 && !request->cgroup_at_birth && enter_cgroup(request->cgroup) < 0) {
        fail(request->report, HF_STEP_CGROUP, errno);
    }
    int32_t step = arrange_descriptors(request);
    if (step) fail(request->report, step, errno);
    int report = request->report;
    // After the descriptors: a lower limit on their number would refuse the targets above it.
    for (size_t index = 0; index < request->limit_count; index++) {
        struct {
            uint64_t soft, hard;
        } limit = {request->limits[index].soft, request->limits[index].hard};
        if (syscall(SYS_prlimit64, 0, request->limits[index].resource, &limit, NULL) < 0) {
            fail(report, HF_STEP_LIMIT, errno);
        }
    }
    if (request->oom_score && write_oom_score(request->oom_score) < 0) fail(report, HF_STEP_OOM_SCORE, errno);
    if (request->has_niceness && syscall(SYS_setpriority, PRIO_PROCESS, 0, request->niceness) < 0) {
        fail(report, HF_STEP_NICE, errno);
    }
    if (request->file_mode_mask >= 0) umask((mode_t)request->file_mode_mask);
    step = change_identity(request);
    if (step) fail(report, step, errno);
    // As the worker's user, so that it counts what that one may enter.
    if (request->directory && chdir(request->directory) < 0) fail(report, HF_STEP_DIRECTORY, errno);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, NULL, sizeof no_signals);
    execve(request->executable, request->arguments, request->environment);
    fail(report, HF_STEP_EXEC, errno);
}

int32_t hf_spawn(struct hf_spawn_request *request, int32_t *pidfd) {
    int descriptor = -1;
    struct clone_args arguments;
    memset(&arguments, 0, sizeof arguments);
    arguments.flags = CLONE_PIDFD;
    arguments.pidfd = (uint64_t)(uintptr_t)&descriptor;
    arguments.exit_signal = SIGCHLD;
    // Kernels that do not know the cgroup field refuse a larger structure only when the rest is not zero.
    if (request->cgroup >= 0 && request->cgroup_at_birth) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)request->cgroup;
    }
    // No handler of ours may run in the child.
    kernel_sigset previous;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all_signals, &previous, sizeof previous);
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) run_child(request);
    int error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &previous, NULL, sizeof previous);
    if (pid < 0) {
        errno = error;
        return -1;
    }
    *pidfd = descriptor;
    return (int32_t)pid;
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
