#include "CLinux.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int fill_address(struct sockaddr_un *address, socklen_t *length, const char *path) {
    size_t count = strlen(path);
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    // A path needs its NUL inside sun_path; an abstract name does not, and begins with one (unix(7)).
    int abstract = path[0] == '@';
    if (count == 0 || count + !abstract > sizeof address->sun_path) {
        errno = count == 0 ? EINVAL : ENAMETOOLONG;
        return -1;
    }
    memcpy(address->sun_path, path, count);
    if (abstract) address->sun_path[0] = '\0';
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count + !abstract);
    return 0;
}

int hf_bind_unix(int socket, const char *path) {
    struct sockaddr_un address;
    socklen_t length;
    if (fill_address(&address, &length, path) < 0) return -1;
    return bind(socket, (struct sockaddr *)&address, length);
}

int hf_connect_unix(int socket, const char *path) {
    struct sockaddr_un address;
    socklen_t length;
    if (fill_address(&address, &length, path) < 0) return -1;
    return connect(socket, (struct sockaddr *)&address, length);
}

ssize_t hf_send_message(int socket, const void *bytes, size_t count, const int32_t *descriptors,
                        size_t descriptor_count, const char *path, int flags) {
    struct sockaddr_un address;
    socklen_t length = 0;
    if (path && fill_address(&address, &length, path) < 0) return -1;
    if (descriptor_count > HF_MESSAGE_DESCRIPTORS_MAX) {
        errno = EINVAL;
        return -1;
    }
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(sizeof(int) * HF_MESSAGE_DESCRIPTORS_MAX)];
    } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {
        .msg_name = path ? &address : NULL,
        .msg_namelen = length,
        .msg_iov = &part,
        .msg_iovlen = 1,
    };
    if (descriptor_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptor_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * descriptor_count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * descriptor_count);
    }
    return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

ssize_t hf_receive_message(int socket, void *buffer, size_t capacity, struct hf_message_info *info, int flags) {
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(sizeof(int) * HF_MESSAGE_DESCRIPTORS_MAX) + CMSG_SPACE(sizeof(struct ucred))];
    } control;
    memset(info, 0, sizeof *info);
    struct iovec part = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t count = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (count < 0) return count;
    info->truncated = (message.msg_flags & MSG_TRUNC) != 0;
    info->control_truncated = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET) continue;
        if (header->cmsg_type == SCM_CREDENTIALS && header->cmsg_len == CMSG_LEN(sizeof(struct ucred))) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
            info->has_credentials = 1;
            info->pid = credentials.pid;
            info->uid = credentials.uid;
            info->gid = credentials.gid;
        } else if (header->cmsg_type == SCM_RIGHTS) {
            size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t index = 0; index < here; index++) {
                int descriptor;
                memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof descriptor);
                // The control buffer holds the credentials' room too: without them a few more descriptors fit it.
                if (info->descriptor_count < HF_MESSAGE_DESCRIPTORS_MAX) {
                    info->descriptors[info->descriptor_count++] = descriptor;
                } else {
                    close(descriptor);
                    info->control_truncated = 1;
                }
            }
        }
    }
    return count;
}
