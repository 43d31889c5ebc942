// Modes about what is said on the notify socket, and when (sd_notify(3)).
#include "worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void ping_for_ever(long every_ms) {
    for (;;) {
        wait_ms(every_ms);
        notify("WATCHDOG=1");
    }
}

// Half of the period that was asked for, as sd_watchdog_enabled(3) recommends; without one, no pings.
static void ping_as_asked(void) {
    const char *period = getenv("WATCHDOG_USEC");
    long microseconds = period ? atol(period) : 0;
    if (microseconds > 0) ping_for_ever(microseconds / 2000 + 1);
    wait_for_ever();
}

static void end_well(int signal_number) {
    (void)signal_number;
    _exit(0);
}

int mode_steady(int argc, char **argv) {
    (void)argc, (void)argv;
    signal(SIGTERM, end_well);
    print_line("up as %d", (int)getpid());
    notify("READY=1\nSTATUS=all is well");
    ping_as_asked();
    return 0;
}

int mode_hang(int argc, char **argv) {
    (void)argc, (void)argv;
    notify("READY=1");
    wait_for_ever();
}

int mode_never_ready(int argc, char **argv) {
    (void)argc, (void)argv;
    wait_for_ever();
}

int mode_slow_ready(int argc, char **argv) {
    notify("STATUS=warming up");
    wait_ms(number(argc, argv, 1, 1000));
    notify("READY=1\nSTATUS=warm");
    ping_as_asked();
    return 0;
}

int mode_ping(int argc, char **argv) {
    long every = number(argc, argv, 1, 1000), count = number(argc, argv, 2, -1);
    notify("READY=1");
    if (count < 0) ping_for_ever(every);
    while (count-- > 0) {
        wait_ms(every);
        notify("WATCHDOG=1");
    }
    wait_for_ever();
}

int mode_trigger(int argc, char **argv) {
    notify("READY=1");
    wait_ms(number(argc, argv, 1, 0));
    notify("WATCHDOG=trigger");
    wait_for_ever();
}

int mode_extend(int argc, char **argv) {
    long left = number(argc, argv, 1, 1000), step = number(argc, argv, 2, 100);
    if (step == 0) step = 1;
    char message[64];
    snprintf(message, sizeof message, "EXTEND_TIMEOUT_USEC=%ld", step * 2000);
    for (; left > 0; left -= step) {
        notify(message);
        wait_ms(left < step ? left : step);
    }
    notify("READY=1");
    wait_for_ever();
}

int mode_mainpid(int argc, char **argv) {
    (void)argc, (void)argv;
    pid_t child = fork();
    if (child < 0) return 70;
    if (child == 0) {
        signal(SIGTERM, end_well);
        wait_for_ever();
    }
    char message[64];
    snprintf(message, sizeof message, "MAINPID=%d\nREADY=1", (int)child);
    notify(message);
    return 0;
}

int mode_notify_as_other(int argc, char **argv) {
    (void)argc, (void)argv;
    if (fork() == 0) {
        setsid();
        if (fork() != 0) _exit(0);
        notify("READY=1\nSTATUS=said by another");
        wait_for_ever(); // alive, so that the receiver can look up who it was
    }
    wait_for_ever();
}
