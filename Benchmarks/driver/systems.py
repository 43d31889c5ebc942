"""The supervisors that are measured, each started in the same way: COUNT probes that report on one channel."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import processes
from channel import Channel

HERE = pathlib.Path(__file__).resolve().parent.parent
BUILT_PROBE = HERE.parent / ".build-bench/probe"
RESPAWN = HERE.parent / ".build-bench/respawn"


class System:
    """One supervisor with its workers. A subclass writes its configuration and says how to start and stop it."""

    name = ""
    needs = ()  # programs without which it is not measured

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "".join(letter for letter in self.name if letter.isalnum())
        self.folder.mkdir(mode=0o755)
        self.probe = self.folder / "probe"  # where any user can reach it
        shutil.copy(BUILT_PROBE, self.probe)
        self.channel = Channel(str(self.folder / "probe.fifo"))
        self.pids = {}
        self.daemon = None

    @classmethod
    def missing(cls):
        return [program for program in cls.needs if not shutil.which(program)]

    def argument(self, index):
        return f"{index}:{self.channel.path}"

    def run(self, *command, **options):
        with open(self.folder / "log", "ab") as log:
            self.daemon = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **options,
            )

    def start(self, count, timeout_s=60):
        """Starts the supervisor and returns the seconds until the first and the last worker's first instruction."""
        self.prepare(count)
        began = time.monotonic_ns()
        self.launch(count)
        started = self.channel.take(count, timeout_s)
        self.pids = {index: start.pid for index, start in started.items()}
        times = [(start.at_ns - began) / 1e9 for start in started.values()]
        return min(times), max(times)

    def prepare(self, count):
        pass

    def stop(self):
        """Stops the supervisor and returns the seconds it took."""
        began = time.monotonic()
        self.shut_down()
        self.daemon.wait(timeout=60)
        return time.monotonic() - began

    def shut_down(self):
        self.daemon.terminate()

    def orphans(self):
        """Workers that outlived their supervisor."""
        return processes.with_argument(self.channel.path)

    def remove(self):
        """Ends what is left, whatever happened before."""
        if self.daemon and self.daemon.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        for pid in self.orphans():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.channel.close()


class Baseline(System):
    name = "C baseline"

    def launch(self, count):
        self.run(RESPAWN, count, self.probe, f"%:{self.channel.path}")


class ServiceFolders(System):
    """What runit, s6 and daemontools share: a folder for each service with a program named run."""

    def prepare(self, count):
        for index in range(count):
            service = self.folder / f"services/w{index}"
            service.mkdir(parents=True)
            run = service / "run"
            run.write_text(f"#!{self.probe} {self.argument(index)}\n")
            run.chmod(0o755)


class Runit(ServiceFolders):
    name = "runit"
    needs = ("runsvdir", "runsv")

    def launch(self, count):
        self.run("runsvdir", self.folder / "services")

    def shut_down(self):
        self.daemon.send_signal(signal.SIGHUP)  # TERM to every runsv (runsvdir(8))


class S6(ServiceFolders):
    name = "s6"
    needs = ("s6-svscan", "s6-svscanctl")

    def launch(self, count):
        self.run("s6-svscan", "-c", max(500, count), self.folder / "services")

    def shut_down(self):
        subprocess.run(["s6-svscanctl", "-t", str(self.folder / "services")], check=True)


class Daemontools(ServiceFolders):
    name = "daemontools"
    needs = ("svscan", "svc")

    def launch(self, count):
        self.run("svscan", self.folder / "services")

    def shut_down(self):
        self.daemon.terminate()  # svscan only; its supervise processes are told one by one
        subprocess.run(["svc", "-dx", *map(str, (self.folder / "services").iterdir())], check=True)


class Supervisord(System):
    name = "supervisord"
    needs = ("supervisord",)

    def prepare(self, count):
        programs = "".join(
            f"[program:w{index}]\ncommand={self.probe} {self.argument(index)}\nautorestart=true\nstartsecs=0\n"
            for index in range(count)
        )
        (self.folder / "supervisord.conf").write_text(
            f"[supervisord]\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={self.folder}/pid\n{programs}"
        )

    def launch(self, count):
        self.run("supervisord", "-n", "-c", self.folder / "supervisord.conf")


class Monit(System):
    name = "monit (1 s cycle)"
    needs = ("monit",)

    def prepare(self, count):
        checks = ""
        for index in range(count):
            start = self.folder / f"start{index}"
            start.write_text(f"#!/bin/sh\n{self.probe} {self.argument(index)} &\necho $! > {self.folder}/{index}.pid\n")
            start.chmod(0o755)
            checks += f'check process w{index} with pidfile "{self.folder}/{index}.pid"\n  start program = "{start}"\n'
        settings = self.folder / "monitrc"
        settings.write_text(
            f'set daemon 1\nset logfile "{self.folder}/log"\nset pidfile "{self.folder}/pid"\n'
            f'set idfile "{self.folder}/id"\nset statefile "{self.folder}/state"\n{checks}'
        )
        settings.chmod(0o600)

    def launch(self, count):
        self.run("monit", "-I", "-c", self.folder / "monitrc")


class Systemd(System):
    """Needs systemd as init: run inside scripts/systemd-sandbox."""

    name = "systemd (RestartSec=0)"
    needs = ("systemctl", "systemd-run")
    settings = "RestartSec=0\n"
    unit_settings = "StartLimitIntervalSec=0\n"

    def unit(self, index):
        return f"{self.folder.name}{index}.service"

    def prepare(self, count):
        self.count = count
        for index in range(count):
            pathlib.Path("/run/systemd/system", self.unit(index)).write_text(
                f"[Unit]\n{self.unit_settings}[Service]\nExecStart={self.probe} {self.argument(index)}\n"
                f"Restart=always\n{self.settings}"
            )
        subprocess.run(["systemctl", "daemon-reload"], check=True)

    def launch(self, count):
        self.run("systemctl", "start", *(self.unit(index) for index in range(count)))

    def stop(self):
        began = time.monotonic()
        subprocess.run(["systemctl", "stop", *(self.unit(index) for index in range(self.count))], check=False)
        return time.monotonic() - began


class SystemdDefault(Systemd):
    name = "systemd (defaults)"
    settings = ""
    unit_settings = ""


PEERS = [Runit, S6, Daemontools, Supervisord, Monit]
UNDER_SYSTEMD = [Systemd, SystemdDefault]
