#pragma once
#include <stddef.h>
#include <stdint.h>

// What a process is confined with, prepared by its parent (the child's side is in spawn_child.c).

#pragma clang assume_nonnull begin

/// landlock_create_ruleset(2) for the version of the interface, from 1; -1 and errno (ENOSYS, EOPNOTSUPP: none here).
int hf_landlock_version(void);

/// landlock_create_ruleset(2): an empty ruleset, close-on-exec, that governs these rights. Rights that the kernel does
/// not know are EINVAL.
int hf_landlock_ruleset(uint64_t file_rights, uint64_t network_rights, uint64_t scopes);

/// landlock_add_rule(2): allows rights on a file, or on everything below a directory, that `file` is open at.
int hf_landlock_allow(int ruleset, int file, uint64_t file_rights);

/// Whether seccomp(2) takes filters here: 0; -1 and errno (ENOSYS, EINVAL: it does not).
int hf_seccomp_probe(void);

/// The architecture and the numbers of system calls, as a filter sees them (seccomp_data of seccomp(2)).
uint32_t hf_native_architecture(void);
uint32_t hf_clone_number(void);
uint32_t hf_clone3_number(void);
uint32_t hf_socket_number(void);
/// The greatest number that was given out when the families below were written.
uint32_t hf_newest_system_call(void);

/// Families of system calls, as systemd groups them (systemd.exec(5), SystemCallFilter=).
enum hf_call_family {
    HF_CALLS_CLOCK,
    HF_CALLS_DEBUG,
    HF_CALLS_KERNEL,
    HF_CALLS_KEYRING,
    HF_CALLS_MODULE,
    HF_CALLS_MOUNT,
    HF_CALLS_NAMESPACE,
    HF_CALLS_PRIVILEGED,
    HF_CALLS_PROCESS,
    HF_CALLS_RAW_IO,
    HF_CALLS_REBOOT,
    HF_CALLS_SWAP,
};

/// The numbers of a family's members that this architecture has.
const uint32_t *hf_system_calls(enum hf_call_family family, size_t *count);

/// The path of the loader that the kernel starts for this program (PT_INTERP of elf(5)); null when there is none.
const char *_Nullable hf_program_interpreter(void);

/// prctl(2), PR_SET_NAME: what lists of processes call this one. The first 15 bytes count.
int hf_set_process_name(const char *name);

/// fchownat(2) with AT_EMPTY_PATH: the owner of the very file that `file` is open at, O_PATH included.
int hf_change_owner(int file, uint32_t uid, uint32_t gid);

#pragma clang assume_nonnull end
