// The part of the child side that only a worker with a sandbox takes (docs/decisions/0007). What is said of spawn_child.c
// holds here as well: no variable, no library.

#include "spawn_steps.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>

CHILD_SIDE_BEGIN

// Numbers and flags that the C library of Debian 12 and older do not have all (<linux/mount.h> clashes with theirs).
enum {
    CALL_OPEN_TREE = 428,
    CALL_MOVE_MOUNT = 429,
    CALL_MOUNT_SETATTR = 442,
    CLONE_TREE = 1,
    RECURSIVELY = 0x8000,
    OF_THE_DESCRIPTOR = 0x1000,
    FROM_THE_DESCRIPTOR = 0x4,
    FOLLOWING_LINKS = 0x10,
    ATTRIBUTE_READ_ONLY = 1,
};

CONSTANT char root[] = "/";
CONSTANT char nothing[] = "";
CONSTANT char memory_type[] = "tmpfs";
CONSTANT char hidden_options[] = "mode=000";
// A tenth of the memory at most, as systemd has it.
CONSTANT char private_options[] = "mode=1777,size=10%";
CONSTANT char null_device[] = "/dev/null";
CONSTANT char group_setting[] = "/proc/self/setgroups";
CONSTANT char group_answer[] = "deny";
CONSTANT char user_map[] = "/proc/self/uid_map";
CONSTANT char group_map[] = "/proc/self/gid_map";

// MARK: Paths

// A copy of what is mounted at a path and below, as it is now, that is mounted nowhere yet.
static answer copy_tree(const char *path) {
    return CALL3(CALL_OPEN_TREE, AT_FDCWD, path, CLONE_TREE | RECURSIVELY | O_CLOEXEC);
}

static answer attach(answer tree, const char *path) {
    return CALL5(CALL_MOVE_MOUNT, tree, nothing, AT_FDCWD, path, FROM_THE_DESCRIPTOR | FOLLOWING_LINKS);
}

static answer forbid_writing(answer directory, const char *path, long flags) {
    // struct mount_attr, word by word: an initialiser could become a call of memset.
    uint64_t attributes[4];
    attributes[0] = ATTRIBUTE_READ_ONLY;
    attributes[1] = 0;
    attributes[2] = 0;
    attributes[3] = 0;
    return CALL5(CALL_MOUNT_SETATTR, directory, path, flags | RECURSIVELY, attributes, sizeof attributes);
}

static answer make_read_only(const char *path) {
    // A mount over the root would not be seen: this process's own root stays below it.
    if (path[0] == '/' && !path[1]) return forbid_writing(AT_FDCWD, root, 0);
    answer tree = copy_tree(path);
    if (tree < 0) return tree;
    answer result = forbid_writing(tree, nothing, OF_THE_DESCRIPTOR);
    if (result >= 0) result = attach(tree, path);
    CALL1(SYS_close, tree);
    return result;
}

static answer mount_memory(const char *path, unsigned long flags, const char *options) {
    return CALL5(SYS_mount, memory_type, path, memory_type, flags, options);
}

static answer hide(const char *path) {
    answer result = mount_memory(path, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, hidden_options);
    // No directory: then it reads as empty.
    return result == -ENOTDIR ? CALL5(SYS_mount, null_device, path, 0, MS_BIND, 0) : result;
}

static answer replace(const char *path) {
    answer result = mount_memory(path, MS_NOSUID | MS_NODEV, private_options);
    return result == -ENOENT ? 0 : result;
}

// No switch: its table would be a constant in the wrong place.
static answer apply(const struct hf_sandbox_path *entry) {
    if (entry->kind == HF_PATH_READ_ONLY) return make_read_only(entry->path);
    if (entry->kind == HF_PATH_WRITABLE) return attach(entry->tree, entry->path);
    if (entry->kind == HF_PATH_HIDDEN) return hide(entry->path);
    return replace(entry->path);
}

static void arrange_paths(const struct hf_spawn_request *request, const struct hf_sandbox *sandbox) {
    // First of all: from here on nothing comes from, or goes to, the mounts of the machine.
    answer result = CALL5(SYS_mount, 0, root, 0, MS_REC | MS_PRIVATE, 0);
    if (result < 0) fail(request, HF_STEP_MOUNTS, result);
    // What stays writable is copied before what lies above it becomes read-only, so that it keeps what the machine has it as.
    for (size_t index = 0; index < sandbox->path_count; index++) {
        struct hf_sandbox_path *entry = &sandbox->paths[index];
        if (entry->kind != HF_PATH_WRITABLE) continue;
        answer tree = copy_tree(entry->path);
        if (tree < 0) fail_at(request, HF_STEP_PATH, (int32_t)index, tree);
        entry->tree = (int32_t)tree;
    }
    for (size_t index = 0; index < sandbox->path_count; index++) {
        const struct hf_sandbox_path *entry = &sandbox->paths[index];
        if ((result = apply(entry)) < 0) fail_at(request, HF_STEP_PATH, (int32_t)index, result);
    }
}

// MARK: Network

