// What the modes of the misbehaving worker share.
#ifndef MISBEHAVING_WORKER_H
#define MISBEHAVING_WORKER_H

// Every mode gets its own arguments (argv[0] is the mode's name) and returns the exit status.
typedef int mode_function(int argc, char **argv);

// ending.c
mode_function mode_crash, mode_die_before_ready, mode_exit_clean, mode_ignore_term, mode_slow_stop;
// speaking.c
mode_function mode_steady, mode_hang, mode_never_ready, mode_slow_ready, mode_ping, mode_trigger, mode_extend,
    mode_mainpid, mode_notify_as_other;
// printing.c
mode_function mode_flood, mode_numbered, mode_print_environment, mode_print_process, mode_list_descriptors;
// resources.c
mode_function mode_double_fork, mode_fork_children, mode_close_descriptors, mode_eat_memory;

// The argument at index as a number of at least 0; fallback when it is absent; a wrong one ends the program with 64.
long number(int argc, char **argv, int index, long fallback);
// Does nothing for that long, signals or not.
void wait_ms(long milliseconds);
// Does nothing until a signal ends the process.
_Noreturn void wait_for_ever(void);
// Sends one datagram to $NOTIFY_SOCKET as sd_notify(3) does; nothing happens when the variable is not set.
void notify(const char *message);
// Prints a line with one write, so that lines of several processes never mix.
void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
