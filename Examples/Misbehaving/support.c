#include "worker.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

long number(int argc, char **argv, int index, long fallback) {
    if (index >= argc) return fallback;
    char *end;
    long value = strtol(argv[index], &end, 10);
    if (*argv[index] != '\0' && *end == '\0' && value >= 0) return value;
    fprintf(stderr, "misbehaving-worker %s: '%s' is not a number of at least 0\n", argv[0], argv[index]);
    exit(64);
}

void wait_ms(long milliseconds) {
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {}
}

void wait_for_ever(void) {
    for (;;) pause();
}

void notify(const char *message) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || strlen(path) >= sizeof address.sun_path) return;
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@') address.sun_path[0] = '\0'; // an abstract name (unix(7))
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    sendto(descriptor, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    close(descriptor);
}

void print_line(const char *format, ...) {
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length < 0) return;
    if (length > (int)sizeof line - 2) length = sizeof line - 2;
    line[length++] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)length) < 0) return; // nobody reads it: that is what is being tried
}