static answer start_loopback(void) {
    answer socket = CALL3(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    // A kernel without IPv4 has no addresses to lose.
    if (socket < 0) return socket == -EAFNOSUPPORT ? 0 : socket;
    // struct ifreq: 16 bytes of name, then the flags; both machines are little-endian.
    uint64_t request[5];
    request[0] = 'l' | 'o' << 8;
    request[1] = 0;
    request[2] = 1 | 0x40; // IFF_UP | IFF_RUNNING
    request[3] = 0;
    request[4] = 0;
    answer result = CALL3(SYS_ioctl, socket, 0x8914, request); // SIOCSIFFLAGS
    CALL1(SYS_close, socket);
    return result;
}

// MARK: Seal

// With a Landlock domain nobody can mount or unmount, and nobody can look into processes outside (ptrace, /proc/PID/root),
// which see what is hidden. The domain restricts nothing else: moving files between folders, which every domain forbids
// that does not name it, is allowed everywhere.
static answer close_ways_out(void) {
    const uint64_t moving = 1 << 13; // LANDLOCK_ACCESS_FS_REFER
    uint64_t governed = moving;
    answer ruleset = CALL3(SYS_landlock_create_ruleset, &governed, sizeof governed, 0);
    if (ruleset < 0) return ruleset;
    answer place = CALL4(SYS_openat, AT_FDCWD, root, O_PATH | O_CLOEXEC, 0);
    if (place < 0) return place;
    struct {
        uint64_t allowed;
        int32_t file;
    } __attribute__((packed)) rule;
    rule.allowed = moving;
    rule.file = (int32_t)place;
    answer result = CALL4(SYS_landlock_add_rule, ruleset, 1, &rule, 0);
    if (result >= 0) result = CALL2(SYS_landlock_restrict_self, ruleset, 0);
    CALL1(SYS_close, place);
    CALL1(SYS_close, ruleset);
    return result;
}

static void give_up(long capability) {
    // Refused for those that the kernel does not know.
    CALL5(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
}

// What would let root, or a program that makes its caller root, undo the sandbox. In force from the exec on.
static void give_up_capabilities(void) {
    give_up(CAP_SYS_ADMIN);
    give_up(CAP_SYS_PTRACE);
    give_up(CAP_SYS_MODULE);
    give_up(CAP_SYS_RAWIO);
    give_up(CAP_MKNOD);
    give_up(CAP_DAC_READ_SEARCH); // open_by_handle_at(2)
    give_up(38);                  // CAP_PERFMON
    give_up(39);                  // CAP_BPF
}

// A rule of the parent's holds for files, and those of a new directory in memory are none that it could name. The ruleset is
// shared with the parent: it has to be one for this child alone.
static answer allow_private(const struct hf_spawn_request *request, const char *path) {
    answer place = CALL4(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    if (place < 0) return place == -ENOENT ? 0 : place;
    struct {
        uint64_t allowed;
        int32_t file;
    } __attribute__((packed)) rule;
    rule.allowed = request->private_rights;
    rule.file = (int32_t)place;
    answer result = CALL4(SYS_landlock_add_rule, request->ruleset, 1, &rule, 0);
    CALL1(SYS_close, place);
    return result;
}

static void allow_private_paths(const struct hf_spawn_request *request, const struct hf_sandbox *sandbox) {
    for (size_t index = 0; index < sandbox->path_count; index++) {
        if (sandbox->paths[index].kind != HF_PATH_PRIVATE) continue;
        answer result = allow_private(request, sandbox->paths[index].path);
        if (result < 0) fail_at(request, HF_STEP_PATH, (int32_t)index, result);
    }
}

// MARK: All of it

// Without privileges: the same user and group inside, and no others.
static void map_identity(const struct hf_spawn_request *request, const struct hf_sandbox *sandbox) {
    answer result = write_file(AT_FDCWD, group_setting, group_answer, 4);
    // ENOENT: before Linux 3.19 it need not be said.
    if (result < 0 && result != -ENOENT) fail(request, HF_STEP_USER_MAP, result);
    result = write_file(AT_FDCWD, user_map, sandbox->user_map, sandbox->user_map_length);
    if (result < 0) fail(request, HF_STEP_USER_MAP, result);
    result = write_file(AT_FDCWD, group_map, sandbox->group_map, sandbox->group_map_length);
    if (result < 0) fail(request, HF_STEP_USER_MAP, result);
}

void hf_enter_sandbox(const struct hf_spawn_request *request) {
    const struct hf_sandbox *sandbox = request->sandbox;
    answer result;
    long namespaces = 0;
    if (sandbox->user_map) namespaces |= CLONE_NEWUSER;
    if (sandbox->path_count) namespaces |= CLONE_NEWNS;
    if (sandbox->without_network) namespaces |= CLONE_NEWNET;
    // Not at the clone: a network namespace takes the kernel a while, which the supervisor has not got.
    if ((result = CALL1(SYS_unshare, namespaces)) < 0) fail(request, HF_STEP_NAMESPACES, result);
    if (sandbox->user_map) map_identity(request, sandbox);
    if (sandbox->without_network && (result = start_loopback()) < 0) fail(request, HF_STEP_LOOPBACK, result);
    if (sandbox->path_count) arrange_paths(request, sandbox);
    if (request->ruleset >= 0 && request->private_rights) allow_private_paths(request, sandbox);
    if (sandbox->is_sealed && (result = close_ways_out()) < 0) fail(request, HF_STEP_SEAL, result);
    give_up_capabilities();
}

CHILD_SIDE_END
