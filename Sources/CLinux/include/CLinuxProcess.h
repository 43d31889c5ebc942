#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// waitid(2) for the exit of a child by pid, or of any child with pid 0, with WNOHANG and, when `keep_zombie`, WNOWAIT:
/// siginfo_t's fields are macros. Answers the pid that has ended, 0 when none has, -1 and errno (ECHILD: no child).
int hf_wait_child(int32_t pid, int keep_zombie);

/// prlimit(2) on this process: Swift imports the resource as an enumeration of another type in every libc.
int hf_get_limit(int32_t resource, uint64_t *soft, uint64_t *hard);
int hf_set_limit(int32_t resource, uint64_t soft, uint64_t hard);

/// FIONREAD, F_GETPIPE_SZ and F_SETPIPE_SZ: a variadic call, and constants hidden by _GNU_SOURCE.
int hf_unread_bytes(int descriptor);
int hf_pipe_capacity(int descriptor);
int hf_set_pipe_capacity(int descriptor, int bytes);

/// Whether the descriptor is of a cgroup2 file system (fstatfs(2)): 1 or 0; -1 and errno.
int hf_is_cgroup2(int descriptor);

/// Whether the extended attribute is there and its value is "1" (getxattr(2)).
int hf_is_attribute_set(const char *path, const char *name);

#pragma clang assume_nonnull end
