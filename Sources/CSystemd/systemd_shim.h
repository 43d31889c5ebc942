/* libsystemd: the journal's native protocol. */
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
