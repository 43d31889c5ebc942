#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Calls that glibc declares only under _GNU_SOURCE, which Swift's importer does not define, or not at all.

#pragma clang assume_nonnull begin

/// pipe2(2) with O_CLOEXEC: `ends` receives the read and the write end.
int hf_pipe(int *ends, int is_non_blocking);

/// accept4(2) with SOCK_CLOEXEC and SOCK_NONBLOCK.
int hf_accept(int socket);

/// fallocate(2) from the beginning, which makes the file as long.
int hf_allocate(int descriptor, int64_t size);

/// The same, but the file keeps its length.
int hf_reserve(int descriptor, int64_t size);

/// When this was compiled, in seconds since 1970.
int64_t hf_build_time(void);

/// syncfs(2).
int hf_sync_file_system(int descriptor);

/// tee(2) without waiting: the bytes at the head of pipe `from` appear in pipe `to` as well, and stay where they are.
ssize_t hf_tee(int from, int to, size_t count);

/// Whether this process has never had a second thread (glibc's __libc_single_threaded, which Swift must not see: a
/// variable that changes).
int hf_is_single_threaded(void);

/// Gives back freed memory (malloc_trim(3)), and the pages of programs and libraries until they are next used.
void hf_release_memory(void);

/// One heap for all threads (M_ARENA_MAX of mallopt(3)): a second one costs pages, and pays off only for busy threads.
void hf_share_heap(void);

/// gettid(2).
int32_t hf_thread_id(void);

/// sigabbrev_np(3): "TERM" for 15; null for numbers without a name.
const char *_Nullable hf_signal_name(int signal);

/// SO_PEERCRED: struct ucred is hidden from Swift.
int hf_peer_credentials(int socket, int32_t *pid, uint32_t *uid, uint32_t *gid);

/// environ(7), ended by null: a variable that Swift must not see, for others may change it. Ours do not.
char *_Nullable *_Nullable hf_environment(void);

/// What the program was called as, without a folder: program_invocation_short_name(3), another variable.
const char *hf_program_name(void);

/// memfd_create(2) without flags: a file in memory that survives an execve.
int hf_memory_file(const char *name);

/// memfd_create(2), close-on-exec, for a library: it can be sealed, and stays executable where the system's default forbids it.
int hf_library_file(const char *name);

/// Seals such a file: nobody can write, grow or shrink it any more, or take the seals off (F_ADD_SEALS of fcntl(2)).
int hf_seal_file(int file);

#pragma clang assume_nonnull end
