// A worker that misbehaves in the way its first argument names, for tests, for the demo and for trying things out.
#include "worker.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    mode_function *run;
    const char *arguments;
    const char *what;
} modes[] = {
    {"crash", mode_crash, "[AFTER_MS] [CODE|SIGNAL]", "ready, then ends with a status (1) or by a signal"},
    {"die-before-ready", mode_die_before_ready, "[AFTER_MS] [CODE]", "never says READY=1 and ends with a status (1)"},
    {"exit-clean", mode_exit_clean, "[AFTER_MS]", "ready, then ends with status 0"},
    {"ignore-term", mode_ignore_term, "", "ready, and deaf to TERM, INT and HUP"},
    {"slow-stop", mode_slow_stop, "MS", "ready; after TERM it says STOPPING=1 and takes its time"},
    {"steady", mode_steady, "", "does everything right: ready, pings, ends with 0 on TERM"},
    {"hang", mode_hang, "", "ready, then silent for ever"},
    {"never-ready", mode_never_ready, "", "alive, but never says READY=1"},
    {"slow-ready", mode_slow_ready, "MS", "says READY=1 late, then pings"},
    {"ping", mode_ping, "EVERY_MS [COUNT]", "ready, pings at that pace (COUNT times, then silent)"},
    {"trigger", mode_trigger, "[AFTER_MS]", "ready, then declares itself hung by WATCHDOG=trigger"},
    {"extend", mode_extend, "TOTAL_MS [STEP_MS]", "asks for more start time at every step, ready after the total"},
    {"mainpid", mode_mainpid, "", "leaves the work to a child, declares it by MAINPID= and ends"},
    {"notify-as-other", mode_notify_as_other, "", "READY=1 comes from a process that left the worker's session"},
    {"flood", mode_flood, "[BYTES_PER_S|max] [LINE]", "ready, then numbered lines (of 80 bytes) without end"},
    {"numbered", mode_numbered, "LINES_PER_S [COUNT]", "ready, then numbered lines (COUNT of them, then silent)"},
    {"print-environment", mode_print_environment, "", "prints its environment, ready"},
    {"print-process", mode_print_process, "", "prints its ids, masks, limits and folder, ready"},
    {"list-descriptors", mode_list_descriptors, "", "prints its open descriptors, ready"},
    {"double-fork", mode_double_fork, "[exit]", "ready; a grandchild in a session of its own lives on"},
    {"fork-children", mode_fork_children, "COUNT", "ready, with that many children in its group"},
    {"close-descriptors", mode_close_descriptors, "", "ready, then closes every descriptor it has"},
    {"eat-memory", mode_eat_memory, "[MB_PER_S] [MAX_MB]", "ready, then takes ever more memory"},
};

int main(int argc, char **argv) {
    const int count = sizeof modes / sizeof modes[0];
    for (int i = 0; argc > 1 && i < count; i++)
        if (strcmp(argv[1], modes[i].name) == 0) return modes[i].run(argc - 1, argv + 1);
    fprintf(stderr, "usage: misbehaving-worker MODE [ARGUMENT...]\n");
    for (int i = 0; i < count; i++)
        fprintf(stderr, "  %-17s %-24s %s\n", modes[i].name, modes[i].arguments, modes[i].what);
    return 64;
}
