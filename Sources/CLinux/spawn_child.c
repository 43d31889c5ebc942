// The child side of a spawn: from clone3 to execve. It runs in a copy of this process that lacks most of its memory
// (withhold.c), so it may use its own stack, its request, and the code and constants of this file: no variable, no
// function of any library, not even errno. scripts/check-child-side holds it to that.

#include "spawn_child.h"
#include "spawn_steps.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

CHILD_SIDE_BEGIN

// The kernel's, not glibc's: 64 signals.
CONSTANT uint64_t no_signals = 0;
// Zeros are SIG_DFL in every layout of the kernel's struct sigaction.
CONSTANT char default_action[64] = {0};
CONSTANT char null_device[] = "/dev/null";
CONSTANT char score_file[] = "/proc/self/oom_score_adj";
CONSTANT char group_file[] = "cgroup.procs";
CONSTANT char the_writer[] = "0";
CONSTANT char descriptor_list[] = "/proc/self/fd";

static void reset_handlers(void) {
    // Ignored signals stay ignored across execve, SIGPIPE first of all; the two that glibc keeps for itself as well.
    for (int signal = 1; signal <= 64; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP) continue;
        CALL4(SYS_rt_sigaction, signal, default_action, 0, sizeof no_signals);
    }
}

static answer enter_cgroup(int directory) {
    return write_file(directory, group_file, the_writer, 1);
}

static answer place(int descriptor, int target) {
    // dup3 refuses equal numbers; then it only has to survive the exec.
    if (descriptor == target) return CALL3(SYS_fcntl, descriptor, F_SETFD, 0);
    return CALL3(SYS_dup3, descriptor, target, 0);
}

static answer move_above(int descriptor, int base) { return CALL3(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, base); }

static int is_kept(const struct hf_spawn_request *request, int descriptor) {
    if (descriptor <= 2 || descriptor == request->report || descriptor == request->ruleset) return 1;
    for (size_t index = 0; index < request->descriptor_count; index++) {
        if (request->descriptors[index].target == descriptor) return 1;
    }
    return 0;
}

