#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#pragma clang assume_nonnull begin

/// The most descriptors that one received message can carry here; the kernel closes those beyond it (unix(7)).
#define HF_MESSAGE_DESCRIPTORS_MAX 16

/// Who sent a message (SCM_CREDENTIALS), and what came with its bytes.
struct hf_message_info {
    int32_t descriptors[HF_MESSAGE_DESCRIPTORS_MAX];
    uint32_t descriptor_count;
    /// 1 when pid, uid and gid were filled in by the kernel.
    uint32_t has_credentials;
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
    /// 1 when the bytes did not fit the buffer.
    uint32_t truncated;
    /// 1 when descriptors were passed that did not fit.
    uint32_t control_truncated;
};

/// sendmsg(2) with descriptors: the CMSG macros are not importable into Swift. `path` may be null (connected socket);
/// a leading '@' names an abstract address.
ssize_t hf_send_message(int socket, const void *_Nullable bytes, size_t count, const int32_t *_Nullable descriptors,
                        size_t descriptor_count, const char *_Nullable path, int flags);

/// recvmsg(2): bytes, descriptors (close-on-exec) and credentials of one message.
ssize_t hf_receive_message(int socket, void *_Nullable buffer, size_t capacity, struct hf_message_info *info,
                           int flags);

/// bind(2), connect(2): sockaddr_un is a fixed array of char, which Swift sees as a tuple of 108 elements.
int hf_bind_unix(int socket, const char *path);
int hf_connect_unix(int socket, const char *path);

#pragma clang assume_nonnull end
