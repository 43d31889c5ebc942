"""Holdfast as one of the measured systems."""

import json
import os
import pathlib
import shutil
import socket
import tempfile

import processes
from systems import HERE, System

BINARIES = HERE.parent / ".build/release"

# Each kill is a failure of the worker. The restart intensity is out of the way, because the restarts are what is being
# measured, and failures are forgotten after 10 ms of running, so that each restart is the first one.
CONFIGURATION = """
[runtime]
name = "bench"
state_dir = "{folder}/state"
runtime_dir = "{runtime}"

[[supervisor]]
name = "probes"
max_restarts = 10000
within = "1s"

[worker_defaults]
stable_after = "10ms"
backoff_initial = "1ms"
backoff_max = "1ms"

# The monitor runs as anywhere, but how warm this machine is must not pause what is measured.
[preservation]
throttle_margin = "off"
pause_margin = "off"
critical_margin = "off"
resume_margin = "off"

[preservation.memory]
pause_at = "off"
critical_at = "off"
resume_below = "off"

[output]
journal = "off"
"""

WORKER = """
[[worker]]
name = "w{index}"
supervisor = "probes"
command = ["{probe}", "{argument}"]
"""


class Holdfast(System):
    name = "holdfastd"

    @classmethod
    def missing(cls):
        return [] if (BINARIES / "holdfastd").exists() else ["holdfastd (make build)"]

    def prepare(self, count):
        workers = "".join(
            WORKER.format(index=index, probe=self.probe, argument=self.argument(index)) for index in range(count)
        )
        # In memory, as /run is on a device.
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else self.folder
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir=memory))
        self.runtime.chmod(0o755)
        text = CONFIGURATION.format(folder=self.folder, runtime=self.runtime)
        (self.folder / "holdfast.toml").write_text(text + workers)

    def launch(self, count):
        self.run(BINARIES / "holdfastd", "--config", self.folder / "holdfast.toml")

    def remove(self):
        super().remove()
        shutil.rmtree(self.runtime, ignore_errors=True)

    def resident(self):
        """The runtime's own processes by name; workers are not among them."""
        pids = {"holdfastd": self.daemon.pid}
        for child in processes.children(self.daemon.pid):
            command = processes.command(child)
            if command and os.path.basename(command[0]).startswith("holdfast-"):
                pids[os.path.basename(command[0])] = child
        return pids

    def call(self, method, **parameters):
        """One Varlink call on the control socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(10)
            connection.connect(str(self.runtime / "control.sock"))
            request = {"method": f"io.holdfast.Runtime.{method}", "parameters": parameters}
            connection.sendall(json.dumps(request).encode() + b"\0")
            reply = b""
            while not reply.endswith(b"\0"):
                received = connection.recv(65536)
                if not received:
                    raise ConnectionError("holdfastd closed the control socket")
                reply += received
        return json.loads(reply[:-1]).get("parameters")
