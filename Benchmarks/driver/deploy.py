"""A bundle from central to a running worker, beside what a careful person would do with curl, sha256sum, tar and sync."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import ssl
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request

import fleet
from executor import Connection
from holdfast import BINARIES

CONFIGURATION = """
[runtime]
name = "bench"
state_dir = "{folder}/state"
runtime_dir = "{folder}/run"
[output]
journal = "off"
[preservation]
enabled = false
[deployment]
trusted_root = "{folder}/root.json"
"""
FILES = 20
NOBODY = 65534
PATIENCE_S = 120


class Device:
    """A device of an ordinary user, enrolled. Its events are followed from the start."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.socket = self.folder / "run/control.sock"
        self.environment = os.environ | {"HOLDFAST_SOCKET": str(self.socket)}

    def __enter__(self):
        (self.folder / "holdfast.toml").write_text(CONFIGURATION.format(folder=self.folder))
        if os.getuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        self.log = open(self.folder / "device.log", "w")
        self.daemon = subprocess.Popen([BINARIES / "holdfastd", "--config", self.folder / "holdfast.toml"], stderr=self.log,
                                       preexec_fn=self.become_nobody if os.getuid() == 0 else None)
        self.wait("the runtime", self.socket.exists)
        self.control = Connection(self.socket)
        return self

    @staticmethod
    def become_nobody():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)

    def wait(self, what, condition):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                raise fleet.Failed(f"{what} did not come: " + (self.folder / "device.log").read_text()[-1000:])
            time.sleep(0.01)

    def __exit__(self, *_):
        self.daemon.terminate()
        self.daemon.wait(60)
        self.log.close()

    def enrol(self, token):
        def is_enrolled():
            done = subprocess.run([BINARIES / "holdfast", "enrol", token], capture_output=True, text=True, timeout=60,
                                  env=self.environment)
            return done.returncode == 0
        self.wait("the link to central", is_enrolled)

    def deploy(self, parameters):
        """Gives an order; returns when each state began, in seconds since the order."""
        connection = Connection(self.socket)
        connection.socket.settimeout(PATIENCE_S)
        began, states = time.monotonic(), {}
        call = {"method": "io.holdfast.Runtime.Deploy", "parameters": parameters, "more": True}
        connection.socket.sendall(json.dumps(call).encode() + b"\0")
        while True:
            while b"\0" not in connection.rest:
                connection.rest += connection.socket.recv(65536)
            message, connection.rest = connection.rest.split(b"\0", 1)
            reply = json.loads(message)
            if "error" in reply:
                raise fleet.Failed(f"the order was refused: {reply}")
            states.setdefault(reply["parameters"]["state"], time.monotonic() - began)
            if not reply.get("continues"):
                if reply["parameters"]["state"] != "committed":
                    raise fleet.Failed(f"the deployment has failed: {reply['parameters']}")
                return states

    def events(self, since):
        replies = self.control.call("Events", {"since": since}, more=True)
        return [reply["event"] for reply in replies if reply["event"]]

    def last_event(self):
        events = self.events(0)
        return events[-1]["sequence"] if events else 0

    def switch_ms(self, since):
        """From the old worker's stop to the new one's program, by the runtime's own clock."""
        at = {}
        for event in self.events(since):
            if event["kind"] == "worker-changed" and event["worker"] == "stamp":
                at.setdefault(event["message"].split(" -> ")[-1], event["monotonic"])
        return (at["running" if "running" in at else "ready"] - at["stopping"]) * 1000


class Peak:
    """The largest resident memory of a process that comes and goes."""

    def __init__(self, name):
        self.name, self.kib, self.first = name, 0, None
        self.ended = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def look(self):
        while not self.ended.wait(0.005):
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError, AttributeError):
                    if (process / "comm").read_text().strip() != self.name:
                        continue
                    now = int(re.search(r"VmHWM:\s+(\d+)", (process / "status").read_text()).group(1))
                    self.first = self.first or now
                    self.kib = max(self.kib, now)


def run(*command, cwd=None, environment=None):
    return subprocess.run([str(part) for part in command], cwd=cwd, env=environment, check=True, capture_output=True, text=True,
                          timeout=PATIENCE_S).stdout


