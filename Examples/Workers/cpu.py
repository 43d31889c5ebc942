#!/usr/bin/env python3
"""Prints how busy the processor is, once a second, one JSON object a line. Reads /proc/stat (proc_stat(5))."""

import json
import os
import signal
import socket
import sys
import time


def notify(message):
    """Tells the supervisor something (sd_notify(3)); without a supervisor, nobody."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messenger:
            messenger.sendto(message.encode(), "\0" + path[1:] if path[0] == "@" else path)


def times():
    with open("/proc/stat") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
    return sum(fields[:8]), fields[3] + fields[4]


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
total, idle = times()
notify("READY=1")
while True:
    time.sleep(1)
    (total_before, idle_before), (total, idle) = (total, idle), times()
    busy = 100 * (1 - (idle - idle_before) / max(1, total - total_before))
    load = os.getloadavg()[0]
    print(json.dumps({"cpu_percent": round(busy, 1), "load_1min": round(load, 2)}), flush=True)
    notify(f"WATCHDOG=1\nSTATUS={busy:.0f} % busy")
