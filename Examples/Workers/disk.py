#!/usr/bin/env python3
"""Prints what each disk reads and writes, every two seconds. Reads /proc/diskstats (kernel: admin-guide/iostats)."""

import json
import os
import signal
import socket
import sys
import time

SECTOR_BYTES = 512  # the unit of /proc/diskstats, whatever the disk's own sectors are
PERIOD_S = 2


def notify(message):
    """Tells the supervisor something (sd_notify(3)); without a supervisor, nobody."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messenger:
            messenger.sendto(message.encode(), "\0" + path[1:] if path[0] == "@" else path)


def counters():
    """Bytes read and written since boot, for each whole disk that was ever used."""
    found = {}
    with open("/proc/diskstats") as file:
        for fields in map(str.split, file):
            name, read, written = fields[2], int(fields[5]), int(fields[9])
            if os.path.exists(f"/sys/block/{name}") and read + written > 0:
                found[name] = (read * SECTOR_BYTES, written * SECTOR_BYTES)
    return found


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
now = counters()
notify("READY=1")
while True:
    time.sleep(PERIOD_S)
    before, now = now, counters()
    written_total = 0
    for name, (read, written) in sorted(now.items()):
        read_before, written_before = before.get(name, (read, written))
        written_total += written - written_before
        rates = {"read_bytes_per_s": (read - read_before) // PERIOD_S}
        rates["write_bytes_per_s"] = (written - written_before) // PERIOD_S
        print(json.dumps({"disk": name, **rates}), flush=True)
    notify(f"WATCHDOG=1\nSTATUS={len(now)} disks, writing {written_total // PERIOD_S // 1024} KiB/s")
