#include "CLinux.h"
#include "spawn_child.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The kernel's, not glibc's: 64 signals.
typedef uint64_t kernel_sigset;

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int32_t hf_spawn(struct hf_spawn_request *request, int32_t *pidfd) {
    static const kernel_sigset all_signals = ~(kernel_sigset)0;
    int descriptor = -1;
    struct clone_args arguments;
    memset(&arguments, 0, sizeof arguments);
    arguments.flags = CLONE_PIDFD;
    arguments.pidfd = (uint64_t)(uintptr_t)&descriptor;
    arguments.exit_signal = SIGCHLD;
    arguments.stack = (uint64_t)(uintptr_t)request->stack;
    arguments.stack_size = request->stack_size;
    // Kernels that do not know the cgroup field refuse a larger structure only when the rest is not zero.
    if (request->cgroup >= 0 && request->cgroup_at_birth) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)request->cgroup;
    }
    hf_withhold_new_heap();
    // No handler of ours may run in the child.
    kernel_sigset previous;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all_signals, &previous, sizeof previous);
    long pid = hf_clone_child(&arguments, sizeof arguments, request);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &previous, NULL, sizeof previous);
    if (pid < 0) {
        errno = (int)-pid;
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
