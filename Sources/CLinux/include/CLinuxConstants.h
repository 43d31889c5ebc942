#pragma once
#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

// Constants that glibc declares as enumerators of unnamed or several types, or as macros that Swift cannot import:
// each as a plain int.
static const int hf_o_path = __O_PATH;
static const int hf_tfd_cloexec = TFD_CLOEXEC;
static const int hf_tfd_nonblock = TFD_NONBLOCK;
static const int hf_tfd_timer_abstime = TFD_TIMER_ABSTIME;
static const int hf_sfd_cloexec = SFD_CLOEXEC;
static const int hf_sfd_nonblock = SFD_NONBLOCK;
static const int hf_sock_cloexec = SOCK_CLOEXEC;
static const int hf_sock_nonblock = SOCK_NONBLOCK;
static const int hf_sock_dgram = SOCK_DGRAM;
static const int hf_sock_stream = SOCK_STREAM;
static const int hf_sock_seqpacket = SOCK_SEQPACKET;
static const int hf_msg_dontwait = MSG_DONTWAIT;
static const int hf_msg_peek = MSG_PEEK;
static const int hf_msg_nosignal = MSG_NOSIGNAL;
static const int hf_shut_wr = SHUT_WR;
