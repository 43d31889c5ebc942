#include "CLinux.h"

#include <sys/mman.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <time.h>
#include <unistd.h>

int hf_pipe(int *ends, int is_non_blocking) { return pipe2(ends, O_CLOEXEC | (is_non_blocking ? O_NONBLOCK : 0)); }

int hf_accept(int socket) { return accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

ssize_t hf_tee(int from, int to, size_t count) { return tee(from, to, count, SPLICE_F_NONBLOCK); }

int hf_allocate(int descriptor, int64_t size) { return fallocate(descriptor, 0, 0, (off_t)size); }

int hf_reserve(int descriptor, int64_t size) {
    return fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, (off_t)size);
}

int hf_sync_file_system(int descriptor) { return syncfs(descriptor); }

int hf_is_single_threaded(void) { return __libc_single_threaded ? 1 : 0; }

int32_t hf_thread_id(void) { return gettid(); }

const char *hf_signal_name(int signal) { return sigabbrev_np(signal); }

int hf_peer_credentials(int socket, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) return -1;
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

char **hf_environment(void) { return environ; }

const char *hf_program_name(void) { return program_invocation_short_name; }

int hf_memory_file(const char *name) { return memfd_create(name, 0); }

// Linux 6.3; the C library's headers may be older.
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

int hf_library_file(const char *name) {
    int file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (file < 0 && errno == EINVAL) file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return file;
}

int hf_seal_file(int file) {
    return fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
}

int64_t hf_build_time(void) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *date = __DATE__; // "Nov  3 2025"
    char month[4] = {date[0], date[1], date[2], 0};
    int day = 0, year = 0;
    if (sscanf(date + 4, "%d %d", &day, &year) != 2) return 0;
    struct tm time = {.tm_year = year - 1900, .tm_mon = (int)(strstr(months, month) - months) / 3, .tm_mday = day};
    return (int64_t)timegm(&time);
}
