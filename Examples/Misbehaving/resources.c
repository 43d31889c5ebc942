// Modes about processes, descriptors and memory that somebody else has to clean up.
#include "worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int mode_double_fork(int argc, char **argv) {
    if (fork() == 0) {
        setsid();
        if (fork() != 0) _exit(0);
        print_line("grandchild %d", (int)getpid());
        wait_for_ever();
    }
    wait(NULL); // for the process in between: from here on the grandchild is there, and nobody's
    notify("READY=1");
    if (argc > 1 && strcmp(argv[1], "exit") == 0) return 1;
    wait_for_ever();
}

int mode_fork_children(int argc, char **argv) {
    for (long left = number(argc, argv, 1, 3); left > 0; left--) {
        pid_t child = fork();
        if (child < 0) return 70;
        if (child == 0) wait_for_ever();
        print_line("child %d", (int)child);
    }
    notify("READY=1");
    wait_for_ever();
}

int mode_close_descriptors(int argc, char **argv) {
    (void)argc, (void)argv;
    notify("READY=1");
    for (int descriptor = 0; descriptor < 1024; descriptor++) close(descriptor);
    wait_for_ever();
}

int mode_eat_memory(int argc, char **argv) {
    long per_second = number(argc, argv, 1, 64), most = number(argc, argv, 2, 4096);
    notify("READY=1");
    for (long eaten = 0; eaten < most; eaten++) {
        char *megabyte = malloc(1 << 20);
        if (!megabyte) break;
        memset(megabyte, (int)eaten + 1, 1 << 20); // touched, so that it counts
        if (per_second > 0) wait_ms(1000 / per_second);
    }
    wait_for_ever();
}
