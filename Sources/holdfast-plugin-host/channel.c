// Descriptor 3. The plugin lives in the same process and may close it, or put something else in its place: what is sent
// goes to the socket that was there in the beginning, or nowhere.

#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static dev_t device;
static ino_t inode;

void channel_open(void) {
    struct stat status;
    int type = 0;
    socklen_t size = sizeof type;
    if (fstat(channel_descriptor, &status) != 0 ||
        getsockopt(channel_descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
        fprintf(stderr, "holdfast-plugin-host: descriptor 3 is no socket of packets: this program is started by "
                        "holdfast-executor, and by holdfast plugin run\n");
        _exit(HF_EXIT_USAGE);
    }
    device = status.st_dev;
    inode = status.st_ino;
    // Programs that the plugin starts have nothing to do with it.
    fcntl(channel_descriptor, F_SETFD, FD_CLOEXEC);
}

static int is_ours(void) {
    struct stat status;
    return fstat(channel_descriptor, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

static void wait_for(short events) {
    struct pollfd socket = {.fd = channel_descriptor, .events = events};
    poll(&socket, 1, -1);
}

// The first descriptor of a message; others are closed.
static int descriptor_of(struct msghdr *message) {
    int found = -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(part) + index * sizeof descriptor, sizeof descriptor);
            if (found < 0) {
                found = descriptor;
            } else {
                close(descriptor);
            }
        }
    }
    return found;
}

int channel_receive(struct packet *packet, int is_waiting) {
    for (;;) {
        if (!is_ours()) return -1;
        struct iovec pieces[] = {piece(&packet->head, sizeof packet->head), piece(packet->body, HF_FRAME_BODY_MAX)};
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
        struct msghdr message = {
            .msg_iov = pieces, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t count = recvmsg(channel_descriptor, &message, MSG_CMSG_CLOEXEC | (is_waiting ? 0 : MSG_DONTWAIT));
        if (count >= (ssize_t)sizeof packet->head) {
            packet->descriptor = descriptor_of(&message);
            packet->length = (size_t)count - sizeof packet->head;
            packet->body[packet->length] = '\0';
            return 1;
        }
        if (count >= 0) return -1;
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
        if (!is_waiting) return 0;
        wait_for(POLLIN);
    }
}

int channel_send(uint32_t type, int32_t number, int64_t value, const struct iovec *pieces, size_t count) {
    struct hf_frame head = {.type = type, .number = number, .value = value};
    struct iovec all[4] = {piece(&head, sizeof head)};
    for (size_t index = 0; index < count && index < 3; index++) all[index + 1] = pieces[index];
    struct msghdr message = {.msg_iov = all, .msg_iovlen = count + 1};
    for (;;) {
        if (!is_ours()) return -1;
        if (sendmsg(channel_descriptor, &message, MSG_NOSIGNAL) >= 0) return 0;
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
        wait_for(POLLOUT);
    }
}

int channel_send_text(uint32_t type, int32_t number, int64_t value, const char *text, size_t longest) {
    struct iovec body = piece(text, text ? strnlen(text, longest) : 0);
    return channel_send(type, number, value, &body, 1);
}
