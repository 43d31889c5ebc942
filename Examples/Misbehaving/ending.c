// Modes about how and when the process ends.
#include "worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

static int signal_number(const char *name) {
    if (strncasecmp(name, "SIG", 3) == 0) name += 3;
    for (int number = 1; number < NSIG; number++) {
        const char *known = sigabbrev_np(number);
        if (known && strcasecmp(known, name) == 0) return number;
    }
    return 0;
}

int mode_crash(int argc, char **argv) {
    int signal_to_raise = argc > 2 ? signal_number(argv[2]) : 0;
    long code = signal_to_raise ? 0 : number(argc, argv, 2, 1);
    notify("READY=1");
    wait_ms(number(argc, argv, 1, 0));
    print_line("about to crash");
    if (!signal_to_raise) return (int)code;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); // the signal is the point, not the core file
    signal(signal_to_raise, SIG_DFL);
    raise(signal_to_raise);
    wait_for_ever(); // a signal that ends nothing by default
}

int mode_die_before_ready(int argc, char **argv) {
    wait_ms(number(argc, argv, 1, 0));
    return (int)number(argc, argv, 2, 1);
}

int mode_exit_clean(int argc, char **argv) {
    notify("READY=1");
    wait_ms(number(argc, argv, 1, 0));
    return 0;
}

int mode_ignore_term(int argc, char **argv) {
    (void)argc, (void)argv;
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    notify("READY=1");
    wait_for_ever();
}

int mode_slow_stop(int argc, char **argv) {
    long milliseconds = number(argc, argv, 1, 1000);
    sigset_t terminate;
    int received;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    sigprocmask(SIG_BLOCK, &terminate, NULL);
    notify("READY=1");
    sigwait(&terminate, &received);
    notify("STOPPING=1\nSTATUS=taking my time");
    wait_ms(milliseconds);
    return 0;
}
