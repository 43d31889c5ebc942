// Modes about output, and those that print how they were started.
#include "worker.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

int mode_flood(int argc, char **argv) {
    char filling[4000];
    long line_bytes = number(argc, argv, 2, 80), filled = line_bytes < 30 ? 10 : line_bytes < 4000 ? line_bytes - 20 : 3980;
    for (long i = 0; i < filled; i++) filling[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[i % 36];
    int without_pause = argc < 2 || strcmp(argv[1], "max") == 0;
    long lines_per_10_ms = without_pause ? 0 : number(argc, argv, 1, 0) / 100 / (filled + 20);
    if (lines_per_10_ms == 0) lines_per_10_ms = 1;
    notify("READY=1");
    for (unsigned long line = 1;; line++) {
        print_line("flood %012lu %.*s", line, (int)filled, filling); // with the line's end 20 bytes more
        if (!without_pause && line % (unsigned long)lines_per_10_ms == 0) wait_ms(10);
    }
}

int mode_numbered(int argc, char **argv) {
    long rate = number(argc, argv, 1, 10), count = number(argc, argv, 2, LONG_MAX);
    if (rate == 0) rate = 1;
    notify("READY=1");
    for (long line = 1; line <= count; line++) {
        print_line("line %ld", line);
        if (rate <= 1000) wait_ms(1000 / rate);
        else if (line % (rate / 1000) == 0) wait_ms(1);
    }
    wait_for_ever();
}

int mode_print_environment(int argc, char **argv) {
    (void)argc, (void)argv;
    for (char **variable = environ; *variable; variable++) print_line("%s", *variable);
    notify("READY=1");
    wait_for_ever();
}

static void print_file(const char *label, const char *path) {
    char line[1024];
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        print_line("%s%s", label, line);
    }
    if (file) fclose(file);
}

int mode_print_process(int argc, char **argv) {
    (void)argc, (void)argv;
    char folder[PATH_MAX];
    print_line("pid %d parent %d group %d session %d", (int)getpid(), (int)getppid(), (int)getpgrp(), (int)getsid(0));
    print_line("folder %s", getcwd(folder, sizeof folder) ? folder : "(gone)");
    print_file("status ", "/proc/self/status"); // ids, groups, umask, signal masks, capabilities
    print_file("limit ", "/proc/self/limits");
    print_file("cgroup ", "/proc/self/cgroup");
    print_file("oom_score_adj ", "/proc/self/oom_score_adj");
    notify("READY=1");
    wait_for_ever();
}

int mode_list_descriptors(int argc, char **argv) {
    (void)argc, (void)argv;
    DIR *descriptors = opendir("/proc/self/fd");
    struct dirent *entry;
    while (descriptors && (entry = readdir(descriptors))) {
        char target[PATH_MAX] = "";
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(descriptors)) continue;
        if (readlinkat(dirfd(descriptors), entry->d_name, target, sizeof target - 1) < 0) continue;
        print_line("descriptor %s %s", entry->d_name, target);
    }
    if (descriptors) closedir(descriptors);
    notify("READY=1");
    wait_for_ever();
}
