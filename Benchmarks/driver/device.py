"""The whole way of readings: a worker's socket, the spool, the link, central's database. Real programs, over loopback, with TLS."""

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time

import measurements
from fleet import Central, Failed, folder_in
from holdfast import BINARIES, Holdfast

WORKERS = 20
READINGS = 400_000
# Of a day: so many minutes, with so many readings in each, and an event each hour.
MINUTES = 24 * 60
READINGS_A_MINUTE = 1000
PATIENCE_S = 300

# A day's readings are about 100 MB.
QUOTA = """
[uplink.readings]
quota = "1G"
"""
FIRST = 'name = "w0"\n'


class Enrolled(Holdfast):
    """A device with a link to central, room for a day of readings, and a first worker that may send as fast as it can."""

    def prepare(self, count):
        super().prepare(count)
        file = self.folder / "holdfast.toml"
        file.write_text(file.read_text().replace(FIRST, FIRST + "telemetry_rate = 1000000\n", 1) + QUOTA)

    def enrol(self, token):
        subprocess.run([BINARIES / "holdfast", "enrol", token], check=True, capture_output=True, text=True, timeout=60,
                       env=os.environ | {"HOLDFAST_SOCKET": str(self.runtime / "control.sock")})

    @contextlib.contextmanager
    def messenger(self):
        """Sends as the first worker would."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messenger:
            messenger.settimeout(PATIENCE_S)
            messenger.connect(str(self.runtime / "telemetry/w0"))
            yield messenger


class Arrived:
    """What central has, looked at beside it."""

    def __init__(self, central):
        self.database = sqlite3.connect(f"file:{central.data}/central.sqlite?mode=ro", uri=True, timeout=30)

    def one(self, statement, *arguments):
        return self.database.execute(statement, arguments).fetchone()[0]

    def readings(self):
        return self.one("SELECT coalesce(max(applied), 0) FROM spool WHERE queue = 'readings'")

    def events(self, name):
        return self.one("SELECT count(*) FROM event WHERE kind = 'worker' AND body LIKE ?", f'%"{name}"%')

    def account(self, name, first, last):
        """How many of these numbers are missing, and how many are there twice."""
        seen = [value for value, in self.database.execute(
            "SELECT value FROM reading JOIN series ON series.number = reading.series WHERE name = ? AND value BETWEEN ? AND ?",
            (name, first, last))]
        return {"sent": last - first + 1, "missing": last - first + 1 - len(set(seen)), "twice": len(seen) - len(set(seen))}


def until(what, condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"in vain for {PATIENCE_S} s: {what}")
        time.sleep(0.02)


def send(messenger, lines):
    messenger.send("\n".join(lines).encode())


def throughput(device, arrived):
    before = arrived.readings()
    began = time.monotonic()
    with device.messenger() as messenger:
        for start in range(1, READINGS + 1, 10):
            send(messenger, (f'{{"number": {number}}}' for number in range(start, start + 10)))
    sent = time.monotonic()
    until("all readings are in central's database", lambda: arrived.readings() >= before + READINGS)
    ended = time.monotonic()
    return {"readings": READINGS, "sending_s": round(sent - began, 2), "s": round(ended - began, 2),
            "readings_per_s": round(READINGS / (ended - began))} | arrived.account("number", 1, READINGS)


def day_offline(device, central, arrived):
    """A day's readings while central is away, told by the clock of the worker; then central comes back."""
    before = arrived.readings()
    central.stop()
    now = int(time.time() * 1000)
    number = 0
    began = time.monotonic()
    with device.messenger() as messenger:
        for minute in range(MINUTES):
            at = now - (MINUTES - minute) * 60_000
            for start in range(0, READINGS_A_MINUTE, 50):
                send(messenger, (f'{{"offline": {number + step}, "time": {at + (start + step) * 60}}}'
                                 for step in range(1, 51)))
                number += 50
            if minute % 60 == 0:
                send(messenger, [json.dumps({"event": "hour", "hour": minute // 60, "time": at})])
        written = time.monotonic()
        send(messenger, [json.dumps({"event": "newest"})])
    central.start()
    back = time.monotonic()
    until("the newest event is at central", lambda: arrived.events("newest") == 1)
    result = {"writing_s": round(written - began, 2), "newest_event_s": round(time.monotonic() - back, 2),
              "readings_before_newest_event": arrived.readings() - before, "hours": arrived.events("hour")}
    until("the last reading has begun to arrive", lambda: arrived.readings() > before)
    first = time.monotonic()
    until("the day is in central's database", lambda: arrived.readings() >= before + number)
    ended = time.monotonic()
    return result | {"first_reading_s": round(first - back, 2), "drained_s": round(ended - back, 2),
                     "drained_per_s": round(number / (ended - first))} | arrived.account("offline", 1, number)


def measure(program, parent, place):
    """`parent` is a folder on a real disk for central, `place` one that the workers' user reaches."""
    with folder_in(parent) as folder:
        with Central(program, folder) as central:
            device = Enrolled(place)
            try:
                device.start(WORKERS)
                device.enrol(central.token("--enrol"))
                arrived = Arrived(central)
                results = {"memory": measurements.idle_footprint(device.resident)}
                print("  a stream of readings", file=sys.stderr, flush=True)
                results["throughput"] = throughput(device, arrived)
                print("  a day offline", file=sys.stderr, flush=True)
                results["day_offline"] = day_offline(device, central, arrived)
                results["memory_afterwards"] = measurements.idle_footprint(device.resident)
                return results
            finally:
                device.remove()