class Publisher:
    """Keys, versions, and central's side of them."""

    def __init__(self, folder, login):
        self.folder = pathlib.Path(folder)
        self.environment = os.environ | {"HOLDFAST_FLEET_LOGIN": login}
        self.holdfast = BINARIES / "holdfast"
        for name in ("root", "targets"):
            run(self.holdfast, "bundle", "keygen", "--no-passphrase", "-o", f"{name}.pem", cwd=self.folder)
        run(self.holdfast, "bundle", "root", "--root-key", "root.pem.pub", "--targets-key", "targets.pem.pub", "--key", "root.pem",
            cwd=self.folder)

    def publish(self, release, megabytes):
        """Returns the order for a version with so many megabytes that no other has."""
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "bin").mkdir(parents=True)
        program = tree / "bin/press"
        program.write_text(f"#!/bin/sh\n# {release}\nexec sleep 1000000\n")
        program.chmod(0o755)
        for number in range(FILES if megabytes else 0):
            (tree / f"data{number}").write_bytes(os.urandom(megabytes * 1_000_000 // FILES))
        (tree / "manifest.json").write_text(json.dumps({
            "format": 1, "name": "press", "version": f"1.{release}.0", "release": release,
            "health": {"ready": "30s", "probation": "100ms"},
            "workers": [{"name": "stamp", "command": ["{bundle}/bin/press"]}]}))
        archive = self.folder / f"press-1.{release}.0.tar.zst"
        run(self.holdfast, "bundle", "pack", "tree", cwd=self.folder)
        run(self.holdfast, "bundle", "sign", "--key", "targets.pem", archive.name, cwd=self.folder)
        run(self.holdfast, "fleet", "bundle", "upload", archive.name, "--root", "root.json", cwd=self.folder,
            environment=self.environment)
        shown = run(self.holdfast, "bundle", "inspect", archive.name, cwd=self.folder)
        version = re.search(r"1\.\d+\.0@[0-9a-f]{16}", shown).group(0)
        digest = run("sha256sum", archive).split()[0]
        return {"id": f"order-{release}", "bundle": "press", "intent": "deploy", "version": version, "file": archive.name}, digest


def by_hand(address, digest, folder):
    """The same without Holdfast; returns how many seconds it took."""
    place = pathlib.Path(folder) / "by-hand"
    place.mkdir()
    began = time.monotonic()
    archive = place / "archive.tar.zst"
    run("curl", "--insecure", "--silent", "--fail", "--output", archive, f"https://{address}/api/v1/content/{digest}")
    if run("sha256sum", archive).split()[0] != digest:
        raise fleet.Failed("curl has fetched something else")
    run("tar", "--extract", "--zstd", "--file", archive, "--directory", place)
    run("sync")
    took = time.monotonic() - began
    shutil.rmtree(place)
    return took


def measure(central, folder, rounds, megabytes=200):
    with fleet.Central(central, folder) as served:
        device_folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        device_folder.chmod(0o755)
        publisher = Publisher(folder, served.token("--operator", "bench", "--role", "admin"))
        shutil.copy(pathlib.Path(folder) / "root.json", device_folder)
        with Device(device_folder) as device:
            device.enrol(served.token("--enrol"))
            small, _ = publisher.publish(1, 0)
            with Peak("holdfast-execut") as idle:
                device.deploy(small)
            deploys, hands, peaks, switches, rollbacks = [], [], [], [], []
            for round_ in range(rounds):
                order, digest = publisher.publish(round_ + 2, megabytes)
                hands.append(by_hand(served.address, digest, folder))
                before = device.last_event()
                with Peak("holdfast-execut") as peak:
                    states = device.deploy(order)
                deploys.append(states["probation"])
                peaks.append(peak.kib)
                switches.append(device.switch_ms(before))
                before = device.last_event()
                began = time.clock_gettime(time.CLOCK_MONOTONIC)
                device.deploy({"id": f"back-{round_}", "bundle": "press", "intent": "rollback"})
                runs = [event["monotonic"] for event in device.events(before)
                        if event["kind"] == "worker-changed" and event["message"].endswith(("-> running", "-> ready"))]
                rollbacks.append((runs[0] - began) * 1000)
    return {
        "megabytes": megabytes, "deploy_s": deploys, "by_hand_s": hands,
        "ratio": statistics.median(deploys) / statistics.median(hands), "idle_kib": idle.kib, "peak_kib": max(peaks),
        "switch_ms": switches, "rollback_ms": rollbacks,
    }
