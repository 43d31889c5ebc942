"""A command in a plugin, as a caller of Execute sees it, beside a fork, exec and wait in C."""

import hashlib
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from holdfast import BINARIES
from systems import HERE

BUILD = HERE.parent / ".build-bench"
CONFIGURATION = """
[runtime]
name = "bench"
state_dir = "{folder}/state"
runtime_dir = "{folder}/run"
[output]
journal = "off"
[preservation]
enabled = false
[[plugin]]
name = "bench"
file = "{folder}/plugins/bench.so"
sha256 = "{digest}"
"""


class Connection:
    """A Varlink connection to the runtime."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.rest = b""

    def call(self, method, parameters, more=False):
        call = {"method": f"io.holdfast.Runtime.{method}", "parameters": parameters, "more": more}
        self.socket.sendall(json.dumps(call).encode() + b"\0")
        replies = []
        while not replies or replies[-1].get("continues"):
            while b"\0" not in self.rest:
                chunk = self.socket.recv(65536)
                if not chunk:
                    raise EOFError("holdfastd has closed the connection")
                self.rest += chunk
            message, self.rest = self.rest.split(b"\0", 1)
            replies.append(json.loads(message))
        return [reply["parameters"] for reply in replies]


def missing():
    return [name for name in ("holdfastd", "holdfast-plugin-host") if not (BINARIES / name).exists()]


def summary(values):
    ordered = sorted(values)
    return {"p50_ms": statistics.median(values), "p99_ms": ordered[int(len(ordered) * 0.99)]}


def commands(connection, round_, count):
    empty, crash = [], []
    for number in range(count):
        began = time.monotonic_ns()
        end = connection.call("Execute", {"id": f"e{round_}.{number}", "kind": "bench.empty"}, more=True)[-1]
        empty.append((time.monotonic_ns() - began) / 1e6)
        if end["state"] != "succeeded":
            raise RuntimeError(f"the empty command has failed: {end}")
        replies = connection.call("Execute", {"id": f"c{round_}.{number}", "kind": "bench.crash"}, more=True)
        ended = time.monotonic_ns()
        if replies[-1]["code"] != "crashed":
            raise RuntimeError(f"the crash was taken for something else: {replies[-1]}")
        crash.append((ended - int(next(reply["log"] for reply in replies if reply["log"]))) / 1e6)
    return empty, crash


def baseline(count):
    done = subprocess.run([BUILD / "command", str(count)], check=True, capture_output=True, text=True, timeout=60)
    return [int(line) / 1e6 for line in done.stdout.split()]


def measure(rounds, samples):
    """Not below /tmp, for a plugin has one of its own, which is part of what is measured."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir="/var/lib" if os.getuid() == 0 else BUILD))
    folder.chmod(0o755)
    try:
        (folder / "plugins").mkdir()
        library = shutil.copy(BUILD / "bench.so", folder / "plugins")
        digest = hashlib.sha256(pathlib.Path(library).read_bytes()).hexdigest()
        (folder / "holdfast.toml").write_text(CONFIGURATION.format(folder=folder, digest=digest))
        with open(folder / "log", "w") as log:
            runtime = subprocess.Popen([BINARIES / "holdfastd", "--config", folder / "holdfast.toml"], stderr=log)
        try:
            while not (folder / "run/control.sock").exists():
                if runtime.poll() is not None:
                    raise RuntimeError((folder / "log").read_text())
                time.sleep(0.01)
            connection = Connection(folder / "run/control.sock")
            [plugin] = connection.call("Plugins", {})[-1]["plugins"]
            if plugin["state"] != "ready":
                raise RuntimeError(f"the plugin cannot be used: {plugin}")
            empty, crash, plain = [], [], []
            for round_ in range(rounds):
                more, crashes = commands(connection, round_, samples)
                empty, crash, plain = empty + more, crash + crashes, plain + baseline(samples)
        finally:
            runtime.terminate()
            runtime.wait(30)
    finally:
        shutil.rmtree(folder)
    return {"empty": summary(empty), "crash": summary(crash), "C baseline": summary(plain)}
