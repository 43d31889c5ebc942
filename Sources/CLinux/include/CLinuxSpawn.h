#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The steps of the child between its birth and its program, in their order. Reported when one fails.
enum hf_spawn_step {
    HF_STEP_NONE = 0,
    HF_STEP_SESSION,
    HF_STEP_CGROUP,
    HF_STEP_INPUT,
    HF_STEP_OUTPUT,
    HF_STEP_DESCRIPTOR,
    HF_STEP_CLOSE,
    HF_STEP_LIMIT,
    HF_STEP_OOM_SCORE,
    HF_STEP_NICE,
    HF_STEP_NAMESPACES,
    HF_STEP_USER_MAP,
    HF_STEP_LOOPBACK,
    HF_STEP_MOUNTS,
    HF_STEP_PATH,
    HF_STEP_SEAL,
    HF_STEP_GROUPS,
    HF_STEP_GROUP,
    HF_STEP_USER,
    HF_STEP_CAPABILITIES,
    HF_STEP_NO_NEW_PRIVILEGES,
    HF_STEP_DIRECTORY,
    HF_STEP_LANDLOCK,
    HF_STEP_SECCOMP,
    HF_STEP_EXEC,
};

/// What the child writes to its end of the report channel when a step fails. The channel closes without a word when the
/// program runs, for which the child waits until it has read a byte.
struct hf_spawn_report {
    int32_t step;
    /// Which path of the sandbox it was (HF_STEP_PATH).
    int32_t index;
    int32_t error;
};

/// A descriptor of the parent, and the number it has in the program.
struct hf_spawn_descriptor {
    int32_t source;
    int32_t target;
};

struct hf_spawn_limit {
    int32_t resource;
    uint64_t soft;
    uint64_t hard;
};

/// What becomes of a path, and of everything below, in a sandbox.
enum hf_sandbox_path_kind {
    HF_PATH_READ_ONLY,
    /// As it is outside, though below a path that is read-only.
    HF_PATH_WRITABLE,
    /// An empty directory, or an empty file.
    HF_PATH_HIDDEN,
    /// A new directory in memory; nothing where there is none.
    HF_PATH_PRIVATE,
};

struct hf_sandbox_path {
    const char *_Nullable path;
    int32_t kind;
    /// Used by the child.
    int32_t tree;
};

/// Namespaces of the child's own, and what keeps it in them.
struct hf_sandbox {
    /// In this order, the outer before the inner.
    struct hf_sandbox_path *_Nullable paths;
    size_t path_count;
    uint32_t without_network;
    /// Whether Landlock closes the ways out (its second version or later).
    uint32_t is_sealed;
    /// The lines of uid_map and gid_map (user_namespaces(7)), for a parent without privileges; null: no user namespace.
    const char *_Nullable user_map;
    size_t user_map_length;
    const char *_Nullable group_map;
    size_t group_map_length;
};

/// Everything that the child needs, prepared by the parent: the child allocates nothing. All of it lies in a mapping of
/// its own (mmap(2)) and stays until `hf_spawn` has returned; from then on the child has its own copy.
struct hf_spawn_request {
    /// These three are never null; said to be so that Swift can begin with an empty structure.
    const char *_Nullable executable;
    char *_Nullable const *_Nullable arguments;
    char *_Nullable const *_Nullable environment;
    /// Null: the parent's.
    const char *_Nullable directory;
    /// Opened O_RDWR by the child for 1 and 2; null: `output` and `error`.
    const char *_Nullable output_path;
    /// -1 with a null path: /dev/null.
    int32_t output;
    int32_t error;
    /// The child's end of the report channel: a packet socket that blocks, close-on-exec.
    int32_t report;
    /// Overwritten in the child's copy only.
    struct hf_spawn_descriptor *_Nullable descriptors;
    size_t descriptor_count;
    const struct hf_spawn_limit *_Nullable limits;
    size_t limit_count;
    /// Decimal text; null: unchanged.
    const char *_Nullable oom_score;
    size_t oom_score_length;
    /// -1: unchanged.
    int32_t file_mode_mask;
    uint32_t has_niceness;
    int32_t niceness;
    /// Whether user, group and supplementary groups are set.
    uint32_t has_identity;
    uint32_t uid;
    uint32_t gid;
    const uint32_t *_Nullable groups;
    size_t group_count;
    uint32_t no_new_privileges;
    /// None in any set, whichever user. Needs `no_new_privileges` to be so after the exec as well, as the next two do.
    uint32_t without_capabilities;
    /// A Landlock ruleset (landlock(7)); -1: none.
    int32_t ruleset;
    /// What the ruleset is to allow below the sandbox's private places, which are made after it (LANDLOCK_ACCESS_FS_*).
    uint64_t private_rights;
    /// A program for seccomp(2), eight bytes an instruction (struct sock_filter).
    const uint64_t *_Nullable filter;
    size_t filter_count;
    /// Null: none, and then it costs nothing.
    const struct hf_sandbox *_Nullable sandbox;
    /// The directory of a cgroup2; -1: the parent's cgroup.
    int32_t cgroup;
    /// 1: the child is born in the cgroup (Linux 5.7); 0: it moves itself there before anything else.
    uint32_t cgroup_at_birth;
    /// The child's stack, aligned to 16 bytes; it takes less than 4 KiB of it.
    void *_Nullable stack;
    size_t stack_size;
};

/// clone3(2) with CLONE_PIDFD and without CLONE_VM (no vfork: the parent never waits for the exec), all signals
/// blocked meanwhile. Answers the pid, and the close-on-exec pidfd by the pointer; -1 and errno otherwise.
int32_t hf_spawn(struct hf_spawn_request *request, int32_t *pidfd);

/// Keeps this process's memory out of its children (MADV_DONTFORK), but for what the child side needs. What is mapped
/// later is copied, the heap excepted. A fork(2) by anything else then gives a child that cannot run. -1 and errno.
int hf_withhold_memory(void);

/// pidfd_open(2), close-on-exec: glibc has it since 2.36 only.
int hf_pidfd_open(int32_t pid);

/// pidfd_send_signal(2), likewise.
int hf_pidfd_signal(int32_t pidfd, int32_t signal);

/// waitid(2) with P_PIDFD, WEXITED and WNOHANG. 1: ended, `code` (si_code) and `status` are filled in; 0: still
/// running; -1 and errno.
int hf_pidfd_wait(int32_t pidfd, int32_t keep_zombie, int32_t *code, int32_t *status);

/// The wait status of an ended and reaped process that need not be a child (PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux
/// 6.15). 1: known; 0: the kernel does not tell, or not yet.
int hf_pidfd_exit_code(int32_t pidfd, int32_t *wait_status);

/// prctl(2), PR_SET_CHILD_SUBREAPER: orphans of our descendants become our children.
int hf_become_subreaper(void);

#pragma clang assume_nonnull end