// For kernels before 5.9: what /proc lists. Not inline, for the sake of its buffer: others want a small stack.
__attribute__((noinline)) static answer close_listed(const struct hf_spawn_request *request) {
    struct entry {
        uint64_t inode;
        int64_t offset;
        uint16_t length;
        uint8_t type;
        char name[];
    };
    answer directory = CALL4(SYS_openat, AT_FDCWD, descriptor_list, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (directory < 0) return directory;
    _Alignas(struct entry) char buffer[2048];
    for (;;) {
        answer count = CALL3(SYS_getdents64, directory, buffer, sizeof buffer);
        if (count < 0) return count;
        if (count == 0) break;
        for (long position = 0; position < count;) {
            struct entry *entry = (struct entry *)(buffer + position);
            position += entry->length;
            if (entry->name[0] < '0' || entry->name[0] > '9') continue;
            int descriptor = 0;
            for (const char *digit = entry->name; *digit; digit++) descriptor = descriptor * 10 + (*digit - '0');
            if (descriptor != directory && !is_kept(request, descriptor)) CALL1(SYS_close, descriptor);
        }
    }
    return CALL1(SYS_close, directory);
}

static answer close_others(const struct hf_spawn_request *request) {
    unsigned next = 3;
    for (;;) {
        unsigned kept = ~0U;
        if ((unsigned)request->report >= next) kept = (unsigned)request->report;
        // -1 is above every other.
        if ((unsigned)request->ruleset >= next && (unsigned)request->ruleset < kept) kept = (unsigned)request->ruleset;
        for (size_t index = 0; index < request->descriptor_count; index++) {
            unsigned target = (unsigned)request->descriptors[index].target;
            if (target >= next && target < kept) kept = target;
        }
        if (kept > next) {
            answer closed = CALL3(SYS_close_range, (long)next, (long)(kept == ~0U ? ~0U : kept - 1), 0);
            if (closed < 0) return closed == -ENOSYS ? close_listed(request) : closed;
        }
        if (kept == ~0U) return 0;
        next = kept + 1;
    }
}

// The open file for 1 or 2 of the child, above the numbers that will be given out.
static answer open_output(const struct hf_spawn_request *request, int descriptor, int base) {
    if (!request->output_path && descriptor >= 0) return move_above(descriptor, base);
    // O_RDWR: opening a FIFO does not wait for a reader, and a writer that is a reader too never gets SIGPIPE.
    const char *path = request->output_path ? request->output_path : null_device;
    answer opened = CALL4(SYS_openat, AT_FDCWD, path, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC, 0);
    return opened < 0 ? opened : move_above((int)opened, base);
}

static void arrange_descriptors(struct hf_spawn_request *request) {
    // First everything moves above the numbers that will be given out, so that no target overwrites a source.
    int base = 3;
    for (size_t index = 0; index < request->descriptor_count; index++) {
        if (request->descriptors[index].target >= base) base = request->descriptors[index].target + 1;
    }
    answer report = move_above(request->report, base);
    if (report < 0) fail(request, HF_STEP_DESCRIPTOR, report);
    request->report = (int32_t)report;
    if (request->ruleset >= 0) {
        answer ruleset = move_above(request->ruleset, base);
        if (ruleset < 0) fail(request, HF_STEP_DESCRIPTOR, ruleset);
        request->ruleset = (int32_t)ruleset;
    }
    for (size_t index = 0; index < request->descriptor_count; index++) {
        answer moved = move_above(request->descriptors[index].source, base);
        if (moved < 0) fail(request, HF_STEP_DESCRIPTOR, moved);
        request->descriptors[index].source = (int32_t)moved;
    }
    answer output = open_output(request, request->output, base);
    if (output < 0) fail(request, HF_STEP_OUTPUT, output);
    answer error = request->output_path ? output : open_output(request, request->error, base);
    if (error < 0) fail(request, HF_STEP_OUTPUT, error);

    answer result = CALL4(SYS_openat, AT_FDCWD, null_device, O_RDONLY | O_CLOEXEC, 0);
    if (result < 0 || (result = place((int)result, 0)) < 0) fail(request, HF_STEP_INPUT, result);
    if ((result = place((int)output, 1)) < 0) fail(request, HF_STEP_OUTPUT, result);
    if ((result = place((int)error, 2)) < 0) fail(request, HF_STEP_OUTPUT, result);
    for (size_t index = 0; index < request->descriptor_count; index++) {
        result = place(request->descriptors[index].source, request->descriptors[index].target);
        if (result < 0) fail(request, HF_STEP_DESCRIPTOR, result);
    }
    if ((result = close_others(request)) < 0) fail(request, HF_STEP_CLOSE, result);
}

// Needs CAP_SETPCAP, so it comes before the user. Who lacks that keeps the set: with no_new_privs it is of no use.
static void empty_bounding_set(void) {
    // Until the first number that this kernel does not know.
    for (long capability = 0; CALL5(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0) == 0;) capability++;
}

static answer drop_capabilities(const struct hf_spawn_request *request) {
    // Refused only by kernels without ambient capabilities.
    CALL5(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header;
    header.version = _LINUX_CAPABILITY_VERSION_3;
    header.pid = 0;
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    for (int index = 0; index < _LINUX_CAPABILITY_U32S_3; index++) sets[index].effective = sets[index].permitted = 0;
    if (!request->without_capabilities && CALL0(SYS_geteuid) == 0) {
        // Root keeps what root has by execve anyway; nothing is to be inherited from us.
        answer result = CALL2(SYS_capget, &header, sets);
        if (result < 0) return result;
    }
    for (int index = 0; index < _LINUX_CAPABILITY_U32S_3; index++) sets[index].inheritable = 0;
    return CALL2(SYS_capset, &header, sets);
}

static void change_identity(const struct hf_spawn_request *request) {
    answer result;
    if (request->without_capabilities) empty_bounding_set();
    if (request->has_identity) {
        // The user last: without it nothing else may be changed.
        result = CALL2(SYS_setgroups, request->group_count, request->groups);
        if (result < 0) fail(request, HF_STEP_GROUPS, result);
        result = CALL3(SYS_setresgid, (long)request->gid, (long)request->gid, (long)request->gid);
        if (result < 0) fail(request, HF_STEP_GROUP, result);
        CALL5(SYS_prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0);
        result = CALL3(SYS_setresuid, (long)request->uid, (long)request->uid, (long)request->uid);
        if (result < 0) fail(request, HF_STEP_USER, result);
    }
    if ((result = drop_capabilities(request)) < 0) fail(request, HF_STEP_CAPABILITIES, result);
    if (request->no_new_privileges && (result = CALL5(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) < 0) {
        fail(request, HF_STEP_NO_NEW_PRIVILEGES, result);
    }
}

// Nothing of the program runs before the parent has noted down whom it has started: should it die before that, the other
// end closes, and this process goes as if it had never been.
static void await_permission(const struct hf_spawn_request *request) {
    char word;
    // The word is mostly there already or a few microseconds away, and a sleep costs more than that. The parent gets the
    // processor if there is but one.
    for (int tries = 0; tries < 40; tries++) {
        answer received = raw_call(SYS_recvfrom, request->report, RAW_ARGUMENT(&word), 1, MSG_DONTWAIT, 0);
        if (received == 1) return;
        if (received != -EAGAIN) break;
        CALL0(SYS_sched_yield);
    }
    if (CALL3(SYS_read, request->report, &word, 1) == 1) return;
    for (;;) CALL1(SYS_exit_group, 127);
}

static answer install_filter(const struct hf_spawn_request *request) {
    struct {
        uint16_t count;
        const uint64_t *instructions;
    } program;
    program.count = (uint16_t)request->filter_count;
    program.instructions = request->filter;
    return CALL3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static noreturn void run(struct hf_spawn_request *request) {
    answer result;
    reset_handlers();
    if ((result = CALL0(SYS_setsid)) < 0) fail(request, HF_STEP_SESSION, result);
    if (request->cgroup >= 0 && !request->cgroup_at_birth && (result = enter_cgroup(request->cgroup)) < 0) {
        fail(request, HF_STEP_CGROUP, result);
    }
    arrange_descriptors(request);
    // After the descriptors: a lower limit on their number would refuse the targets above it.
    for (size_t index = 0; index < request->limit_count; index++) {
        struct {
            uint64_t soft, hard;
        } limit;
        limit.soft = request->limits[index].soft;
        limit.hard = request->limits[index].hard;
        result = CALL4(SYS_prlimit64, 0, request->limits[index].resource, &limit, 0);
        if (result < 0) fail(request, HF_STEP_LIMIT, result);
    }
    if (request->oom_score) {
        result = write_file(AT_FDCWD, score_file, request->oom_score, request->oom_score_length);
        if (result < 0) fail(request, HF_STEP_OOM_SCORE, result);
    }
    if (request->has_niceness && (result = CALL3(SYS_setpriority, PRIO_PROCESS, 0, request->niceness)) < 0) {
        fail(request, HF_STEP_NICE, result);
    }
    if (request->file_mode_mask >= 0) CALL1(SYS_umask, request->file_mode_mask);
    if (request->sandbox) hf_enter_sandbox(request);
    change_identity(request);
    // As the worker's user, so that it counts what that one may enter.
    if (request->directory && (result = CALL1(SYS_chdir, request->directory)) < 0) {
        fail(request, HF_STEP_DIRECTORY, result);
    }
    // From here on the child opens nothing itself; the program is what the rules have to allow.
    if (request->ruleset >= 0 && (result = CALL2(SYS_landlock_restrict_self, request->ruleset, 0)) < 0) {
        fail(request, HF_STEP_LANDLOCK, result);
    }
    await_permission(request);
    CALL4(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, 0, sizeof no_signals);
    // Last, so that it can forbid whatever it likes but execve, and exit_group and write, should that fail.
    if (request->filter_count && (result = install_filter(request)) < 0) fail(request, HF_STEP_SECCOMP, result);
    result = CALL3(SYS_execve, request->executable, request->arguments, request->environment);
    fail(request, HF_STEP_EXEC, result);
}

long hf_clone_child(struct clone_args *arguments, size_t size, struct hf_spawn_request *request) {
    return raw_clone(arguments, size, run, request);
}

void hf_child_addresses(uint64_t addresses[2]) {
    addresses[0] = (uint64_t)(uintptr_t)&hf_clone_child;
    addresses[1] = (uint64_t)(uintptr_t)&default_action;
}

CHILD_SIDE_END
