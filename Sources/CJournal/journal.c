#include "CJournal.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static int (*journal_sendv)(const struct iovec *, int);
static int is_non_blocking;

int hf_journal_is_present(void) { return access(JOURNAL_SOCKET, F_OK) == 0; }

const char *hf_journal_load(void) {
    if (journal_sendv) return NULL;
    void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) return dlerror();
    // POSIX has dlsym(3) give functions as object pointers.
    *(void **)&journal_sendv = dlsym(library, "sd_journal_sendv");
    return journal_sendv ? NULL : "libsystemd has no sd_journal_sendv";
}

// Waits on a socket of our own: poll(2) looks at the receiver's queue, whoever filled it (unix(7)).
int hf_journal_wait(int milliseconds) {
    int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
    struct pollfd request = {.fd = probe, .events = POLLOUT};
    int ready = connect(probe, (struct sockaddr *)&address, sizeof address) == 0 &&
                poll(&request, 1, milliseconds) > 0;
    close(probe);
    return ready;
}

static int is_datagram_socket(int descriptor) {
    int type = 0, domain = 0;
    socklen_t size = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM &&
           getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

// libsystemd keeps its socket to itself, and it blocks. But it opens it during the first call, and the kernel gives out
// the lowest free number (open(2)): in a process with one thread that number is known beforehand. systemd's own process
// 1 makes the same socket non-blocking, for the same reason.
static int first_send(const struct iovec *parts, int count) {
    if (!hf_journal_wait(0)) return -EAGAIN;
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (lowest < 0) return -errno;
    close(lowest);
    int result = journal_sendv(parts, count);
    if (is_datagram_socket(lowest)) {
        int flags = fcntl(lowest, F_GETFL);
        is_non_blocking = flags >= 0 && fcntl(lowest, F_SETFL, flags | O_NONBLOCK) == 0;
    }
    return result;
}

int hf_journal_send(const struct hf_journal_field *fields, int count) {
    struct iovec parts[HF_JOURNAL_FIELDS_MAX];
    if (!journal_sendv || count < 1 || count > HF_JOURNAL_FIELDS_MAX) return -EINVAL;
    // sd_journal_sendv answers 0 when there is no journal.
    if (!hf_journal_is_present()) return -ENOENT;
    for (int index = 0; index < count; index++) {
        parts[index].iov_base = (void *)fields[index].bytes;
        parts[index].iov_len = fields[index].count;
    }
    if (!is_non_blocking) return first_send(parts, count);
    return journal_sendv(parts, count);
}
