#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// A resource limit for setrlimit(2).
struct hf_limit {
    int32_t resource;
    uint64_t soft;
    uint64_t hard;
};

/// A descriptor that the child gets at a number of its own.
struct hf_inherited {
    int32_t source;
    int32_t target;
};

/// Everything that the child side needs, prepared by the parent: between clone and exec it allocates nothing.
struct hf_spawn_request {
    const char *executable;
    char *_Nullable const *_Nonnull arguments;
    char *_Nullable const *_Nonnull environment;
    const char *_Nullable working_directory;
    /// Opened O_RDWR as standard output and error; null: `output` and `error` are used.
    const char *_Nullable output_fifo;
    /// -1: /dev/null.
    int32_t output;
    int32_t error;
    const struct hf_inherited *_Nullable inherited;
    size_t inherited_count;
    const struct hf_limit *_Nullable limits;
    size_t limit_count;
    /// Text for /proc/self/oom_score_adj; null: unchanged.
    const char *_Nullable oom_score_adj;
    /// -1: unchanged.
    int32_t file_mode_mask;
    int32_t has_niceness;
    int32_t niceness;
    /// Whether user, group and supplementary groups are set.
    int32_t has_identity;
    uint32_t uid;
    uint32_t gid;
    const uint32_t *_Nullable groups;
    size_t group_count;
    int32_t no_new_privileges;
    /// A cgroup2 directory into which the child is born (CLONE_INTO_CGROUP); -1: the parent's cgroup.
    int32_t cgroup;
};

struct hf_spawned {
    int32_t pid;
    int32_t pidfd;
    /// Ends when the program was executed; carries one struct hf_spawn_failure when that, or a step before, failed.
    int32_t exec_pipe;
};

struct hf_spawn_failure {
    int32_t step;
    int32_t error;
};

/// The steps of the child side, in order.
enum hf_spawn_step {
    HF_STEP_SESSION = 1,
    HF_STEP_SIGNALS,
    HF_STEP_STANDARD_INPUT,
    HF_STEP_OUTPUT,
    HF_STEP_DESCRIPTORS,
    HF_STEP_LIMITS,
    HF_STEP_OOM_SCORE,
    HF_STEP_NICENESS,
    HF_STEP_GROUPS,
    HF_STEP_GROUP,
    HF_STEP_USER,
    HF_STEP_CAPABILITIES,
    HF_STEP_WORKING_DIRECTORY,
    HF_STEP_NO_NEW_PRIVILEGES,
    HF_STEP_EXEC,
};

/// clone3(2) without CLONE_VM, so that the parent never waits for the exec. -1 and errno when there is no child.
int hf_spawn(const struct hf_spawn_request *request, struct hf_spawned *result);

/// pidfd_open(2), close-on-exec.
int hf_pidfd_open(int32_t pid);

/// pidfd_send_signal(2).
int hf_pidfd_signal(int32_t pidfd, int32_t signal);

/// waitid(2) with P_PIDFD, WEXITED and WNOHANG. 1: ended, `code` (si_code) and `status` are filled in; 0: still running.
int hf_pidfd_wait(int32_t pidfd, int32_t keep_zombie, int32_t *code, int32_t *status);

/// The wait status of an ended process that need not be a child (PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15).
/// 1: known; 0: the kernel does not tell.
int hf_pidfd_exit_code(int32_t pidfd, int32_t *wait_status);

/// prctl(2), PR_SET_CHILD_SUBREAPER: orphans of our descendants become our children.
int hf_become_subreaper(void);

#pragma clang assume_nonnull end
