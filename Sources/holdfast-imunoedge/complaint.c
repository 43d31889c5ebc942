// What goes to standard error when something has failed.

#include "launcher.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void complain(const char *what, const char *subject) {
    fprintf(stderr, "holdfast-imunoedge: %s %s: %s\n", what, subject, strerror(errno));
}

void fail(int status, const char *what, const char *subject) {
    complain(what, subject);
    _exit(status);
}
