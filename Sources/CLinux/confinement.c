#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// MARK: Landlock

// struct landlock_ruleset_attr of <linux/landlock.h> as of its sixth version. Debian 12's headers end with the first
// member; a kernel that knows fewer takes the longer structure when the rest is zero.
struct ruleset_attributes {
    uint64_t handled_access_fs, handled_access_net, scoped;
};

// struct landlock_path_beneath_attr.
struct path_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

int hf_landlock_version(void) {
    return (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_RULESET_VERSION);
}

int hf_landlock_ruleset(uint64_t file_rights, uint64_t network_rights, uint64_t scopes) {
    struct ruleset_attributes attributes = {file_rights, network_rights, scopes};
    return (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
}

int hf_landlock_allow(int ruleset, int file, uint64_t file_rights) {
    struct path_beneath rule = {file_rights, file};
    return (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
}

// MARK: System calls

int hf_seccomp_probe(void) {
    // seccomp(2), NOTES: a kernel that has it looks at the missing program first.
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL);
    return result < 0 && errno == EFAULT ? 0 : -1;
}

uint32_t hf_native_architecture(void) {
#if defined(__x86_64__)
    return AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
    return AUDIT_ARCH_AARCH64;
#endif
}

uint32_t hf_clone_number(void) { return SYS_clone; }
uint32_t hf_clone3_number(void) { return SYS_clone3; }
uint32_t hf_socket_number(void) { return SYS_socket; }

// Since Linux 5.1 a new call has the same number everywhere; those that the headers of an older system lack are given by it.
#define CALL_MOUNT_SETATTR 442
#define CALL_QUOTACTL_FD 443
#define CALL_MEMFD_SECRET 447
#define CALL_LISTMOUNT 458
#define CALL_STATMOUNT 457
#define CALL_LSM_SET_SELF_ATTR 460
#define CALL_OPEN_TREE_ATTR 467
#define CALL_NEWEST 469 // file_setattr, Linux 6.17

uint32_t hf_newest_system_call(void) { return CALL_NEWEST; }

static const uint32_t clock_calls[] = {SYS_adjtimex, SYS_clock_adjtime, SYS_clock_settime, SYS_settimeofday};

static const uint32_t debug_calls[] = {
    SYS_kcmp, SYS_lookup_dcookie, SYS_perf_event_open, SYS_pidfd_getfd, SYS_process_madvise, SYS_process_vm_readv,
    SYS_process_vm_writev, SYS_ptrace,
};

// Large parts of the kernel that few programs need; what io_uring does for a process no filter sees.
static const uint32_t kernel_calls[] = {
    SYS_bpf, SYS_fanotify_init, SYS_fanotify_mark, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_uring_setup,
    CALL_LSM_SET_SELF_ATTR, CALL_MEMFD_SECRET, SYS_nfsservctl, SYS_personality, SYS_userfaultfd,
#if defined(__x86_64__)
    SYS__sysctl, SYS_create_module, SYS_get_kernel_syms, SYS_modify_ldt, SYS_query_module, SYS_sysfs, SYS_uselib,
    SYS_ustat, SYS_vserver,
#endif
};

static const uint32_t keyring_calls[] = {SYS_add_key, SYS_keyctl, SYS_request_key};

static const uint32_t module_calls[] = {SYS_delete_module, SYS_finit_module, SYS_init_module};

static const uint32_t mount_calls[] = {
    SYS_chroot, SYS_fsconfig, SYS_fsmount, SYS_fsopen, SYS_fspick, CALL_LISTMOUNT, SYS_mount, CALL_MOUNT_SETATTR,
    SYS_move_mount, SYS_open_tree, CALL_OPEN_TREE_ATTR, SYS_pivot_root, CALL_STATMOUNT, SYS_umount2,
};

static const uint32_t namespace_calls[] = {SYS_setns, SYS_unshare};

static const uint32_t privileged_calls[] = {
    SYS_acct, SYS_capset, SYS_open_by_handle_at, SYS_quotactl, CALL_QUOTACTL_FD, SYS_setdomainname, SYS_setfsgid,
    SYS_setfsuid, SYS_setgid, SYS_setgroups, SYS_sethostname, SYS_setregid, SYS_setresgid, SYS_setresuid, SYS_setreuid,
    SYS_setuid, SYS_vhangup, SYS_fchown, SYS_fchownat,
#if defined(__x86_64__)
    SYS_chown, SYS_lchown,
#endif
};

// Threads are clone(2) with CLONE_THREAD; that is for the filter to tell apart.
static const uint32_t process_calls[] = {
#if defined(__x86_64__)
    SYS_fork, SYS_vfork,
#endif
    SYS_migrate_pages, SYS_move_pages,
};

static const uint32_t raw_io_calls[] = {
    SYS_syslog,
#if defined(__x86_64__)
    SYS_ioperm, SYS_iopl,
#endif
};

static const uint32_t reboot_calls[] = {SYS_kexec_file_load, SYS_kexec_load, SYS_reboot};

static const uint32_t swap_calls[] = {SYS_swapoff, SYS_swapon};

#define FAMILY(calls)                          \
    *count = sizeof(calls) / sizeof *(calls); \
    return calls

const uint32_t *hf_system_calls(enum hf_call_family family, size_t *count) {
    switch (family) {
    case HF_CALLS_CLOCK: FAMILY(clock_calls);
    case HF_CALLS_DEBUG: FAMILY(debug_calls);
    case HF_CALLS_KERNEL: FAMILY(kernel_calls);
    case HF_CALLS_KEYRING: FAMILY(keyring_calls);
    case HF_CALLS_MODULE: FAMILY(module_calls);
    case HF_CALLS_MOUNT: FAMILY(mount_calls);
    case HF_CALLS_NAMESPACE: FAMILY(namespace_calls);
    case HF_CALLS_PRIVILEGED: FAMILY(privileged_calls);
    case HF_CALLS_PROCESS: FAMILY(process_calls);
    case HF_CALLS_RAW_IO: FAMILY(raw_io_calls);
    case HF_CALLS_REBOOT: FAMILY(reboot_calls);
    case HF_CALLS_SWAP: FAMILY(swap_calls);
    }
}

// MARK: This process

static int find_interpreter(struct dl_phdr_info *object, size_t size, void *result) {
    (void)size;
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[index];
        if (header->p_type == PT_INTERP) *(const char **)result = (const char *)(object->dlpi_addr + header->p_vaddr);
    }
    // The first object is the program itself (dl_iterate_phdr(3)).
    return 1;
}

const char *hf_program_interpreter(void) {
    const char *interpreter = NULL;
    dl_iterate_phdr(find_interpreter, &interpreter);
    return interpreter;
}

int hf_set_process_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

int hf_change_owner(int file, uint32_t uid, uint32_t gid) { return fchownat(file, "", uid, gid, AT_EMPTY_PATH); }
