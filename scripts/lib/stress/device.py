"""The device under test, seen from outside: systemd, the control socket, the journal, /proc."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

SOCKET = "/run/holdfast/control.sock"
STATE = pathlib.Path("/run/holdfast/state")
CONFIGURATION = pathlib.Path("/etc/holdfast/holdfast.toml")
WORKER = "/usr/local/bin/misbehaving-worker"
DAEMON = pathlib.Path("/usr/local/sbin/holdfastd")
# "Unit process exited" and "Main process exited" of systemd.journal-fields(7)'s catalog (sd-messages.h).
PROCESS_EXITED = "98e322203f7a4ed290d09fe03c09fe15"


class Broken(Exception):
    """Something that was promised did not hold, or did not come in time."""


def now():
    """Seconds of the monotonic clock, as systemd's timestamps."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def noticed(event):
    """When the turn of holdfastd's loop began in which an event was recorded: when it learned of it."""
    return event["monotonic"]


def recorded(event):
    """When an event was recorded, on the monotonic clock: what it tells was done by then."""
    return event["time"] - time.time() + now()


def until(what, condition, seconds=30.0, every=0.002):
    """Waits until the condition gives something, and returns it."""
    end = now() + seconds
    while True:
        found = condition()
        if found:
            return found
        if now() > end:
            raise Broken(f"in vain for {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(every)


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if check and done.returncode != 0:
        raise Broken(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()}")
    return done


def send(pid, signal_number=signal.SIGKILL):
    """Sends a signal, and says when: before, since whoever is woken by it may run before this process does again."""
    began = now()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal_number)
    return began


def exists(pid):
    """Whether the process runs: a zombie does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


# The service


def properties(unit, *names):
    """Of a unit, as text, in that order."""
    lines = run("systemctl", "show", unit, *(f"--property={name}" for name in names)).stdout.splitlines()
    values = dict(line.partition("=")[::2] for line in lines)
    return [values.get(name, "") for name in names]


def main_pid():
    return int(properties("holdfast.service", "MainPID")[0])


def started_at():
    """When systemd started the process that is now the main one."""
    return int(properties("holdfast.service", "ExecMainStartTimestampMonotonic")[0]) / 1e6


def next_main(former):
    """Waits for another main process, whose start systemd has recorded."""

    def found():
        pid, started = properties("holdfast.service", "MainPID", "ExecMainStartTimestampMonotonic")
        return int(pid) not in (0, former) and (int(pid), int(started) / 1e6)

    return until("another holdfastd", found, every=0.005)


def exit_noticed(since):
    """When systemd noticed that the main process was gone, which it was not before."""

    def entry():
        lines = run(
            "journalctl", "--quiet", "--output=json", f"MESSAGE_ID={PROCESS_EXITED}", "UNIT=holdfast.service",
            "--lines=1", check=False).stdout.splitlines()
        times = [int(json.loads(line)["__MONOTONIC_TIMESTAMP"]) / 1e6 for line in lines]
        return [time for time in times if time >= since]

    return until("a word of systemd about the end of holdfastd", entry, every=0.05)[0]


@contextlib.contextmanager
def override(unit, *lines):
    """Changes settings of a unit's [Service] for a while."""
    folder = pathlib.Path(f"/run/systemd/system/{unit}.d")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stress.conf").write_text("[Service]\n" + "".join(f"{line}\n" for line in lines))
    run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        (folder / "stress.conf").unlink()
        run("systemctl", "daemon-reload")


# The control socket


class Connection:
    """Varlink: JSON objects, each ended by a zero byte."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(SOCKET)
        self.socket.settimeout(60)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, method, more=False, **parameters):
        message = {"method": f"io.holdfast.Runtime.{method}", "parameters": parameters, "more": more}
        self.socket.sendall(json.dumps(message).encode() + b"\0")

    def receive(self):
        while b"\0" not in self.rest:
            bytes_ = self.socket.recv(1 << 16)
            if not bytes_:
                raise ConnectionResetError("the runtime has closed the connection")
            self.rest += bytes_
        message, _, self.rest = self.rest.partition(b"\0")
        reply = json.loads(message)
        if reply.get("error"):
            raise Broken(f"{reply['error']}: {reply.get('parameters')}")
        return reply["parameters"]


def call(method, **parameters):
    with Connection() as connection:
        connection.send(method, **parameters)
        return connection.receive()


def workers():
    return {worker["name"]: worker for worker in call("Status")["workers"]}


def answers():
    """Status, if somebody answers."""
    try:
        return call("Status")
    except (OSError, json.JSONDecodeError):
        return None


def all_ready(names=None):
    """The workers, when all of them (or these) are ready."""
    status = answers()
    found = {worker["name"]: worker for worker in status["workers"]} if status else {}
    return found if found and all(found[name]["ready"] for name in names or found) else None


def await_ready(names=None, seconds=30.0):
    def unready():
        return {name: worker["state"] for name, worker in workers().items() if not worker["ready"]}

    return until(lambda: f"not ready: {unready()}", lambda: all_ready(names), seconds, every=0.01)


def await_forgotten(*names):
    """Waits for the end of the stable run after which the next failure is a first one again."""
    until(
        "a stable run", lambda: all(workers()[name]["failures_forgotten_in_s"] is None for name in names), 60, every=0.05)


class Events:
    """What is recorded from now on."""

    def __init__(self, since=None):
        self.connection = Connection()
        if since is None:
            since = last_event()
        self.connection.send("Events", more=True, since=since, follow=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.socket.close()

    def read(self, seconds):
        """The next one; nothing if it does not come in time."""
        self.connection.socket.settimeout(max(0.01, seconds))
        with contextlib.suppress(TimeoutError):
            return self.connection.receive()["event"]

    def next(self, kind, seconds=30.0, **members):
        """Reads on to the next event of that kind with these members or details."""
        end = now() + seconds
        while event := self.read(end - now()):
            found = {**event["details"], **event}
            if event["kind"] == kind and all(found.get(key) == value for key, value in members.items()):
                return event
        raise Broken(f"no event {kind} {members} within {seconds:g} s")


def last_event():
    last = 0
    with Connection() as connection:
        connection.send("Events", more=True, since=0, follow=False)
        while event := connection.receive().get("event"):
            last = event["sequence"]
    return last


def event(kind):
    """The newest one of that kind which this runtime has recorded."""
    found = None
    with Connection() as connection:
        connection.send("Events", more=True, since=0, follow=False)
        while one := connection.receive().get("event"):
            found = one if one["kind"] == kind else found
    return found


# Processes


def processes_of(name):
    """Every process that was started for this worker, whatever has become of it."""
    mark, found = f"HOLDFAST_WORKER={name}".encode(), []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and mark in pathlib.Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                if exists(int(entry)):
                    found.append(int(entry))
    return found
