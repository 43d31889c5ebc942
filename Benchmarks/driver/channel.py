"""The FIFO on which every probe says when it began to run."""

import os
import select
import struct
import time
from typing import NamedTuple

RECORD = struct.Struct("=QII")  # as in worker/probe.c


class Start(NamedTuple):
    """The first instruction of a worker; the time is CLOCK_MONOTONIC in nanoseconds, as time.monotonic_ns()."""

    at_ns: int
    index: int
    pid: int


class TookTooLong(Exception):
    """A worker did not come up in time: its supervisor has given up, or waits."""


class Channel:
    def __init__(self, path):
        self.path = path
        os.mkfifo(path)
        os.chmod(path, 0o666)  # some supervisors run their workers as another user
        self.descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.poll = select.poll()
        self.poll.register(self.descriptor, select.POLLIN)
        self.waiting = []

    def next(self, timeout_s):
        """The next start of any worker."""
        if not self.waiting:
            if not self.poll.poll(timeout_s * 1000):
                raise TookTooLong(f"no worker started within {timeout_s} s")
            data = os.read(self.descriptor, 4096)  # a multiple of the record's size
            self.waiting = [Start(*fields) for fields in RECORD.iter_unpack(data)]
        return self.waiting.pop(0)

    def take(self, count, timeout_s):
        """The next starts, by index; a worker that started twice counts once."""
        started, end = {}, time.monotonic() + timeout_s
        while len(started) < count:
            left = end - time.monotonic()
            if left <= 0:
                raise TookTooLong(f"{len(started)} of {count} workers started within {timeout_s} s")
            start = self.next(left)
            started[start.index] = start
        return started

    def drain(self):
        """Forgets what nobody waited for."""
        self.waiting = []
        while self.poll.poll(0):
            os.read(self.descriptor, 4096)

    def close(self):
        os.close(self.descriptor)
        os.unlink(self.path)
