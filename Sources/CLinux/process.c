#include "CLinux.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

int hf_wait_child(int32_t pid, int keep_zombie) {
    siginfo_t info;
    // Linux leaves it alone when nobody has ended.
    info.si_pid = 0;
    int options = WEXITED | WNOHANG | (keep_zombie ? WNOWAIT : 0);
    if (waitid(pid == 0 ? P_ALL : P_PID, (id_t)pid, &info, options) < 0) return -1;
    return info.si_pid;
}

struct limit {
    uint64_t soft, hard;
};

int hf_get_limit(int32_t resource, uint64_t *soft, uint64_t *hard) {
    struct limit limit;
    if (syscall(SYS_prlimit64, 0, resource, NULL, &limit) < 0) return -1;
    *soft = limit.soft;
    *hard = limit.hard;
    return 0;
}

int hf_set_limit(int32_t resource, uint64_t soft, uint64_t hard) {
    struct limit limit = {soft, hard};
    return (int)syscall(SYS_prlimit64, 0, resource, &limit, NULL);
}

int hf_unread_bytes(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) < 0 ? -1 : count;
}

int hf_pipe_capacity(int descriptor) { return fcntl(descriptor, F_GETPIPE_SZ); }

int hf_set_pipe_capacity(int descriptor, int bytes) { return fcntl(descriptor, F_SETPIPE_SZ, bytes); }

int hf_is_cgroup2(int descriptor) {
    struct statfs status;
    if (fstatfs(descriptor, &status) < 0) return -1;
    return status.f_type == CGROUP2_SUPER_MAGIC;
}

int hf_is_attribute_set(const char *path, const char *name) {
    char value = 0;
    return getxattr(path, name, &value, 1) == 1 && value == '1';
}
