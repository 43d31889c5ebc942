"""Central under a fleet of simulated devices (../fleet), and beside gooseBit.

The generator says where it stands, one JSON object a line, and waits for a line of ours at each step.
"""

import contextlib
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import processes
from goosebit import GooseBit
from systems import HERE

CENTRAL = HERE.parent / ".build/release/holdfast-central"
GENERATOR = HERE.parent / ".build-bench/fleet_load"
# Memory is looked at when the last device has waited for so long.
SETTLE_S = 10
# How many devices central lets in each second.
ENROL_RATE = 200
# Of the comparison: kept connections, and how long each server is asked in each round.
CONNECTIONS = 200
POLL_SECONDS = 10


class Failed(Exception):
    """Central or the generator has ended with an error."""


class Central:
    """A central with a folder of its own."""

    def __init__(self, program, folder, proxied_chain=None):
        """`proxied_chain`: the certificates that a proxy in front of it would present; none when it does TLS itself."""
        self.program, self.folder, self.proxied_chain = program, pathlib.Path(folder), proxied_chain
        self.data = self.folder / "data"
        self.address = None

    def __enter__(self):
        self.start()
        return self

    def start(self):
        """Starts it, or starts it again at the same address."""
        listen = ["--listen", f"127.0.0.1:{self.address.rsplit(':', 1)[1] if self.address else 0}", "--host", "127.0.0.1"]
        if self.proxied_chain:
            listen = ["--plaintext-behind-proxy", "127.0.0.1:0", "--url", "https://127.0.0.1:443",
                      "--certificate", self.proxied_chain]
        self.log = open(self.folder / "log", "a")
        self.daemon = subprocess.Popen(
            [self.program, "serve", "--data", self.data, "--log-level", "warning", *listen],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.daemon.stdout.readline()  # "holdfast-central: serving URL on ADDRESS"
        if " on " not in line:
            self.stop()
            raise Failed("holdfast-central does not start: " + (self.folder / "log").read_text()[-500:])
        self.address = line.split(" on ")[1].strip()

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.daemon.returncode is not None:
            return
        self.daemon.terminate()
        try:
            self.daemon.wait(60)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
        self.daemon.stdout.close()
        self.log.close()

    def token(self, *arguments):
        made = subprocess.run([self.program, "token", "create", "--data", self.data, *arguments],
                              capture_output=True, text=True, check=True, timeout=60)
        return made.stdout.strip()

    def load(self, mode, devices, *options):
        """The generator's command line, with tokens of this central."""
        address = ["--plain", self.address] if self.proxied_chain else []
        bearer = [] if mode == "poll" else ["--operator", self.token("--operator", "bench", "--role", "operator", "--bearer")]
        return [mode, "--devices", devices, "--token", self.token("--enrol", "--uses", str(devices)), *bearer,
                *address, *options]

    def memory_kib(self):
        pss, anonymous = processes.memory_kib(self.daemon.pid)
        return {"pss_kib": pss, "anonymous_kib": anonymous}


def generate(arguments, at_step=lambda name: None):
    """Runs the generator, with a call at each of its steps; returns its report."""
    generator = subprocess.Popen([str(part) for part in [GENERATOR, *arguments, "--step"]], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for line in generator.stdout:
            said = json.loads(line)
            if "mode" in said:
                return said
            at_step(said["step"])
            print(file=generator.stdin, flush=True)
        raise Failed(f"the generator ended with status {generator.wait()}: {generator.stderr.read().strip()}")
    finally:
        if generator.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                generator.wait(10)
        generator.kill()
        generator.communicate()


def under_load(central, arguments):
    """Runs the generator on a central; returns its report, and central's memory and processor time along the way."""
    time.sleep(2)
    seen = {"memory_before": central.memory_kib()}

    def look(step):
        if step == "waiting":
            time.sleep(SETTLE_S)
            seen["memory_waiting"] = central.memory_kib()
            seen["descriptors_waiting"] = processes.descriptors(central.daemon.pid)
        elif step == "measuring":
            seen["central_processor_s"] = -processes.cpu_ns(central.daemon.pid) / 1e9
        elif step == "measured":
            seen["central_processor_s"] += processes.cpu_ns(central.daemon.pid) / 1e9
            seen["memory_measured"] = central.memory_kib()

    report = generate(arguments, look)
    devices = report["devices"]
    for kind in ("pss_kib", "anonymous_kib"):
        growth = seen["memory_waiting"][kind] - seen["memory_before"][kind]
        seen[f"{kind}_for_each_device"] = round(growth / devices, 2)
    return report | seen


@contextlib.contextmanager
def folder_in(parent):
    folder = tempfile.mkdtemp(prefix="central-", dir=parent)
    try:
        yield pathlib.Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fleet(program, parent, devices, seconds):
    """The fleet with TLS, then the same behind a proxy, for its memory alone. `parent` is a folder on a real disk."""
    rate = ["--enrol-rate", ENROL_RATE]
    with folder_in(parent) as with_tls, folder_in(parent) as behind_proxy:
        with Central(program, with_tls) as central:
            results = {"tls": under_load(central, central.load("fleet", devices, "--seconds", seconds, *rate))}
        with Central(program, behind_proxy, with_tls / "data/server.pem") as central:
            results["plain"] = under_load(central, central.load("fleet", devices, "--seconds", 10, *rate))
    return results


def ingest(program, parent, seconds, devices=8):
    with folder_in(parent) as folder, Central(program, folder) as central:
        return under_load(central, central.load("ingest", devices, "--seconds", seconds))


def beside_goosebit(program, parent, rounds):
    """Requests a second of both, in turn: without TLS, from the same generator, with as many kept connections."""
    asked = {"holdfast-central, commands": [], "holdfast-central, heartbeat": [], "goosebit": []}
    results = {"connections": CONNECTIONS, "seconds": POLL_SECONDS, "version": GooseBit.version, "errors": {}}

    def ask(name, arguments):
        report = generate([*arguments, "--seconds", POLL_SECONDS])
        if not report["requests_per_s"]:
            raise Failed(f"{name} answers nothing: {report['errors']}")
        asked[name].append(report["requests_per_s"])
        for kind, count in report["errors"].items():
            results["errors"][f"{name}: {kind}"] = results["errors"].get(f"{name}: {kind}", 0) + count

    with contextlib.ExitStack() as stack:
        first, second, third = (stack.enter_context(folder_in(parent)) for _ in range(3))
        with Central(program, first):
            pass  # makes the certificate that a proxy would have
        central = stack.enter_context(Central(program, second, first / "data/server.pem"))
        peer = stack.enter_context(GooseBit(parent, third))
        peer.register("bench-%d", CONNECTIONS)
        for number in range(rounds):
            print(f"  round {number + 1}", file=sys.stderr, flush=True)
            ask("holdfast-central, commands", central.load("poll", CONNECTIONS))
            ask("holdfast-central, heartbeat", central.load("poll", CONNECTIONS, "--heartbeat"))
            ask("goosebit",
                ["poll", "--devices", CONNECTIONS, "--plain", peer.address, "--path", peer.path("bench-%d")])
    return results | {"requests_per_s": {
        name: {"median": round(statistics.median(values), 1), "rounds": values} for name, values in asked.items()}}
