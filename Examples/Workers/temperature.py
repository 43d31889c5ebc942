#!/usr/bin/env python3
"""Prints every temperature that the kernel knows, every five seconds.

Reads /sys/class/thermal (kernel: driver-api/thermal/sysfs-api) and /sys/class/hwmon (kernel: hwmon/sysfs-interface).
A machine without sensors, such as most virtual ones, gets a line that says so.
"""

import glob
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


def text(path, fallback):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:  # an optional attribute, or a sensor that is gone or not ready
        return fallback


def temperatures():
    """Pairs of a name and degrees Celsius; the kernel gives thousandths."""
    for zone in sorted(glob.glob("/sys/class/thermal/thermal_zone*")):
        yield text(zone + "/type", os.path.basename(zone)), text(zone + "/temp", "")
    for sensor in sorted(glob.glob("/sys/class/hwmon/hwmon*/temp*_input")):
        chip = text(os.path.dirname(sensor) + "/name", "chip")
        label = text(sensor.replace("_input", "_label"), os.path.basename(sensor)[: -len("_input")])
        yield f"{chip}/{label}", text(sensor, "")


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
notify("READY=1")
while True:
    readings = [(name, int(value) / 1000) for name, value in temperatures() if value.lstrip("-").isdigit()]
    for name, degrees in readings:
        print(json.dumps({"sensor": name, "celsius": degrees}), flush=True)
    if readings:
        status = f"hottest: {max(degrees for _, degrees in readings):.1f} °C"
    else:
        status = "no temperature sensor on this machine"
        print(json.dumps({"sensor": None, "message": status}), flush=True)
    notify(f"WATCHDOG=1\nSTATUS={status}")
    time.sleep(5)
